"""`vaelab results`: what was measured of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from vaelab import screen
from vaelab.cli._options import Argument, Quiet
from vaelab.errors import InputError
from vaelab.settings.ranges import PathText

EXAMPLES = """\
example:
  vaelab results runs/mnist-1                   each question that was asked of the run, and where the answer lies

`vaelab compare` sets several runs side by side."""


@dataclass(frozen=True, kw_only=True)
class Options(Quiet):
    """What was measured of a run."""

    runs: Annotated[tuple[PathText, ...], Argument("RUN")]
    """The run's folder."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.runs import load
    from vaelab.runs.results import list_results

    folder, *others = options.runs
    if others:
        mend = f"Set them side by side with: vaelab compare {' '.join(options.runs)}"
        raise InputError("RUN", "be one run", f"{len(options.runs)}", mend)
    results = list_results(load(folder))
    if not results:
        raise InputError(folder, "hold results", "none", f"Measure it: vaelab evaluate {folder}")
    rows = []
    for result in results:
        asked, metrics = result.question, {score.metric for score in result.scores}
        numbers = [f"{asked.num_images:,}", f"{asked.num_samples:,}", f"{asked.seed}", f"{len(metrics)}"]
        known = " ".join(filter(None, (asked.labels, *asked.factors, asked.groups, asked.batches)))
        rows.append([asked.stage, asked.split, *numbers, known, str(result.folder)])
    columns = ["stage", "split", "images", "samples", "seed", "metrics", "known", "folder"]
    screen.table("", columns, rows, left=["stage", "split", "known", "folder"])
    return 0
