"""What `vaelab explain` kept of a run, for the images that are shown: series, saliency, confounders, meanings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vaelab.catalogue import members
from vaelab.errors import InputError, unknown_name
from vaelab.explanation.exaggeration import Exaggeration
from vaelab.explorer.thumbnails import small
from vaelab.explorer.view import View
from vaelab.runs.confounded import confounders_in
from vaelab.runs.explanations import Meant, arrays_in, names_in, read_meanings, read_warning, series_files, unusable
from vaelab.runs.question import checkpoint_of

MOST_STEPS, SIDE = 16, 64
"""Steps of a series that are shown, evenly spaced in it, and pixels of their longer side at most."""
_SAID = ("rows", "targets", "said", "said_of_reconstructions")


class Explanations:
    """What was explained of a view's run. It is read from the run's folder at each question, so that nothing is old.

    Args:
        view: Whose. Of images that are not the run's own nothing is explained.
    """

    def __init__(self, view: View):
        self.view = view

    def known(self) -> list[dict[str, Any]]:
        """Each explanation: of what, which images, which methods, the gate's warning and the confounders."""
        return [self._about(path) for path in self._files().values()]

    def meanings(self) -> dict[int, Meant]:
        """Latent of the view's stage -> what it means."""
        if self.view.question is None:
            return {}
        try:
            return read_meanings(self.view.run, self.view.stage) or {}
        except InputError:
            return {}  # `known` says so

    def of(self, name: str, place: int) -> dict[str, Any]:
        """What was wanted of the classifier at each step of an image's series, and what it says.

        Args:
            name: Of the explanation.
            place: Of the image.

        Raises:
            InputError: There is no such explanation, or none of this image.
        """
        path = self._path(name)
        methods = _methods(names_in(path))
        arrays = arrays_in(path, (*_SAID, *(f"{method}/said" for method in methods)))
        i = self._index(arrays["rows"], place)
        steps = _steps(arrays["targets"].shape[1])
        return {
            "wanted": arrays["targets"][i, steps].astype(float).tolist(),
            "said": float(arrays["said"][i]),
            "said_of_reconstruction": float(arrays["said_of_reconstructions"][i]),
            "series": {method: arrays[f"{method}/said"][i, steps].astype(float).tolist() for method in methods},
        }

    def series(self, name: str, method: str, place: int) -> np.ndarray:
        """(step, channel, height, width) float32: the images of a series, in stored units, in small.

        Args:
            name: Of the explanation.
            method: One of its methods.
            place: Of the image.

        Raises:
            InputError: There is no such explanation or method, or none of this image.
        """
        images = self._array(name, method, place, "{}/images")
        return small(images[_steps(len(images))].astype(np.float32), SIDE)

    def saliency(self, name: str, kind: str, place: int) -> np.ndarray:
        """(height, width) float32, 0 or more: how much a pixel of the image matters, all channels together.

        Args:
            name: Of the explanation.
            kind: One of its saliencies.
            place: Of the image.

        Raises:
            InputError: There is no such explanation or saliency, or none of this image.
        """
        return self._array(name, kind, place, "saliency/{}").sum(0, dtype=np.float64).astype(np.float32)

    def _array(self, name: str, what: str, place: int, spelt: str) -> np.ndarray:
        """The part of an array that is of this image."""
        path = self._path(name)
        wanted, known = spelt.format(what), names_in(path)
        if wanted not in known:
            start, _, end = spelt.partition("{}")
            there = [each.removeprefix(start).removesuffix(end) for each in known if each.startswith(start)]
            raise unknown_name("what was explained", what, [each for each in there if "/" not in each])
        arrays = arrays_in(path, ("rows", wanted))
        return arrays[wanted][self._index(arrays["rows"], place)]

    def _index(self, rows: np.ndarray, place: int) -> int:
        """Which of the explained images it is."""
        row = int(self.view.rows[place])
        found = np.flatnonzero(rows == row)
        if not len(found):
            raise InputError("the image", f"be one of the {len(rows):,} that were explained", f"#{row}")
        return int(found[0])

    def _files(self) -> dict[str, Path]:
        """Explanation -> its series; the last first."""
        return {} if self.view.question is None else {path.parent.name: path for path in series_files(self.view.run)}

    def _path(self, name: str) -> Path:
        files = self._files()
        if name not in files:
            raise unknown_name("the explanation", name, files)
        return files[name]

    def _about(self, path: Path) -> dict[str, Any]:
        view, named = self.view, {"name": path.parent.name}
        try:
            names = names_in(path)
            arrays = arrays_in(path, ("rows", "known", "what", "best", "checkpoint"))
            best = arrays["best"].item()
            place = {row: i for i, row in enumerate(view.rows.tolist())}
            rows = [int(row) for row in arrays["rows"]]
            return named | {
                "what": arrays["what"].item(),
                "images": [
                    {"at": place.get(row), "row": row, "known": known}
                    for row, known in zip(rows, arrays["known"].tolist(), strict=True)
                ],
                "methods": sorted(
                    map(_method, _methods(names)), key=lambda each: (each["baseline"], each["name"] != best)
                ),
                "saliencies": [each.removeprefix("saliency/") for each in names if each.startswith("saliency/")],
                "warning": read_warning(path.parent),
                "earlier": arrays["checkpoint"].item() != checkpoint_of(view.run),
                "confounders": _confounders(path.parent / "confounders.csv"),
            }
        except InputError as error:
            return named | {"refused": str(error)}
        except (KeyError, ValueError, TypeError) as error:
            return named | {"refused": str(unusable(path, error))}


def _methods(names: list[str]) -> list[str]:
    return [name.removesuffix("/said") for name in names if name.endswith("/said")]


def _method(name: str) -> dict[str, Any]:
    """A series' name, and whether its method is a baseline, beside which the others must stand."""
    family = members(Exaggeration)
    known = [family[each].is_baseline for each in (name, name.rpartition("_")[0]) if each in family]
    return {"name": name, "baseline": bool(known and known[0])}


def _steps(count: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(count, MOST_STEPS)).round().astype(int))


def _confounders(path: Path) -> list[dict[str, Any]]:
    """Of each column the verdict, by the method that reaches most; and how far it moves, beside the baseline."""
    if not path.exists():
        return []
    table = confounders_in(path)
    told = table[table["verdict"].notna() & (table["best"] | table["method"].isna())]
    return [
        {"column": column, "verdict": verdict}
        | {measure: _ends(table, column, measure) for measure in ("moved", "baseline_moved")}
        for column, verdict in zip(told["column"].tolist(), told["verdict"].tolist(), strict=True)
    ]


def _ends(table: pd.DataFrame, column: str, measure: str) -> list[float] | None:
    """The value and the ends of its interval, of the method that reaches most."""
    found = table[table["best"] & (table["column"] == column) & (table["measure"] == measure)]
    values = np.asarray(found[["value", "low", "high"]], float)
    return values[0].tolist() if len(values) and np.isfinite(values[0]).all() else None
