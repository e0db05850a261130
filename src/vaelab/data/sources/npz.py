"""NumPy files: an array of images, and in .npz archives any arrays that describe them."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal

import numpy as np
import pandas as pd

from vaelab.data.assemble import name_channels
from vaelab.data.collection import ImageCollection
from vaelab.data.files import locate
from vaelab.data.limits import Unreadable, check_file
from vaelab.data.pixels import to_stored
from vaelab.data.sources._base import Source
from vaelab.data.stored import read
from vaelab.errors import InputError, unknown_name
from vaelab.files import replacing
from vaelab.settings.ranges import PathText

Layout = Literal["auto", "channels_first", "channels_last"]
MOST_CHANNELS = 30
SMALLEST_SIDE = 8
MOST_COLUMNS = 64
COLUMN_KINDS = "biufUmM"
"""Numbers, truth values, texts, spans and dates."""
USUAL_NAMES = ("images", "imgs", "x", "data", "arr_0")
SAVED = "vaelab_collection"


@dataclass(frozen=True, kw_only=True)
class NpzSource(Source):
    """An .npy array, memory-mapped, or an .npz archive with an array of images and any others.

    Arrays with one entry per image become columns of the table; those with a row of up to 64 entries per image become
    as many columns, named after `<name>_names` where that array fits, else numbered. Whole numbers beside an array
    `<name>_names` that they point into become those names. Arrays of Python objects, which could run code, are not
    read. Archives written by `save_npz` are read back exactly.
    """

    opens: ClassVar[str] = "an .npy or .npz file"

    path: PathText
    """The .npz or .npy file."""
    images: str = ""
    """Name of the array of images in an .npz; left out, the only one that can be it, else the one called images."""
    layout: Layout = "auto"
    """Which axis of four holds the channels: auto refuses where both could."""
    channels: tuple[str, ...] = ()
    """Names of the channels; left out, the archive's array channels or channel_names where it fits."""

    @classmethod
    def recognises(cls, place: Path, names: Sequence[str]) -> int:
        """See Source."""
        return 3 if place.suffix.lower() in (".npy", ".npz") and not place.is_dir() else 0

    def load(self, *, strict: bool = False, progress: bool = False) -> ImageCollection:
        """See Source. The images of an .npz are held in memory, those of an .npy are mapped."""
        place = locate(self.path, "path", folder=False)
        be = "be a whole .npz or .npy file"
        try:
            with open(place, "rb") as file:
                packed = file.read(2) == b"PK"
                file.seek(0)
                arrays, unread = read_arrays(file, place.stat().st_size) if packed else ({"": _mapped(place)}, [])
        except Unreadable as error:
            raise InputError("path", be, f"{self.path!r}, which {error}") from None
        except OSError as error:
            raise InputError("path", be, f"{self.path!r} ({error.strerror or error})") from None
        except Exception as error:  # a hostile header may raise anything
            reason = "pickled objects" if "allow_pickle" in str(error) else "damaged or cut short"
            raise InputError("path", be, f"{self.path!r} ({reason})") from None
        if not packed:
            return self._collection("the array", arrays[""], {})
        if SAVED in arrays:
            try:
                return _restored(arrays)
            except Exception:  # an altered record may be wrong in any way
                be, mend = "be an archive as save_npz wrote it", "Write it again."
                raise InputError("path", be, f"{self.path!r}, whose record does not fit its arrays", mend) from None
        name = self._images_name(arrays, unread)
        return self._collection(name, arrays.pop(name), arrays, tuple(unread))

    def _images_name(self, arrays: Mapping[str, np.ndarray], unread: Sequence[str]) -> str:
        if self.images:
            if self.images not in arrays:
                raise unknown_name("images", self.images, arrays)
            return self.images
        found = [name for name, array in arrays.items() if _could_be_images(array)]
        usual = [name for name in found if name.lower() in USUAL_NAMES]
        if len(found) == 1 or len(usual) == 1:
            return usual[0] if len(usual) == 1 else found[0]
        shapes = ", ".join(f"{name} {arrays[name].shape}" for name in found or arrays)
        got = f"{'several that could be' if found else 'none among'}: {shapes or 'no arrays'}"
        got += f" ({unread[0]})" if unread and not found else ""
        raise InputError("images", "name the array of images", got, "Set source.images.")

    def _collection(
        self, name: str, array: np.ndarray, others: Mapping[str, np.ndarray], notes: tuple[str, ...] = ()
    ) -> ImageCollection:
        images = self._stored(name, _planes(name, array, self.layout))
        found = next((others[key] for key in ("channels", "channel_names") if key in others), None)
        numbers = tuple(map(str, range(images.shape[1])))
        fits = found is not None and found.dtype.kind == "U" and found.shape == (images.shape[1],)
        names = tuple(map(str, found)) if found is not None and fits else numbers
        if len(set(names)) < len(names):
            names = numbers
        if found is not None and names is numbers and not self.channels:
            notes = (*notes, f"the channels' names are not read, as they are not {len(numbers)} different texts")
        channels = name_channels(self.channels, names)
        table, unused = _columns(others, len(images))
        return ImageCollection(images=images, table=table, channels=channels, notes=(*notes, *unused))

    def _stored(self, name: str, images: np.ndarray) -> np.ndarray:
        """The narrowest pixel type that holds every value, where the array has none of a collection's."""
        if images.dtype in (np.uint8, np.uint16, np.float32):
            return images
        try:
            if images.dtype.kind in "iu" and images.min() >= 0 and images.max() < 1 << 16:
                return images.astype(np.uint8 if images.max() < 1 << 8 else np.uint16)
            return to_stored(images)
        except Unreadable as error:
            raise InputError(f"{name} in {self.path}", "hold pixels", f"an array that {error}") from None


def save_npz(collection: ImageCollection, path: str | Path) -> None:
    """Writes a collection as an .npz archive that the source `npz` reads back exactly, and that NumPy reads too.

    Args:
        collection: Images, table, channel names, factors and left-out files are all kept.
        path: Where to; an existing file is replaced when the new one is whole.

    Raises:
        InputError: A column holds other values than numbers, truth values, texts, dates or classes; or the file
            cannot be written.
    """
    place = Path(os.path.expanduser(path))
    images = read(collection.images, np.arange(len(collection)))
    arrays: dict[str, np.ndarray] = {"images": images, "channels": np.array(collection.channels, dtype=str)}
    columns = []
    for name in collection.table.columns:
        kind, parts = _packed(str(name), pd.Series(collection.table[name]))
        columns.append({"name": str(name), "kind": kind})
        arrays |= {f"table/{name}{suffix}": array for suffix, array in parts.items()}
    record = {"columns": columns, "factors": collection.factors, "left_out": collection.left_out}
    arrays[SAVED] = np.array(json.dumps(record))
    with replacing(place, "the output") as part, part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)  # pyright: ignore[reportArgumentType]


def _packed(name: str, column: pd.Series) -> tuple[str, dict[str, np.ndarray]]:
    """The column's kind and its arrays, by the ending of their name."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        _, parts = _packed(name, pd.Series(column.cat.categories))
        ordered = "ordered" if column.cat.ordered else "classes"
        return ordered, {"": column.cat.codes.to_numpy(), **{f"/classes{key}": part for key, part in parts.items()}}
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biufmM":
        return "array", {"": column.to_numpy()}
    missing = column.isna().to_numpy(bool)
    texts = column.to_numpy(object)
    if not all(isinstance(text, str) for text in texts[~missing]):
        be = "hold numbers, truth values, texts, dates or classes"
        raise InputError(f"column {name!r}", be, f"{column.dtype} values of several kinds")
    parts = {"": np.array(["" if gap else text for text, gap in zip(texts, missing, strict=True)], dtype=str)}
    return "text", parts | ({"/missing": missing} if missing.any() else {})


def _restored(arrays: Mapping[str, np.ndarray]) -> ImageCollection:
    record, images = json.loads(str(arrays[SAVED])), arrays["images"]
    if images.ndim != 4 or images.dtype not in (np.uint8, np.uint16, np.float32) or not images.size:
        raise ValueError("images of another form")
    table = pd.DataFrame(index=pd.RangeIndex(len(arrays["images"])))
    for column in record["columns"]:
        table[column["name"]] = _unpacked(arrays, f"table/{column['name']}", column["kind"])
    channels, factors = tuple(map(str, arrays["channels"])), tuple(record["factors"])
    if len(set(channels)) != images.shape[1] or len(channels) != images.shape[1] or set(factors) - set(table.columns):
        raise ValueError("names that fit no channel or column")
    left_out = tuple((str(name), str(reason)) for name, reason in record["left_out"])
    return ImageCollection(images=images, table=table, channels=channels, factors=factors, left_out=left_out)


def _unpacked(arrays: Mapping[str, np.ndarray], key: str, kind: str) -> Any:
    if kind in ("ordered", "classes"):
        values = f"{key}/classes"
        classes = _unpacked(arrays, values, "text" if arrays[values].dtype.kind == "U" else "array")
        return pd.Categorical.from_codes(arrays[key], categories=pd.Index(classes), ordered=kind == "ordered")
    if kind == "array":
        return arrays[key]
    missing = arrays.get(f"{key}/missing")
    texts = arrays[key].astype(object)
    if missing is not None:
        texts[missing] = None
    return pd.Series(texts.tolist()) if len(texts) else pd.Series([], dtype=str)


def read_arrays(
    file: BinaryIO, size: int, only: Container[str] | None = None
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Every array that holds no Python objects, and a note on each member that is not read.

    Args:
        file: The archive.
        size: Its bytes.
        only: Names of those that are wanted; None: all.

    Raises:
        Unreadable: They would unpack to too much, or an array promises more than its member holds.
    """
    arrays, unread = {}, []
    with np.load(file, allow_pickle=False) as archive:
        infos = archive.zip.infolist()
        check_file(sum(info.file_size for info in infos), size)
        members = {info.filename.removesuffix(".npy"): info for info in infos}
        if len(members) < len(infos):
            raise Unreadable("holds two arrays of one name")
        for name, info in members.items():
            if only is not None and name not in only:
                continue
            if not info.filename.endswith(".npy"):
                unread.append(f"{name!r} is not read, as it is no array")
                continue
            with archive.zip.open(info) as member:
                promised, kind = _promise(member)
            if kind.hasobject:
                fix = "save it as numbers or text, such as labels.astype(str)"
                unread.append(f"the array {name!r} is not read, as it holds Python objects: {fix}")
            elif promised > info.file_size:
                raise Unreadable(f"promises {promised:,} bytes in its array {name!r} and holds fewer")
            else:
                arrays[name] = as_text(archive[name])
    return arrays, unread


def _mapped(place: Path) -> np.ndarray:
    with place.open("rb") as file:
        promised, kind = _promise(file)
        held = place.stat().st_size - file.tell()
    if promised != held or kind.hasobject:
        raise Unreadable("holds objects of Python" if kind.hasobject else f"holds {held:,} bytes, not {promised:,}")
    return np.load(place, mmap_mode="r", allow_pickle=False)


def _promise(member: Any) -> tuple[int, np.dtype]:
    """Bytes of an array by its head, and its type; the file stands behind the head afterwards."""
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read(member)
    if any(length < 0 for length in shape):
        raise ValueError("a negative length")
    return math.prod(shape) * kind.itemsize, kind


def as_text(array: np.ndarray) -> np.ndarray:
    """The array, its bytes (b'DMSO') as the text that they are in UTF-8, else in Latin-1."""
    if array.dtype.kind != "S":
        return array
    try:
        return np.strings.decode(array, "utf-8")
    except UnicodeDecodeError:
        return np.strings.decode(array, "latin-1")


def _could_be_images(array: np.ndarray) -> bool:
    sides = sorted(array.shape[1:])[-2:]
    return array.ndim in (3, 4) and array.dtype.kind in "biuf" and len(array) > 0 and min(sides) >= SMALLEST_SIDE


def _planes(name: str, array: np.ndarray, layout: Layout) -> np.ndarray:
    """The array as (image, channel, height, width): a view."""
    if array.ndim not in (3, 4) or array.dtype.kind not in "biuf" or 0 in array.shape:
        got = f"{array.shape} {array.dtype}"
        be = "be numbers of shape (image, height, width), or with channels first or last of each image"
        raise InputError(f"the images ({name})", be, got)
    if array.ndim == 3:
        return array[:, None]
    if layout != "auto":
        return array if layout == "channels_first" else np.moveaxis(array, -1, 1)
    _, a, b, c = array.shape
    first = a <= MOST_CHANNELS and min(b, c) >= SMALLEST_SIDE
    last = c <= MOST_CHANNELS and min(a, b) >= SMALLEST_SIDE
    if first == last:
        got = f"{array.shape}, where {'both are possible' if first else 'neither fits'}"
        mend = "Set source.layout to channels_first or channels_last."
        raise InputError(f"the images ({name})", "have at most 30 channels first or last of each image", got, mend)
    return array if first else np.moveaxis(array, -1, 1)


def _columns(arrays: Mapping[str, np.ndarray], count: int) -> tuple[pd.DataFrame, list[str]]:
    """What the arrays say of each image, and notes of those that say nothing of each."""
    columns: dict[str, np.ndarray] = {}
    unused = []
    for name, array in arrays.items():
        names = arrays.get(f"{name}_names", arrays.get(f"{name.removesuffix('s')}_names"))
        names = names if names is not None and names.ndim == 1 and names is not array else None
        if array.dtype.kind not in COLUMN_KINDS:
            unused.append(
                f"the array {name!r} is not read, as its {array.dtype} values are no numbers, truth values or texts"
            )
        elif array.shape == (count,):
            points = names is not None and array.dtype.kind in "iu" and array.min() >= 0 and array.max() < len(names)
            columns[name] = names[array] if names is not None and points else array
            if names is not None and not points and array.dtype.kind in "biuf":
                reach = f"codes go from {array.min()} to {array.max()} and there are {len(names):,} names"
                reason = reach if array.dtype.kind in "iu" else f"codes are {array.dtype}, no whole numbers"
                unused.append(f"the names of {name!r} are not used, as its {reason}")
        elif array.ndim == 2 and len(array) == count and array.shape[1] <= MOST_COLUMNS:
            heads = names if names is not None and len(names) == array.shape[1] else range(array.shape[1])
            named = names is not None and heads is names
            columns |= {str(head) if named else f"{name}_{head}": array[:, i] for i, head in enumerate(heads)}
            if names is not None and not named:
                reason = f"it has {array.shape[1]} columns and there are {len(names):,} names"
                unused.append(f"the names of {name!r} are not used, as {reason}")
        elif not name.endswith("_names") and name != "channels":
            fits = f"one value, or up to {MOST_COLUMNS}, for each of {count:,} images"
            unused.append(f"the array {name!r} of shape {array.shape} is not read, as it has not {fits}")
    return pd.DataFrame(columns, index=pd.RangeIndex(count)), unused
