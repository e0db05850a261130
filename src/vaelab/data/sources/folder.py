"""A folder of image files; subfolders or a table say the labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar

from vaelab.data.assemble import assemble, beside, path_facts
from vaelab.data.cache import Item
from vaelab.data.collection import ImageCollection
from vaelab.data.files import File, list_images, locate
from vaelab.data.join import join
from vaelab.data.pixels import Alpha, Pair, PixelReader
from vaelab.data.sources._base import Source
from vaelab.data.tables import read_table
from vaelab.errors import InputError
from vaelab.settings.ranges import PathText


@dataclass(frozen=True, kw_only=True)
class FolderSource(Source):
    """Every image file below a folder: PNG, JPEG, TIFF, JPEG 2000, PGM, BMP, GIF, WebP and others.

    The table has `path` (below the folder) and, where there are subfolders, `label`: their names joined by a slash.
    Hidden files are passed over. Files that are no images by their name, broken files and images of another size,
    channel count or pixel type than most are named in `left_out`.
    """

    opens: ClassVar[str] = "a folder of images"

    path: PathText
    """The folder."""
    labels: PathText | None = None
    """A table (CSV) joined on the column that names most files: by the path below the folder, or by the file's own
    name with or without its ending. A running number of its rows is no name."""
    channel_pattern: str | None = None
    """Where each channel is a file of its own: a regular expression with a group called channel, searched for in the
    path; files that agree in all else are one image. For a_w1.tif, a_w2.tif: ``_(?P<channel>w\\d)\\.``"""
    channels: tuple[str, ...] = ()
    """Names of the channels, in order, in place of those the files give; with `channel_pattern`, which channels to
    read."""
    crop: Pair | None = None
    """Height and width of the centre to keep, in pixels."""
    size: Pair | None = None
    """Height and width to resize to, in pixels, after the crop; then images of any size go together."""
    alpha: Alpha = "opaque"
    """An alpha channel: must be opaque everywhere and is then left out; drop it; or keep it as a channel."""

    def __post_init__(self):
        super().__post_init__()
        if self.channel_pattern is not None:
            _compiled(self.channel_pattern)

    @classmethod
    def recognises(cls, place: Path, names: Sequence[str]) -> int:
        """See Source."""
        return 2 if place.is_dir() else 0

    def load(self, *, strict: bool = False, progress: bool = False) -> ImageCollection:
        """See Source."""
        folder = locate(self.path, "path", folder=True)
        files = list_images(folder, "path")
        left_out = [(file.name, file.problem) for file in files if file.problem]
        names, items = [file for file in files if not file.problem], []
        channels = self.channels
        if self.channel_pattern is None:
            items = [Item(file.name, (file,)) for file in names]
        else:
            items, channels, incomplete = _grouped(names, _compiled(self.channel_pattern), self.channels)
            left_out += incomplete
        facts, notes = path_facts(items), []
        if self.labels is not None and items:
            table = read_table(self.labels, "labels")
            joined = join([item.name for item in items], table)
            own = {str(PurePosixPath(self.labels).name)}
            left_out = [entry for entry in left_out if PurePosixPath(entry[0]).name not in own] + joined.left_out
            items, notes = [items[i] for i in joined.kept], [joined.note, *table.notes]
            facts = beside(facts.iloc[joined.kept].reset_index(drop=True), joined.facts)
        reader = PixelReader(crop=self.crop, size=self.size, alpha=self.alpha)
        return assemble(
            items, facts, reader, channels=channels, left_out=left_out, notes=notes, strict=strict, progress=progress
        )


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        be = "be a regular expression"
        raise InputError("channel_pattern", be, f"{pattern!r} ({error})") from None
    if "channel" not in compiled.groupindex:
        be, mend = "have a group called channel", r"Such as _(?P<channel>w\d)\."
        raise InputError("channel_pattern", be, repr(pattern), mend)
    return compiled


def _grouped(
    files: Sequence[File], pattern: re.Pattern[str], wanted: tuple[str, ...]
) -> tuple[list[Item], tuple[str, ...], list[tuple[str, str]]]:
    """One item for the files of each image, the channels' names, and what cannot be grouped."""
    groups: dict[str, dict[str, File]] = {}
    left_out = []
    for file in files:
        match = pattern.search(file.name)
        if match is None or not match["channel"]:
            left_out.append((file.name, "does not match source.channel_pattern"))
            continue
        rest = file.name[: match.start("channel")] + file.name[match.end("channel") :]
        twin = groups.setdefault(rest, {}).setdefault(match["channel"], file)
        if twin is not file:
            left_out.append((file.name, f"is the same channel of the same image as {twin.name}"))
    found = sorted({channel for group in groups.values() for channel in group})
    channels = wanted or tuple(found)
    missing = [channel for channel in channels if channel not in found]
    if missing:
        be = "name channels that source.channel_pattern finds"
        raise InputError("channels", be, ", ".join(missing), f"Found: {', '.join(found) or 'none'}.")
    items = []
    for rest, group in groups.items():
        lacking = [channel for channel in channels if channel not in group]
        if lacking:
            left_out.append((rest, f"lacks channel {', '.join(lacking)}"))
        else:
            items.append(Item(rest, tuple(group[channel] for channel in channels)))
    return items, channels, left_out
