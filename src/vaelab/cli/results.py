"""`vaelab results`: what was measured of a run, and the scores of several runs side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

from vaelab import screen
from vaelab.cli._options import Argument, Quiet
from vaelab.errors import InputError
from vaelab.settings.ranges import PathText

if TYPE_CHECKING:
    from vaelab.metrics import Score
    from vaelab.runs import Run
    from vaelab.runs.results import Result

EXAMPLES = """\
examples:
  vaelab results runs/mnist-1                   each question that was asked of the run, and where the answer lies
  vaelab results runs/mnist-1 runs/mnist-2      the scores of both, where both were asked the same

Log-likelihoods, ELBOs and distortions stand side by side only where the runs' likelihoods speak of the same data."""


@dataclass(frozen=True, kw_only=True)
class Options(Quiet):
    """What was measured of runs; of several, side by side."""

    runs: Annotated[tuple[PathText, ...], Argument("RUN")]
    """Folders of runs."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.runs import load
    from vaelab.runs.results import list_results

    if len(set(options.runs)) < len(options.runs):
        raise InputError("RUN", "name each run once", " ".join(options.runs))
    runs = {folder: load(folder) for folder in options.runs}
    found = {folder: list_results(trained) for folder, trained in runs.items()}
    for folder, results in found.items():
        if not results:
            raise InputError(folder, "hold results", "none", f"Measure it: vaelab evaluate {folder}")
    if len(runs) == 1:
        _list(found[options.runs[0]])
    else:
        _compare(runs, found)
    return 0


def _list(results: list[Result]) -> None:
    rows = []
    for result in results:
        asked, metrics = result.question, {score.metric for score in result.scores}
        numbers = [f"{asked.num_images:,}", f"{asked.num_samples:,}", f"{asked.seed}", f"{len(metrics)}"]
        known = " ".join(filter(None, (asked.labels, *asked.factors, asked.groups, asked.batches)))
        rows.append([asked.stage, asked.split, *numbers, known, str(result.folder)])
    columns = ["stage", "split", "images", "samples", "seed", "metrics", "known", "folder"]
    screen.table("", columns, rows, left=["stage", "split", "known", "folder"])


def _compare(runs: Mapping[str, Run], found: Mapping[str, list[Result]]) -> None:
    """One table for each question that every run has answered with the weights that it has now."""
    from vaelab.evaluation import all_metrics
    from vaelab.likelihoods import check_comparable
    from vaelab.runs.results import checkpoint_of

    answers = {}
    for folder, results in found.items():
        now = checkpoint_of(runs[folder])
        answers[folder] = {_asked(result): result.scores for result in results if result.question.checkpoint == now}
    shared = [asked for asked in next(iter(answers.values())) if all(asked in own for own in answers.values())]
    if not shared:
        mend = "Measure each with the same flags: vaelab evaluate RUN."
        raise InputError("the runs", "have answered a question in common", "none", mend)
    left_out, said = set(), ""
    try:
        check_comparable({folder: trained.model.likelihood for folder, trained in runs.items()})
    except InputError as error:
        left_out = {name for name, metric in all_metrics().items() if metric.words.same_data}
        said = f"Left out: {', '.join(sorted(left_out))}. {error}"
    for asked in shared:
        title = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in asked if value not in ("", ()))
        _side_by_side({folder: own[asked] for folder, own in answers.items()}, left_out, title)
    if said:
        print(said)
    if len({trained.facts.content_hash for trained in runs.values()}) > 1:
        print("The runs' images are not the same, so their scores differ for that too.")


def _asked(result: Result) -> tuple[tuple[str, object], ...]:
    """The question without the weights, which are each run's own."""
    return tuple((name, value) for name, value in asdict(result.question).items() if name != "checkpoint")


def _side_by_side(answers: Mapping[str, tuple[Score, ...]], left_out: set[str], title: str) -> None:
    from vaelab.cli.evaluate import label, number

    scores = {folder: {label(s): s for s in own if not s.model} for folder, own in answers.items()}
    rows = []
    for name, score in next(iter(scores.values())).items():
        if score.metric not in left_out and not score.part and all(name in own for own in scores.values()):
            better = "" if score.better == "neither" else score.better
            rows.append([name, *(number(own[name]) for own in scores.values()), score.unit, better])
    screen.table(title, ["measure", *scores, "unit", "better"], rows, left=["measure", "unit", "better"])
