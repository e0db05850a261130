"""Selections of images: by query, kept by name, compared, averaged, written out. Each is a mask of the images."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import numpy as np
import pandas as pd
import tifffile

from vaelab.errors import InputError, unknown_name
from vaelab.explanation.differs import Differing, differs
from vaelab.explanation.follows import numbers_of
from vaelab.explanation.measured_features import measured_features
from vaelab.explorer.columns import Columns
from vaelab.explorer.query import chosen
from vaelab.explorer.raw import numbers
from vaelab.explorer.view import View
from vaelab.runs.columns import checked_name, keep_column, kept_columns

MOST_PICTURES, MOST_VALUES = 1000, 1 << 27
"""Images of each selection that are averaged and measured, evenly spaced in it, and pixels times channels of them."""
MOST_WRITTEN = 1 << 28
"""Bytes of images that go into one archive."""
_AT_ONCE = 64
YES, NO = "yes", "no"
"""What a kept selection says of the images in it, and of the others that were shown."""


class Selections:
    """What can be asked about selections of a view's images.

    Args:
        view: Whose.
        columns: The view's columns, to which those that are kept are added.
        beside: Those of the same images by another stage of the model, which are told of what is kept, too.
    """

    def __init__(self, view: View, columns: Columns, beside: Selections | None = None):
        self.view, self.columns = view, columns
        self._together: list[Selections] = beside._together if beside else []
        self._together.append(self)
        kept = kept_columns(view.run.folder, view.run.facts.num_images) if self._is_own else pd.DataFrame()
        self._kept = {str(name): (values.iloc[view.rows] == YES).to_numpy(bool) for name, values in kept.items()}

    @property
    def _is_own(self) -> bool:
        return self.view.question is not None

    def known(self) -> list[dict[str, Any]]:
        """The names of those that are kept, and how many of the images shown are in each."""
        return [{"name": name, "count": int(mask.sum())} for name, mask in dict(self._kept).items()]

    def named(self, name: str) -> np.ndarray:
        """(image,) bool: one that is kept.

        Raises:
            InputError: There is none of that name.
        """
        if name not in self._kept:
            raise unknown_name("the selection", name, self._kept)
        return self._kept[name]

    def chosen(self, query: str) -> np.ndarray:
        """(image,) bool: see `vaelab.explorer.query`.

        Raises:
            InputError: It is no query.
        """
        return chosen(query, self.series)

    def series(self, name: str) -> pd.Series:
        """(image,): a column of the table, of what was measured, or of the codes; its name in any capitals.

        Raises:
            InputError: There is none.
        """
        view = self.view
        found = re.fullmatch(r"z(\d{1,6})(_scale)?", name)
        if found and int(found[1]) < view.latent_dim:
            return pd.Series((view.codes.scale if found[2] else view.codes.loc)[:, int(found[1])])
        frames = {str(key): values for key, values in [*view.table.items(), *view.measured.items()]}
        frames |= {key: pd.Series(np.where(mask, YES, NO)) for key, mask in self._kept.items() if key not in frames}
        frames |= self.columns.measured_now()
        frames.setdefault("row", pd.Series(view.rows))
        near = [key for key in frames if key.lower() == name.lower()]
        if name not in frames and len(near) != 1:
            raise unknown_name("the column", name, [*frames, *(f"z{i}" for i in range(min(view.latent_dim, 10)))])
        return frames[name if name in frames else near[0]].reset_index(drop=True)

    def keep(self, name: str, mask: np.ndarray) -> None:
        """Writes a selection as a column of the run's table: `yes` or `no` for each of the images shown.

        Raises:
            InputError: The images are not the run's own, or the name is none or taken.
        """
        if not self._is_own:
            raise InputError("the images", "be the run's own to keep a selection of them", self.view.on)
        if not mask.any():
            raise InputError("the selection", "hold an image", "none")
        view = self.view
        checked_name(name, [*self.columns.known(), *self.columns.on_demand()])
        values = pd.Series(np.where(mask, YES, NO))
        keep_column(view.run.folder, name, view.rows, values, view.names() if view.images is not None else None)
        for each in self._together:
            each._kept[name] = mask
            each.columns.add(name, values)

    def centres(self, masks: np.ndarray) -> np.ndarray:
        """(selection, latent) float32: the mean of the codes of each."""
        return np.stack([self.view.codes.loc[_some(mask)].mean(0, dtype=np.float64) for mask in masks]).astype(
            np.float32
        )

    def averages(self, masks: np.ndarray) -> np.ndarray:
        """(selection, channel, height, width) float32: the mean of the stored images of each, of some if it is large.

        Raises:
            InputError: The images are not at hand.
        """
        return np.stack([self._mean(self._sample(mask)) for mask in masks])

    def compare(self, first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
        """In what two selections differ: latents, columns, and what is measured of some of their images.

        Images that are in both are left out of both.

        Args:
            first: (image,) bool.
            second: (image,) bool.

        Raises:
            InputError: One has fewer than two images that are not in the other.
        """
        own = [_some(first & ~second, 2), _some(second & ~first, 2)]
        picked = [self._sample(mask) for mask in (first & ~second, second & ~first)]
        groups, known = self._known(np.concatenate(picked) if self.view.images is not None else np.array([], int))
        found = differs(*(known.iloc[places] for places in own))
        order = np.argsort(
            -np.nan_to_num(np.where(found.shown, 1000, 0) + np.abs(found.differences), nan=-1), kind="stable"
        )
        return {
            "counts": [len(places) for places in own],
            "both": int((first & second).sum()),
            "pictures": [len(some) for some in picked] if self.view.images is not None else [0, 0],
            "lines": [_line(found, groups[i], i) for i in order.tolist()],
        }

    def ids(self, mask: np.ndarray) -> str:
        """A CSV: row, image and the table's columns of each image."""
        places = _some(mask)
        names = self.view.names()
        head = pd.DataFrame({"row": self.view.rows[places], "image": [names[place] for place in places]})
        table = self.view.table.iloc[places].reset_index(drop=True)
        own = table[[name for name in table if name not in head]]
        return pd.concat([head, own], axis=1).to_csv(index=False, lineterminator="\n")

    def archive(self, mask: np.ndarray) -> bytes:
        """A ZIP of TIFF files (channel, height, width), with the values that are stored; named by row and name.

        Raises:
            InputError: They are too many for one archive, or not at hand.
        """
        view, places = self.view, _some(mask)
        size = int(np.prod(view.run.facts.image_shape)) * np.dtype(view.run.facts.dtype).itemsize
        if len(places) * size > MOST_WRITTEN:
            raise InputError(
                "the selection", f"hold {MOST_WRITTEN // size:,} images at most to be written", f"{len(places):,}"
            )
        names, content = view.names(), io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for some in _parts(places):
                for place, image in zip(some, view.stored(some.tolist()), strict=True):
                    file = io.BytesIO()
                    tifffile.imwrite(file, image, photometric="minisblack", metadata={"axes": "CYX"})
                    word = re.sub(r"[^A-Za-z0-9._-]+", "_", names[place])[-80:].strip("._")
                    archive.writestr(f"{view.rows[place]:06d}_{word}.tif", file.getvalue())
        return content.getvalue()

    def _known(self, picked: np.ndarray) -> tuple[list[str], pd.DataFrame]:
        """What is known of each image, in numbers, and of which kind each of it is."""
        view = self.view
        codes = pd.DataFrame(view.codes.loc, columns=pd.Index([f"z{i}" for i in range(view.latent_dim)]))
        table = numbers_of(view.table.drop(columns=[name for name in view.table if name in self._kept]))
        measured = pd.DataFrame({**dict(view.measured.items()), **self.columns.measured_now()})
        measured = measured.select_dtypes("number").reset_index(drop=True)
        parts = {"latent": codes, "column": table, "measured": measured}
        if len(picked):
            features = pd.concat([self._features(some) for some in _parts(picked)], ignore_index=True)
            parts["feature"] = features.set_axis(picked).reindex(range(len(view)))
        groups = [group for group, part in parts.items() for _ in part.columns]
        return groups, pd.concat([part.reset_index(drop=True) for part in parts.values()], axis=1)

    def _features(self, places: np.ndarray) -> pd.DataFrame:
        scaled = self.view.run.intensity.apply(self.view.stored(places.tolist()))
        return measured_features(scaled, self.view.run.channels)

    def _sample(self, mask: np.ndarray) -> np.ndarray:
        """Some of a selection's images, evenly spaced in it."""
        places = _some(mask)
        most = max(8, min(MOST_PICTURES, MOST_VALUES // int(np.prod(self.view.run.facts.image_shape))))
        return places[np.unique(np.linspace(0, len(places) - 1, min(len(places), most)).astype(np.int64))]

    def _mean(self, places: np.ndarray) -> np.ndarray:
        total = sum(self.view.stored(some.tolist()).sum(0, dtype=np.float64) for some in _parts(places))
        return np.asarray(total / len(places), np.float32)


def masks(body: bytes, count: int, least: int = 1, most: int = 2) -> np.ndarray:
    """(selection, image) bool: masks one after another, a bit for each image, the lowest first, each in whole bytes.

    Raises:
        InputError: They are not so many or not so long.
    """
    size = -(-count // 8)
    number, rest = divmod(len(body), size)
    if rest or not least <= number <= most:
        raise InputError("the body", f"be {least} to {most} masks of {size} bytes", f"{len(body)} bytes")
    bits = np.frombuffer(body, np.uint8).reshape(number, size)
    return np.unpackbits(bits, axis=1, count=count, bitorder="little").astype(bool)


def _some(mask: np.ndarray, least: int = 1) -> np.ndarray:
    places = np.flatnonzero(mask)
    if len(places) < least:
        words = "an image" if least == 1 else f"{least} images or more that are not in the other"
        raise InputError("the selection", f"hold {words}", len(places))
    return places


def _parts(places: np.ndarray) -> list[np.ndarray]:
    return [places[start : start + _AT_ONCE] for start in range(0, len(places), _AT_ONCE)]


def _line(found: Differing, group: str, i: int) -> dict[str, Any]:
    """One of what is known, for the page."""
    ends = numbers(np.array([found.means[0, i], found.means[1, i], found.differences[i], found.low[i], found.high[i]]))
    keys = ("first", "second", "difference", "low", "high")
    return {"name": found.names[i], "group": group, "shown": bool(found.shown[i]), **dict(zip(keys, ends, strict=True))}
