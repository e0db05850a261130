"""Columns by which points are coloured and filtered: of the table, of what was measured, of the code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from vaelab.data.columns import MOST_CLASSES
from vaelab.errors import unknown_name
from vaelab.evaluation import all_metrics, local_neighbourhood
from vaelab.evaluation._derived import DrawnImages
from vaelab.explorer.view import View
from vaelab.metrics import PerImage
from vaelab.runs.results import measure

MOST_CATEGORIES, REPEATED = 1000, 2
"""A column of words with more different values, or where a value is there less than twice in the mean, is no kinds."""
ON_DEMAND = ("fit", "mse", "rate", "elbo")
"""Metrics of each of the run's own images, measured when somebody asks for their colour, and kept with its results."""

LOCAL = ("local_trustworthiness", "local_continuity")
"""How far the nearest codes belong to near images, and the other way round, image by image; likewise on demand."""
_AT_ONCE = 256


@dataclass(frozen=True, eq=False, kw_only=True)
class Column:
    """A value of each image."""

    kind: Literal["numbers", "categories", "text"]
    """Whether it is a scale, kinds, or words that are not repeated."""
    values: np.ndarray
    """(image,): float32, not a number where there is none; of categories int32, their places among the names, or -1."""
    names: tuple[str, ...] = ()
    """Of the categories: those of words with the most frequent first, numbers rising."""


class Columns:
    """The columns of a view, by name; what is dear is computed when it is asked for.

    Args:
        view: Whose.
    """

    def __init__(self, view: View):
        self.view, self._done = view, {str(name): column_of(values) for name, values in view.table.items()}
        self._done |= {name: column_of(pd.Series(view.measured[name]), numbers=True) for name in view.measured}
        self._measured: dict[str, pd.Series] = {}

    def known(self) -> dict[str, Column]:
        """Those that are there."""
        return dict(self._done)

    def add(self, name: str, values: pd.Series) -> None:
        """Takes in a column that was made meanwhile."""
        self._done[name] = column_of(values)

    def measured_now(self) -> dict[str, pd.Series]:
        """Name -> what was measured since the view was opened, one number per image."""
        return dict(self._measured)

    def on_demand(self) -> list[str]:
        """The names of those that would have to be measured."""
        if self.view.images is None:
            return []
        own = () if self.view.question is None else ON_DEMAND
        measures = [name for name, metric in all_metrics(own).items() if isinstance(metric, PerImage)]
        return [name for name in (*measures, *LOCAL) if name not in self._done]

    def column(self, name: str) -> Column:
        """A column; a measure that is not there yet is measured, which takes time.

        Raises:
            InputError: There is none of that name, or it cannot be measured.
        """
        if name in self._done:
            return self._done[name]
        if (found := self._of_code(name)) is not None:
            return found
        if name not in self.on_demand():
            raise unknown_name("the column", name, [*self._done, *self.on_demand()])
        measured = self._of_neighbours() if name in LOCAL else self._of_results(name)
        if name not in measured:
            raise unknown_name("the column", name, self._done)
        for each, values in measured.items():
            if each not in self._done:
                self._measured[each] = values
                self._done[each] = column_of(values, numbers=True)
        return self._done[name]

    def _of_results(self, name: str) -> dict[str, pd.Series]:
        """A measure as it is kept among the run's results."""
        assert self.view.question is not None
        found = measure(self.view.run, self.view.question, [name]).per_image
        return {name: pd.Series(found[name]).reset_index(drop=True)} if name in found else {}

    def _of_neighbours(self) -> dict[str, pd.Series]:
        """How far each image keeps its neighbours, by stored pixels scaled to [0, 1]; of some where there are many."""
        view, drawn = self.view, DrawnImages()
        for places in np.array_split(np.arange(len(view)), range(_AT_ONCE, len(view), _AT_ONCE)):
            drawn.add(view.run.intensity.apply(view.stored(places.tolist())))
        found = np.full((len(LOCAL), len(view)), np.nan)
        found[:, drawn.mask] = local_neighbourhood(view.codes.loc[drawn.mask], drawn.pixels)
        return {name: pd.Series(values) for name, values in zip(LOCAL, found, strict=True)}

    def _of_code(self, name: str) -> Column | None:
        """z3 or z3_scale."""
        found = re.fullmatch(r"z(\d{1,6})(_scale)?", name)
        if found is None or int(found[1]) >= self.view.latent_dim:
            return None
        of = self.view.codes.scale if found[2] else self.view.codes.loc
        return Column(kind="numbers", values=of[:, int(found[1])].astype(np.float32))


def column_of(values: pd.Series, *, numbers: bool = False) -> Column:
    """A column of a table as the explorer takes it.

    Numbers are a scale where more than 20 differ, or where it is said that they are; other values are categories, and
    words of which more than 1,000 differ, or more than half, are text.

    >>> column = column_of(pd.Series(["b", "a", "b", None]))
    >>> column.names, column.values.tolist()
    (('b', 'a'), [0, 1, 0, -1])
    """
    is_number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if is_number and (numbers or values.nunique() > MOST_CLASSES):
        return Column(kind="numbers", values=values.to_numpy(np.float32, na_value=np.nan))
    kinds = values.value_counts(dropna=True)
    if not is_number and (
        len(kinds) > MOST_CATEGORIES or max(MOST_CLASSES, REPEATED * len(kinds)) > len(values) > MOST_CLASSES
    ):
        return Column(kind="text", values=np.full(len(values), -1, np.int32))
    ordered = sorted(kinds.index) if is_number else list(kinds.index)
    codes = pd.Categorical(values, categories=ordered).codes.astype(np.int32)
    words = [f"{float(kind):.7g}" if is_number else str(kind) for kind in ordered]
    return Column(kind="categories", values=codes, names=tuple(words))
