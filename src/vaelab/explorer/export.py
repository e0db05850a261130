"""A static copy of the explorer in a folder: its page, and what the page asks for as files, so that it needs no server.

Every answer is a script, ``data/K-NAME.js``, as a page that is opened as a file may read no others: it calls
``vaelabFile`` with JSON, or with an array's shape, type and bytes in base64.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from vaelab import files
from vaelab.errors import InputError
from vaelab.explorer.answers import Answers, in_words
from vaelab.explorer.bundle import page_files
from vaelab.explorer.maps import Plane
from vaelab.explorer.pair import run_names
from vaelab.explorer.thumbnails import small
from vaelab.explorer.view import View
from vaelab.screen import Progress

MOST_CODES = 1 << 24
"""Images times latents."""
MOST_PICTURES = 32 << 20
"""Bytes of the pictures of all images, of those that the model draws of them, and of decoded places: they are made as
small as that asks."""
SIDES = (128, 96, 64, 48, 32, 24, 16, 12, 8)
"""Pixels of a picture's longer side, where it is not that of the image; where the last are too many there are none."""
MOST_WORDS = 4 << 20
"""Letters of columns of words that are not repeated."""
GRID = 15
"""Decoded places along each axis of two grids: over two principal axes, and over the two latents that say most."""
_AT_ONCE = 64
_POLICY = "default-src 'none'; script-src 'self' file:; style-src 'self' file:; img-src 'self' file: data: blob:"


def check_target(folder: Path) -> None:
    """Refuses a folder in which something is, and a place where none can be made.

    Raises:
        InputError: It is such.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError("export", "be a new folder", f"{folder}, which holds files", "Choose another, or empty it.")
    if folder.exists() and not folder.is_dir():
        raise InputError("export", "be a folder", f"the file {folder}")
    files.check_folder(folder.absolute().parent)


def export(views: Sequence[View], folder: Path | str, *, progress: bool = False) -> Path:
    """Writes the page and its data, whole or not at all, and gives the page: open it as a file, or from any server.

    Points and their codes, columns, selections, pictures as large as there is room for, reconstructions, and two grids
    of decoded places are there; what the model would have to be asked for is not shown.

    Args:
        views: One, or two of the same images; see `vaelab.explorer.pair.together`.
        folder: A new one, or an empty one.
        progress: Show a progress bar.

    Raises:
        InputError: The folder holds files or cannot be written; or there are too many images for a copy.
    """
    folder = Path(os.path.abspath(folder))
    check_target(folder)
    for view in views:
        if view.codes.loc.size > MOST_CODES:
            got, most = f"{len(view):,}", MOST_CODES // view.latent_dim
            mend = "Show fewer with --on, such as a folder with some of them."
            raise InputError("the images", f"be {most:,} at most in a copy with {view.latent_dim} latents", got, mend)
    names = run_names(views)
    try:
        with files.being_written(folder) as place:
            part = place / folder.name
            (part / "data").mkdir(parents=True)
            _write_page(part)
            for k, view in enumerate(views):
                _Written(part / "data", k, Answers(view), names, progress).write()
            with suppress(FileNotFoundError):
                folder.rmdir()
            files.put(part, folder)
    except OSError as error:
        raise InputError("export", "be a folder that can be written", f"{folder} ({error.strerror})") from None
    return folder / "index.html"


def _write_page(folder: Path) -> None:
    page = page_files()
    index = page.pop("index.html")
    index = index.replace('<html lang="en">', '<html lang="en" data-copy>')
    index = index.replace("<title>", f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n<title>')
    (folder / "index.html").write_text(index, encoding="utf-8")
    for name, content in page.items():
        (folder / name).write_text(content, encoding="utf-8")


class _Written:
    """The files of one run."""

    def __init__(self, folder: Path, k: int, answers: Answers, names: Sequence[str], progress: bool):
        self.folder, self.k, self.answers, self.names, self.progress = folder, k, answers, names, progress
        self.view = answers.view

    def write(self) -> None:
        view, answers = self.view, self.answers
        about = answers.about()
        about |= {"runs": self.names, "path": "", "own": False, "on_demand": []}
        copy: dict[str, Any] = {"of_table": len(view.table.columns)}
        self.array("rows", view.rows.astype(np.int32))
        self.array("codes", view.codes.loc.astype(np.float32))
        self.array("PCA", answers.maps.pca.points.astype(np.float32))
        kept = [name for name, is_there in about["maps"]["curved"].items() if is_there]
        about["maps"] = {"curved": dict.fromkeys(kept, True)}
        for i, name in enumerate(kept):
            self.array(f"map-{i}", answers.maps.points(name).astype(np.float32))
        self.array("typical", answers.neighbours.typical.astype(np.float32))
        self.json("names", answers.view.names())
        selections = answers.selections.known()
        self.json("selections", selections)
        for i, each in enumerate(selections):
            self.array(f"selection-{i}", answers.selections.named(each["name"]).astype(np.uint8))
        about["columns"], left_out = self.columns()
        side = self.side_of(len(view)) if view.images is not None else 0
        about["images"] = side > 0
        copy |= self.pictures(side) if side else {"chunk": 1}
        about["image_shape"] = self.grid(side)
        about["notes"] += [*self.said(side, left_out)]
        self.json("about", {**about, "copy": copy})

    def columns(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Heads of those that are written, and names of those that are left out."""
        heads, left_out, room = [], list[str](), MOST_WORDS
        for head in self.answers.column_heads():
            column = self.answers.columns.column(head["name"])
            if column.kind != "text":
                self.array(f"column-{len(heads)}", column.values)
            else:
                words = [in_words(value) for value in self.view.table[head["name"]]]
                room -= sum(map(len, words))
                if room < 0:
                    left_out.append(head["name"])
                    continue
                self.json(f"column-{len(heads)}", words)
            heads.append(head)
        return heads, left_out

    def side_of(self, number: int) -> int:
        """Pixels of the longer side of so many pictures for which there is room; 0: there is none."""
        channels, height, width = self.view.run.facts.image_shape
        longer, share = max(height, width), min(height, width) / max(height, width)
        each = number * channels * np.dtype(self.view.run.facts.dtype).itemsize * share
        sides = [longer, *(side for side in SIDES if side < longer)]
        return next((side for side in sides if each * side * side <= MOST_PICTURES), 0)

    def pictures(self, side: int) -> dict[str, int]:
        """Those of the images as stored, and as the model draws them again, in the same units."""
        view, step = self.view, _AT_ONCE
        starts = range(0, len(view), step)
        with Progress("drawing", len(view), shown=self.progress) as bar:
            for i, start in enumerate(starts):
                places = [*range(start, min(start + step, len(view)))]
                self.array(f"pixels-{i}", small(view.stored(places), side))
                self.array(f"drawn-{i}", self.stored_type(small(view.reconstructed(places), side)))
                bar.advance(len(places))
        self.array("quantiles", self.answers.quantiles)
        return {"chunk": step}

    def grid(self, side: int) -> list[int]:
        """Decoded places over the principal axes and over two latents, the mean of all codes first.

        Args:
            side: Pixels of the images' pictures; 0: there are none.

        Returns:
            The shape of a picture.
        """
        view, pca = self.view, self.answers.maps.pca
        mean = view.codes.loc.mean(0, dtype=np.float64)
        first = [int(latent) for latent in view.latents_in_order()[:2]]
        unit = np.eye(view.latent_dim)[[first[0], first[-1]]] * np.array([[1.0], [len(first) - 1.0]])
        flat = Plane(points=view.codes.loc[:, [first[0], first[-1]]], directions=unit, centre=np.zeros(view.latent_dim))
        codes = np.concatenate([mean[None], *(_over(plane, mean) for plane in (pca, flat))]).astype(np.float32)
        codes = codes[np.sort(np.unique(codes, axis=0, return_index=True)[1])]
        side = min(side or MOST_PICTURES, max(self.side_of(len(codes)), SIDES[-1]))
        drawn = [small(view.decoded(codes[start : start + 16]), side) for start in range(0, len(codes), 16)]
        found = self.stored_type(np.concatenate(drawn))
        self.array("places", codes)
        self.array("decoded", found)
        return [*found.shape[1:]]

    def stored_type(self, values: np.ndarray) -> np.ndarray:
        """Values in stored units, in the type that is stored."""
        kind = np.dtype(self.view.run.facts.dtype)
        if kind.kind == "f":
            return values.astype(np.float32)
        ends = np.iinfo(kind)
        return np.clip(np.rint(values), ends.min, ends.max).astype(kind)

    def said(self, side: int, left_out: Sequence[str]) -> list[str]:
        """What a reader should know of this copy."""
        longest = max(self.view.run.facts.image_shape[1:])
        words = ["This is a copy without a server: the model draws only the images shown and two grids of places"]
        if self.view.images is not None and not side:
            words.append("There are too many images for pictures of them")
        elif side and side < longest:
            words.append(f"Pictures have sides of {side} pixels at most, those stored {longest}")
        if left_out:
            words.append(f"Columns of words that are too long for a copy are left out: {', '.join(left_out)}")
        return words

    def json(self, name: str, value: Any) -> None:
        """Writes words and numbers."""
        self._write(name, {"json": value})

    def array(self, name: str, values: np.ndarray) -> None:
        """Writes an array as it lies in memory, lowest byte first."""
        values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
        content = base64.b64encode(values.tobytes()).decode()
        self._write(name, {"shape": values.shape, "type": values.dtype.name, "bytes": content})

    def _write(self, name: str, value: dict[str, Any]) -> None:
        text = f"vaelabFile({json.dumps(f'{self.k}-{name}')}, {json.dumps(value)});\n"
        (self.folder / f"{self.k}-{name}.js").write_text(text, encoding="utf-8")


def _over(plane: Plane, mean: np.ndarray) -> np.ndarray:
    """(code, latent): places over a map, as far as nearly all images lie, in the plane through the mean code."""
    low, high = np.quantile(plane.points, [0.005, 0.995], axis=0)
    across, upward = (np.linspace(low[i], high[i], GRID) for i in (0, 1))
    here = plane.directions @ (mean - plane.centre)
    steps = np.stack(np.meshgrid(across - here[0], upward - here[1]), -1).reshape(-1, 2)
    return mean + steps @ plane.directions
