"""Whether the explanation of a run's classifier drags other columns of the images' table along.

RUN/explanations/COLUMN-CLASS/confounders.csv   column by column and method by method
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from vaelab import files
from vaelab.data.conditions import as_words
from vaelab.data.feed import Feed
from vaelab.errors import InputError, one_line, unknown_name
from vaelab.evaluation import Predictor, fit_predictor
from vaelab.evaluation.classifier import num_steps
from vaelab.explanation import Explained, judge_of
from vaelab.explanation.confounders import Drag, accuracy_over_cells, balanced, drag, value_with
from vaelab.inference import images_at_once
from vaelab.metrics import Score
from vaelab.models import device_of, evaluating, local_randomness
from vaelab.runs.explaining import Explanation, classifier_of
from vaelab.runs.read import Run
from vaelab.runs.target import MOST_CLASSES, Target, target_of
from vaelab.screen import Progress

EVERY = "all"
"""Stands for every column that a classifier can tell, where no column is so called."""
_FEWEST, _MOST_JUDGED = 10, 2000
"""Balanced training images of the class at least; held-out images by which classifiers are judged at most."""
_LEAST_SPAN = 0.1
"""By which an explanation has to move the classifier's answer, or it explains nothing."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Confounder:
    """Another column, and how far the explanation drags it along."""

    column: str
    """Its name."""
    value: str
    """Its value that goes with the class."""
    drags: dict[str, Drag] = field(default_factory=dict)
    """By method; none where nothing could be compared."""
    reached: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By method: the mean span of f over each series, and of the classifier trained on balanced data over its own."""
    oracle: Score | None = None
    """How well a classifier tells the column, images of each class and value together counting alike."""
    baseline: Score | None = None
    """How well the classifier that is trained on balanced data tells the class; likewise."""
    num_balanced: int = 0
    """Images that it learnt from."""
    reason: str = ""
    """Why there is no verdict, whatever the method."""

    def verdict(self, method: str) -> str:
        """What is to be said of the column, a sentence without a full stop."""
        if self.reason:
            return f"Of {self.column} nothing is said, as {self.reason}"
        own, other = self.reached[method]
        start = f"Of {self.column} nothing is said, as the explanation"
        if not own >= _LEAST_SPAN:
            return f"{start} moves the classifier's own answer by {own:.2f} alone"
        if not other >= own / 2:
            spans = f"moves its own answer by {other:.2f} alone, and this one's by {own:.2f}"
            return f"{start} of a classifier trained on balanced data {spans}"
        return self.drags[method].verdict(self.column)


def confounder_columns(run: Run, label: str, columns: Sequence[str]) -> tuple[str, ...]:
    """Other columns of the table that a classifier can tell: 2 to 100 kinds that repeat among the training images.

    Args:
        run: The run.
        label: The column that the explained classifier tells.
        columns: Those that are wanted; ``all`` is every such one, of numbers only those of 20 different ones at most.

    Raises:
        InputError: One of those that are wanted is not there, or not such, or the label is a number.
    """
    table = run.dataset.collection.table
    if columns and not target_of(run, label).classes:
        raise InputError("label", "be a column of classes where confounders are asked for", f"{label!r}, a number")
    label = label if label in table else label.removesuffix(":category")
    kinds = {str(name): _kinds(table[name].iloc[run.splits.train]) for name in table.columns if name != label}
    if EVERY in columns and EVERY not in table:
        return tuple(name for name, count in kinds.items() if count and target_of(run, name).classes)
    for name in columns:
        if name not in table:
            raise unknown_name("confounders", name, [*kinds, EVERY])
        if not kinds.get(name):
            got = f"{name!r}" + ", which is what is explained" * (name == label)
            raise InputError("confounders", f"be other columns, of 2 to {MOST_CLASSES} kinds that repeat", got)
    return tuple(dict.fromkeys(columns))


def _kinds(column: pd.Series) -> int:
    """How many; 0 where a classifier could not tell them."""
    words = as_words(column.dropna())
    count = len({*words})
    return count if 2 <= count <= min(MOST_CLASSES, len(words) / 2) else 0


def confounders(
    found: Explanation, columns: Sequence[str] = (EVERY,), *, seed: int = 0, progress: bool = False
) -> tuple[Confounder, ...]:
    """How far the explanation drags other columns along, beside that of classifiers trained on balanced data.

    For each column an oracle tells it: its classifier is read from RUN/classifiers, or trained and put there. A second
    classifier of the class learns from training images among which class and column are independent, and is explained
    alike.

    Args:
        found: The explanation, of a class.
        columns: Which; see `confounder_columns`.
        seed: Of classifiers and draws.
        progress: Show progress bars while classifiers are trained.

    Raises:
        InputError: It is the explanation of a number, a column is not such, or the folder cannot be written.
    """
    label = found.predictor.facts.column
    if not found.to:
        raise InputError("label", "be a column of classes where confounders are asked for", f"{label!r}, a number")
    names = confounder_columns(found.run, label, columns)
    made = tuple(_confounder(found, name, seed, progress) for name in names)
    rows = [row for each in made for row in _rows(each, found)]
    table = pd.DataFrame(rows, columns=pd.Index(_HEAD)).assign(warning=found.fidelity.warning)
    files.write(found.folder / "confounders.csv", table.to_csv(index=False))
    return made


def _confounder(found: Explanation, column: str, seed: int, progress: bool) -> Confounder:
    """One of them."""
    run = found.run
    target, name = target_of(run, column), column
    if not target.classes:
        name = f"{column}:category"
        target = target_of(run, name)
    values, is_class, known = _sides(found, target)
    train, validation = (rows[known[rows]] for rows in (run.splits.train, run.splits.validation))
    even, calibrate = (rows[balanced(is_class[rows], values[rows], seed)] for rows in (train, validation))
    start = Confounder(
        column=column,
        value=target.classes[value_with(is_class[train], values[train])],
        num_balanced=len(even),
    )
    if len(even) < 2 * _FEWEST:
        left = f"{len(even)} of {len(train):,} training images are" if len(even) else "no training images are"
        what = f"{found.predictor.facts.column} = {found.to} and {column}"
        return replace(start, reason=f"{what} go together so closely that {left} left if balanced")
    oracle, _ = classifier_of(run, name, None, seed, progress)
    baseline = _baseline(found, is_class, even, calibrate, seed, progress)
    held_out = getattr(run.splits, run.splits.held_out)
    judged = np.random.default_rng(seed).permutation(held_out[known[held_out]])[:_MOST_JUDGED]
    sides = values[judged], is_class[judged].astype(int)
    of_oracle, of_baseline = _score(run, oracle, judged, *sides), _score(run, baseline, judged, *sides[::-1])
    other = found.again(judge_of(baseline, 1, name=found.to))
    ends = {each: (_ends(found.explained, each, oracle), _ends(other, each, oracle)) for each in other.series}
    value = target.classes.index(start.value)
    return replace(
        start,
        drags={each: drag(*own, *baselines, value) for each, (own, baselines) in ends.items()},
        reached={each: (_reached(found.explained, each), _reached(other, each)) for each in ends},
        oracle=of_oracle,
        baseline=of_baseline,
        reason=_reason(column, found.to, of_oracle, of_baseline),
    )


def _sides(found: Explanation, target: Target) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(image of the collection,): the column's value, whether it is of the class, and whether both are known."""
    labels = pd.Series(found.run.dataset.collection.table[found.predictor.facts.column])
    values = np.nan_to_num(target.values, nan=-1).astype(int)
    is_class = np.array(as_words(labels)) == found.to
    return values, is_class, labels.notna().to_numpy() & (values >= 0)


def _baseline(
    found: Explanation, is_class: np.ndarray, rows: np.ndarray, calibrate: np.ndarray, seed: int, progress: bool
) -> Predictor:
    """A classifier of the class against all else, which learns from these rows alone."""
    run, facts = found.run, found.predictor.facts
    own = replace(facts, classes=(f"not {found.to}", found.to), intensity=run.intensity, seed=seed)
    feed = _feed(run)
    with (
        local_randomness(seed, torch.device("cpu")),
        Progress("training on balanced data", num_steps(len(rows)), shown=progress, unit="steps") as bar,
    ):
        return fit_predictor(feed, own, is_class.astype(float), rows, calibrate, bar.advance)


def _feed(run: Run) -> Feed:
    return Feed(run.dataset.collection.images, run.intensity, run.experiment.data.binarize, device=device_of(run.model))


def _score(run: Run, predictor: Predictor, rows: np.ndarray, told: np.ndarray, beside: np.ndarray) -> Score | None:
    """How well it tells images of these rows, each pair of values counting alike; None where there is no image."""
    if not len(rows):
        return None
    with evaluating(predictor):
        said = torch.cat([predictor(x).argmax(1) for x in _feed(run).batches(rows)]).numpy(force=True)
    return accuracy_over_cells(said == told, told, beside)


def _ends(explained: Explained, method: str, oracle: Predictor) -> tuple[np.ndarray, np.ndarray]:
    """(image, value): what the oracle says where the class was wanted least, and where it was wanted most."""
    images, at_once = explained.series[method].images, images_at_once(explained.images.shape[1:])
    found = []
    with evaluating(oracle):
        for step in (explained.targets.argmin(1), explained.targets.argmax(1)):
            x = torch.from_numpy(images[np.arange(len(images)), step]).to(device_of(oracle), torch.float32)
            found.append(torch.cat([oracle(some) for some in x.split(at_once)]).numpy(force=True))
    return found[0], found[1]


def _reached(explained: Explained, method: str) -> float:
    """The mean span between what the classifier says where it was wanted surest and where least sure."""
    said, rows = explained.series[method].said, np.arange(len(explained.targets))
    return float((said[rows, explained.targets.argmax(1)] - said[rows, explained.targets.argmin(1)]).mean())


def _reason(column: str, to: str, oracle: Score | None, baseline: Score | None) -> str:
    """Why there is no verdict; empty where there may be one."""
    if oracle is None or baseline is None:
        return "no held-out image has a value in both columns"
    if not _beats_chance(oracle):
        return f"a classifier tells {column} no better than the class alone does"
    if not _beats_chance(baseline):
        return f"a classifier trained on balanced data tells {to} no better than {column} alone does"
    return ""


def _beats_chance(score: Score) -> bool:
    return score.interval is not None and score.null is not None and score.interval[0] > score.null


_HEAD = (
    *("column", "goes_with_class", "method", "measure", "value", "low", "high", "by_chance", "images"),
    *("reached", "baseline_reached", "balanced_images", "best", "verdict"),
)


def read_confounders(run: Run) -> tuple[str, pd.DataFrame] | None:
    """What `confounders` kept of the run last: the folder's name, and the table; None where there is nothing.

    Raises:
        InputError: The file cannot be used.
    """
    found = sorted(run.folder.glob("explanations/*/confounders.csv"), key=lambda path: path.stat().st_mtime_ns)
    if not found:
        return None
    return found[-1].parent.name, confounders_in(found[-1])


def confounders_in(path: Path) -> pd.DataFrame:
    """The table that `confounders` wrote.

    Raises:
        InputError: It cannot be used.
    """
    try:
        table = pd.read_csv(path, dtype={"column": str, "method": str, "measure": str, "verdict": str})
        table = table.astype(dict.fromkeys(("value", "low", "high"), float)).assign(best=table["best"].astype(bool))
    except (OSError, ValueError, KeyError) as error:
        mend = "Delete it, and explain again."
        raise InputError(str(path), "hold confounders as they were written", one_line(error), mend) from None
    return table


def _rows(each: Confounder, found: Explanation) -> list[dict[str, object]]:
    """Lines of the table; one alone where nothing could be compared."""
    start = {"column": each.column, "goes_with_class": each.value, "balanced_images": each.num_balanced}

    def line(measure: str, score: Score | None, **more: object) -> dict[str, object]:
        if score is None:
            return start | {"measure": measure} | more
        low, high = score.interval or (None, None)
        said = {"value": score.value, "low": low, "high": high, "by_chance": score.null, "images": score.count}
        return start | {"measure": measure} | said | more

    if not each.drags:
        return [{**start, "verdict": each.verdict(found.best), "best": False}]
    rows: list[dict[str, object]] = [
        line("accuracy of the oracle", each.oracle),
        line("accuracy of the baseline", each.baseline),
    ]
    for method, one in each.drags.items():
        spans = dict(zip(("reached", "baseline_reached"), each.reached[method], strict=True))
        names = ("moved", "toward", "baseline_moved", "baseline_toward")
        rows += [line(name, getattr(one, name), method=method) for name in names]
        rows.append(line("difference", one.difference, method=method, verdict=each.verdict(method), **spans))
    return [{**row, "best": row.get("method") == found.best} for row in rows]
