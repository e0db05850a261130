"""CelebA's layout: a folder of images beside a file of attributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from vaelab.data.assemble import assemble
from vaelab.data.cache import Item
from vaelab.data.collection import ImageCollection
from vaelab.data.files import File, is_image_name, list_files, locate
from vaelab.data.pixels import Pair, PixelReader
from vaelab.data.sources._base import Source
from vaelab.data.tables import read_table
from vaelab.errors import InputError
from vaelab.settings.ranges import PathText

PARTS = {0: "train", 1: "validation", 2: "test"}


@dataclass(frozen=True, kw_only=True)
class CelebaSource(Source):
    """Faces with attributes: `list_attr_celeba.txt` (or .csv) and below the same folder the images that it names.

    The table has `path`, one column of 0 and 1 per attribute (the file's -1 and 1), and `split` (train, validation,
    test) where `list_eval_partition.txt` (or .csv) is there. Common in papers: crop 148 148, size 64 64.

    *Source*: Z. Liu, P. Luo, X. Wang, X. Tang, Deep Learning Face Attributes in the Wild, ICCV 2015,
    https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html
    """

    opens: ClassVar[str] = "a folder in CelebA's layout"

    path: PathText
    """The folder."""
    crop: Pair | None = None
    """Height and width of the centre to keep, in pixels."""
    size: Pair | None = None
    """Height and width to resize to, in pixels, after the crop."""

    @classmethod
    def recognises(cls, place: Path, names: Sequence[str]) -> int:
        """See Source."""
        return 3 if _find_attributes(place) else 0

    def load(self, *, strict: bool = False, progress: bool = False) -> ImageCollection:
        """See Source."""
        folder = locate(self.path, "path", folder=True)
        facts = _attributes(folder)
        parts = _partition(folder)
        if parts is not None:
            numbers = facts.index.map(parts)
            if numbers.isna().any():
                got = f"{facts.index[numbers.isna()][0]} without one"
                raise InputError("list_eval_partition", "give a part (0, 1 or 2) to each image", got)
            facts["split"] = [PARTS[int(number)] for number in numbers]
        files = {file.name.rsplit("/", 1)[-1]: file for file in list_files(folder, "path") if is_image_name(file.name)}
        listed = [files.get(name, File(name, "", problem="is listed but not there")) for name in facts.index]
        left_out = [(file.name, file.problem) for file in listed if file.problem]
        left_out += [(files[name].name, "has no attributes") for name in sorted(files.keys() - set(facts.index))]
        good = np.array([not file.problem for file in listed], bool)
        items = [Item(file.name, (file,)) for file in listed if not file.problem]
        paths = pd.DataFrame({"path": [item.name for item in items]})
        table = pd.concat([paths, facts.loc[good].reset_index(drop=True)], axis=1)
        reader = PixelReader(crop=self.crop, size=self.size)
        return assemble(items, table, reader, left_out=left_out, strict=strict, progress=progress)


def _find_attributes(folder: Path) -> Path | None:
    """The attribute file of CelebA's layout, if the folder has one."""
    return _beside(folder, "list_attr_celeba")


def _beside(folder: Path, name: str) -> Path | None:
    places = [folder / part / f"{name}{ending}" for part in (".", "Anno", "Eval") for ending in (".txt", ".csv")]
    return next((place for place in places if place.is_file()), None)


def _attributes(folder: Path) -> pd.DataFrame:
    """0 or 1 for each attribute (column) of each image (index: its file name)."""
    place = _find_attributes(folder)
    if place is None:
        be = "be a folder with list_attr_celeba.txt or list_attr_celeba.csv"
        raise InputError("path", be, repr(str(folder)))
    try:
        if place.suffix == ".csv":
            files, *attributes = read_table(place, place.name).columns.items()
            values = {name: np.array(cells).astype(np.int64) for name, cells in attributes}
            table = pd.DataFrame(values, index=pd.Index(files[1]))
        else:
            lines = place.read_text(encoding="utf-8").splitlines()
            rows = [line.split() for line in lines[2:] if line.strip()]
            names = lines[1].split() if len(lines) > 1 else []
            values = np.array([row[1:] for row in rows]).astype(np.int64)
            table = pd.DataFrame(values, index=pd.Index([row[0] for row in rows]), columns=pd.Index(names))
            if lines and int(lines[0]) != len(rows):
                raise ValueError(f"{len(rows):,} images, not the {int(lines[0]):,} of its first line")
        if not len(table) or not table.isin([-1, 0, 1]).to_numpy().all() or table.index.has_duplicates:
            raise ValueError("no images, an image twice, or values other than -1 and 1")
    except InputError:
        raise
    except (ValueError, OSError, IndexError) as error:
        reason = str(error).splitlines()[0]
        be = "list a file name and a -1 or 1 per attribute in each line"
        raise InputError(place.name, be, reason, "Fetch it again.") from None
    table.index = table.index.astype(str)
    return (table > 0).astype(np.uint8)


def _partition(folder: Path) -> dict[str, int] | None:
    place = _beside(folder, "list_eval_partition")
    if place is None:
        return None
    try:
        if place.suffix == ".csv":
            pairs = zip(*read_table(place, place.name).columns.values(), strict=True)
        else:
            pairs = [line.split() for line in place.read_text(encoding="utf-8").splitlines() if line.strip()]
        parts = {name: int(number) for name, number in pairs}
        if not set(parts.values()) <= set(PARTS):
            raise ValueError("other parts than 0, 1 and 2")
    except InputError:
        raise
    except (ValueError, OSError) as error:
        raise InputError(place.name, "list a file name and a part (0, 1 or 2) in each line", str(error)) from None
    return parts
