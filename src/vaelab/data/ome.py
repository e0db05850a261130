"""What the OME metadata of one TIFF file say of its pages: which plane each is, which are promised and not there."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from xml.etree import ElementTree

from vaelab.data.limits import Unreadable

MOST_PROMISED = 1_000_000
"""Metadata that promise more planes than this, and a thousand times what is there, are not believed."""
NAMED = 8
"""So many missing planes are named; of more, the number."""
COLUMN = {"Z": "z", "T": "time"}
Plane = tuple[int, ...]


@dataclass
class OmeImage:
    """One image of the metadata: axes beyond rows and columns, and which page holds each plane."""

    axes: str
    """Letters of the planes' places, slowest first: an order of T, Z and C."""
    sizes: Plane
    """How many places along each."""
    channels: tuple[str, ...]
    """Names of the channels; those of colour samples are one."""
    pages: dict[Plane, int] = field(default_factory=dict)
    """The page of this file that holds a plane, by its place."""
    elsewhere: set[str] = field(default_factory=set)
    """Other files that the metadata name."""
    placed_elsewhere: int = 0
    """How many planes lie in them."""

    def missing(self) -> str:
        """What this file should hold and does not, in words that follow its name; nothing where all is there."""
        total = math.prod(self.sizes)
        count = total - len(self.pages) - self.placed_elsewhere
        if count <= 0 or (self.elsewhere and not self.pages):
            return ""
        if total > max(MOST_PROMISED, 1000 * len(self.pages)):
            promise = f"promises {total:,} planes in its metadata, of which {len(self.pages):,} are there"
            raise Unreadable(f"{promise}; set axes, such as IYX, to read its pages without the metadata")
        if self.elsewhere:
            return f"lacks {count:,} planes that its metadata promise and no file holds"
        places = itertools.product(*map(range, self.sizes))
        named = [self._words(p) for p in itertools.islice((p for p in places if p not in self.pages), NAMED)]
        more = f" and {count - NAMED:,} more" if count > NAMED else ""
        planes = (
            "a plane that its metadata promise and that was"
            if count == 1
            else (f"{count:,} planes that its metadata promise and that were")
        )
        return f"lacks {planes} never written: {', '.join(named)}{more}"

    def _words(self, place: Plane) -> str:
        words = {"T": "time", "Z": "z", "C": "channel"}
        told = [f"{words[a]} {i}" for a, i, n in zip(self.axes, place, self.sizes, strict=True) if n > 1]
        return " ".join(told) or "the only one"


def lost_files(images: list[OmeImage], path: str) -> Iterator[str]:
    """Files that the metadata name and that do not lie beside this one. Nothing that is named is ever opened."""
    for name in sorted(set[str]().union(*(image.elsewhere for image in images))):
        if (
            PurePath(name).name != name
            or "\\" in name
            or not os.path.lexists(os.path.join(os.path.dirname(path), name))
        ):
            yield name


def read_ome(metadata: str, path: str, pages: int, samples: int) -> list[OmeImage]:
    """The images that the metadata describe; none where they are no such metadata, or say them to lie in another file.

    Args:
        metadata: The XML text.
        path: The file, whose name tells its own planes from those of others.
        pages: How many pages it has.
        samples: Colour samples of each pixel of a page.

    *Source*: https://docs.openmicroscopy.org/ome-model/6.3.1/ome-tiff/specification.html
    """
    try:
        root = ElementTree.fromstring(metadata)
        described = [pixels for node in _children(root, "Image") for pixels in _children(node, "Pixels")]
        found = [_image(pixels, root.get("UUID", ""), path, pages, samples) for pixels in described]
    except (ElementTree.ParseError, ValueError):  # no XML, or words where numbers should be
        return []
    return [image for image in found if image is not None]


def _image(node: ElementTree.Element, uuid: str, path: str, pages: int, samples: int) -> OmeImage | None:
    sizes = {axis: _number(node, f"Size{axis}", 1) for axis in "TZC"}
    axes = node.get("DimensionOrder", "XYCZT")[::-1].replace("Y", "").replace("X", "")
    if sorted(axes) != ["C", "T", "Z"] or min(sizes.values()) < 1:
        return None
    sizes["C"] = max(1, sizes["C"] // samples)
    names = tuple(channel.get("Name", "") for channel in _children(node, "Channel"))
    image = OmeImage(axes, tuple(sizes[axis] for axis in axes), names)
    blocks, total, used = list(_children(node, "TiffData")), math.prod(image.sizes), set()
    for block in blocks:
        first = tuple(_number(block, f"First{axis}", 0) for axis in axes)
        bare = block.get("IFD") is None and block.get("PlaneCount") is None
        start = _number(block, "IFD", 0)
        count = _number(block, "PlaneCount", pages if bare else 1)
        name = _other_file(block, uuid, path, blocks)
        place = _flat(first, image.sizes)
        if place is None or start < 0 or count < 1:
            continue
        if name:
            image.elsewhere.add(name)
            image.placed_elsewhere += min(count, total - place)
            continue
        for page, flat in zip(range(start, min(start + count, pages)), range(place, total), strict=False):
            if page not in used and image.pages.setdefault(_unflat(flat, image.sizes), page) == page:
                used.add(page)
    return image


def _other_file(block: ElementTree.Element, uuid: str, path: str, blocks: list[ElementTree.Element]) -> str:
    """The name of another file that a block of planes lies in; nothing for this one."""
    node = next(_children(block, "UUID"), None)
    name = "" if node is None else node.get("FileName", "")
    if node is None or (uuid and (node.text or "").strip() == uuid) or not name or name == os.path.basename(path):
        return ""
    files = {found.get("FileName") for other in blocks for found in _children(other, "UUID")}
    return name if uuid or len(files) > 1 else ""


def _flat(place: Plane, sizes: Plane) -> int | None:
    if any(not 0 <= i < n for i, n in zip(place, sizes, strict=True)):
        return None
    flat = 0
    for i, n in zip(place, sizes, strict=True):
        flat = flat * n + i
    return flat


def _unflat(flat: int, sizes: Plane) -> Plane:
    place = []
    for n in reversed(sizes):
        flat, i = divmod(flat, n)
        place.append(i)
    return tuple(reversed(place))


def _children(node: ElementTree.Element, kind: str) -> Iterator[ElementTree.Element]:
    return (child for child in node if child.tag.rpartition("}")[2] == kind)


def _number(node: ElementTree.Element, name: str, other: int) -> int:
    return int(node.get(name, other))
