"""How far the runs of a study are, in numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from vaelab.errors import InputError
from vaelab.runs import read
from vaelab.studies._study import StudyRun


def how_far(run: StudyRun) -> dict[str, float]:
    """Steps, seconds of training over all resumptions, and the last ELBO on validation images; those that are known."""
    if not run.is_begun:
        return {}
    try:
        log = read(run.folder).metrics()
    except InputError:
        return {}
    found = {}
    if len(log):
        found["steps"] = float(log["step"].max())
    if "seconds" in log:
        found["seconds"] = _seconds(pd.Series(log["seconds"]))
    held_out = log[(log["split"] == "validation") & (log["stage"] == "")]
    if "elbo" in log and len(held_out):
        found["elbo"] = float(held_out["elbo"].iloc[-1])
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _seconds(column: pd.Series) -> float:
    """The sum of the ends of each stretch: the clock of a resumed training begins again.

    >>> _seconds(pd.Series([1.0, 2.0, 0.5, 1.5]))
    3.5
    """
    values = column.dropna().to_numpy(dtype=np.float64)
    ends = np.append(np.diff(values) < 0, True) if len(values) else np.zeros(0, bool)
    return float(values[ends].sum())
