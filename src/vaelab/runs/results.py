"""What was measured of a run, kept under the question that it answers: computed once, then read back.

RUN/results/<question>/scores.json     the question, and every score with all its fields
                       scores.csv      the scores again, as a table
                       per_image.csv   one row per image
                       arrays.npz      what metrics are computed from: codes, scales, rates, ...
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from pandas.api.types import is_numeric_dtype

from vaelab import files
from vaelab.data.sources.npz import read_arrays
from vaelab.errors import InputError, one_line, unknown_name
from vaelab.evaluation import (
    Measured,
    all_metrics,
    clusters_of,
    evaluate,
    known_of,
    measure_known,
    scores_table,
    trivial_codes,
)
from vaelab.inference import ImageBatches, images_at_once
from vaelab.metrics import Score
from vaelab.models import local_randomness
from vaelab.runs.read import Run, build, weights_of
from vaelab.screen import Progress
from vaelab.settings.record import digest, from_record, read_value

Split = Literal["train", "validation", "test", "rows"]
_MOST_TRAINING = 5000
_KNOWN = ("labels", "factors", "groups", "batches")
"""What of a question is a column, or several, of the run's table."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a result answers; `ask` makes one."""

    stage: str
    """Of the model; empty where it has but one."""
    split: Split
    """Which images; rows: those that `rows` names."""
    num_images: int
    """How many of them: all, or a random draw."""
    num_samples: int
    """Draws of the posterior per image."""
    seed: int
    """Of every draw."""
    checkpoint: str
    """Digest of the weights."""
    rows: str = ""
    """The images' rows where these were named, such as ``0-9,12``; empty: they follow from the split."""
    labels: str = ""
    """The column of kinds that codes were compared with; empty: none."""
    factors: tuple[str, ...] = ()
    """Columns of known numbers, likewise."""
    groups: str = ""
    """The column that says which images belong together, likewise."""
    batches: str = ""
    """The column that says which groups were made together, likewise."""

    @property
    def name(self) -> str:
        """Of its folder, such as ``test-360-images-100-samples-1f2e3d4c``."""
        stage = f"{self.stage}-" if self.stage else ""
        hash_ = digest(self.record())[:8]
        return f"{stage}{self.split}-{self.num_images}-images-{self.num_samples}-samples-{hash_}"

    def record(self) -> dict[str, Any]:
        """The fields, as they are written; without those columns and rows that were not named."""
        return {name: value for name, value in asdict(self).items() if name not in (*_KNOWN, "rows") or value}


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """A question with its scores, as they lie in a run's folder."""

    question: Question
    """What was asked."""
    scores: tuple[Score, ...]
    """What was measured."""
    folder: Path
    """Where it lies."""


def ask(
    run: Run,
    *,
    stage: str | None = None,
    split: str | None = None,
    rows: np.ndarray | None = None,
    num_images: int | None = None,
    num_samples: int = 100,
    seed: int = 0,
    labels: str | None = None,
    factors: Sequence[str] = (),
    groups: str | None = None,
    batches: str | None = None,
) -> Question:
    """The question of what a run scores.

    Args:
        run: The run.
        stage: Of its model; left out, the last.
        split: train, validation or test; left out, the held-out part that there is.
        rows: (image,), in place of a split: rows of the collection, rising. Those of the held-out part are that part.
        num_images: A random draw of so many images; left out, all.
        num_samples: Draws of the posterior per image; 1 or more.
        seed: Of every draw; 0 or more.
        labels: A column of the run's table, of kinds, to compare codes with; so are the next.
        factors: Columns of known numbers.
        groups: A column that says which images belong together, such as those of one well.
        batches: A column that says which groups were made together.

    Raises:
        InputError: The run has no such stage, split or column, a column is not of such a kind, or a number is out of
            range.
    """
    run.at_stage(stage)
    for name, value, least in (("num_images", num_images, 1), ("num_samples", num_samples, 1), ("seed", seed, 0)):
        if value is not None and not least <= value < 2**32:
            raise InputError(name, f"be at least {least}", value)
    parts = ("test", "validation", "train")
    if split is not None and split not in parts:
        raise unknown_name("split", split, parts)
    split, named = split or run.splits.held_out, ""
    there = len(getattr(run.splits, split))
    if rows is not None and not np.array_equal(rows, getattr(run.splits, split)):
        chosen = _drawn(rows, num_images or len(rows), seed)
        split, named, there = "rows", _spelt(chosen), len(chosen)
    if not there:
        raise InputError("split", "be one that the run has images in", split, "Held-out parts are set by data.split.")
    question = Question(
        stage=stage or run.stages[-1],
        split=split,  # pyright: ignore[reportArgumentType]
        num_images=min(num_images or there, there),
        num_samples=num_samples,
        seed=seed,
        checkpoint=checkpoint_of(run),
        rows=named,
        labels=labels or "",
        factors=tuple(factors),
        groups=groups or "",
        batches=batches or "",
    )
    known_in(run, question)
    return question


def known_in(run: Run, question: Question) -> dict[str, object]:
    """What the run's table says of the question's images, by the names that metrics ask for.

    Raises:
        InputError: A column is not there, or not of such a kind.
    """
    asked = {name: getattr(question, name) for name in _KNOWN if getattr(question, name)}
    if not asked:
        return {}
    return known_of(run.dataset.collection.table.iloc[rows_of(run, question)].reset_index(drop=True), **asked)


def rows_of(run: Run, question: Question) -> np.ndarray:
    """The rows of the run's collection that a question is about, in order."""
    if question.rows:
        return _read_rows(question.rows)
    return _drawn(getattr(run.splits, question.split), question.num_images, question.seed)


def _drawn(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """All of them, or a random draw of so many, in order."""
    return np.sort(np.random.default_rng(seed).choice(rows, count, replace=False)) if count < len(rows) else rows


def _spelt(rows: np.ndarray) -> str:
    """Rising row numbers as text.

    >>> _spelt(np.array([0, 1, 2, 5])), _read_rows("0-2,5")
    ('0-2,5', array([0, 1, 2, 5]))
    """
    gaps = np.flatnonzero(np.diff(rows) != 1)
    firsts, lasts = rows[np.append(0, gaps + 1)].tolist(), rows[np.append(gaps, len(rows) - 1)].tolist()
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(firsts, lasts, strict=True))


def _read_rows(text: str) -> np.ndarray:
    ends = (part.partition("-") for part in text.split(","))
    return np.concatenate([np.arange(int(first), int(last or first) + 1) for first, _, last in ends])


def measure(run: Run, question: Question, metrics: Iterable[str] | None = None, progress: bool = False) -> Measured:
    """The answer: what was measured before is read, what is missing is computed and kept with it.

    Args:
        run: The run.
        question: As `ask` makes it.
        metrics: Names of those that are wanted; left out, every one that can be computed.
        progress: Show a progress bar.

    Returns:
        With all that was ever measured under the question, if `metrics` was left out; else the wanted alone.

    Raises:
        InputError: A metric is not known, the images are not there, or a file of the results cannot be used.
    """
    folder, wanted = folder_of(run, question), all_metrics(metrics)
    before = _read(folder, rows_of(run, question))
    done = {score.metric for score in before.scores} if before else set()
    missing = [name for name in wanted if name not in done]
    found = _compute(run, question, missing, before, progress) if missing else None
    whole = _joined(before, found)
    if found is not None and (before is None or found.scores):
        _write(folder, question, whole)
    scores = tuple(score for score in whole.scores if score.metric in wanted)
    return replace(whole, scores=scores)


def checkpoint_of(run: Run) -> str:
    """A digest of the weights that the run has now."""
    with weights_of(run.folder).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def folder_of(run: Run, question: Question) -> Path:
    """Where the question's answer lies, or would lie."""
    return run.folder / "results" / question.name


def list_results(run: Run) -> list[Result]:
    """All that was measured of a run, in the order of the folders' names; also of weights that have changed since.

    Raises:
        InputError: A file of the results cannot be used.
    """
    return [_result(path) for path in sorted((run.folder / "results").glob("*/scores.json"))]


def _compute(run: Run, question: Question, metrics: list[str], before: Measured | None, progress: bool) -> Measured:
    rows, seed = rows_of(run, question), question.seed
    with local_randomness(seed, torch.device("cpu")), Progress("measuring", len(rows), shown=progress) as bar:
        found = evaluate(
            run.given(rows).stages()[question.stage],
            run.feed.batches(rows),
            metrics=metrics,
            num_samples=question.num_samples,
            channels=run.channels,
            training_images=_training_images(run, seed),
            known=before.arrays if before else None,
            batch_size=images_at_once(run.model.image_shape),
            seed=seed,
            on_batch=bar.advance,
        )
    found = replace(found, scores=found.scores + _of_known(run, question, metrics, before, found))
    return replace(found, rows=rows, scores=tuple(replace(s, stage=question.stage) for s in found.scores))


def _of_known(
    run: Run, question: Question, metrics: list[str], before: Measured | None, found: Measured
) -> tuple[Score, ...]:
    """The scores of metrics that ask for columns of the table, of the codes and of trivial ones."""
    known = known_in(run, question)
    of_known = {*known, "clusters", "factor_ranks"}
    wanted = [metric for metric in all_metrics(metrics).values() if of_known.intersection(metric.needs)]
    if not known or not wanted:
        return ()
    rows, seed = rows_of(run, question), question.seed
    there = {**(before.arrays if before else {}), **found.arrays}
    codes = {name: there[name] for name in ("codes", "scales")}
    if "labels" in known and np.isfinite(codes["codes"]).all():
        known["clusters"] = clusters_of(codes["codes"].astype(np.float64), np.asarray(known["labels"]), seed)
    fresh = replace(run, model=build(run.experiment, run.facts.image_shape, run.facts.conditions))
    with local_randomness(seed, torch.device("cpu")):
        trivial = trivial_codes(
            run.feed.batches(rows),
            _training_images(run, seed),
            fresh.given(rows).stages()[question.stage],
            known.get("factors"),  # pyright: ignore[reportArgumentType]
            images_at_once(run.model.image_shape),
            seed,
        )
    return measure_known(codes, known, wanted, trivial)


def _training_images(run: Run, seed: int) -> ImageBatches | None:
    """Some training images, a random draw, to which trivial models are fitted; None where there are too few."""
    some = np.sort(np.random.default_rng(seed).permutation(run.splits.train)[:_MOST_TRAINING])
    return run.feed.batches(some) if len(some) > 1 else None


def _joined(before: Measured | None, found: Measured | None) -> Measured:
    """Both together: scores in the metrics' order, those of the model itself first."""
    parts = [part for part in (before, found) if part is not None]
    place = {name: i for i, name in enumerate(all_metrics())}
    scores = sorted((s for p in parts for s in p.scores), key=lambda s: (s.model, place.get(s.metric, len(place))))
    columns = {name: column for part in parts for name, column in part.per_image.items()}
    arrays = {name: array for part in parts for name, array in part.arrays.items()}
    return replace(parts[0], scores=tuple(scores), per_image=pd.DataFrame(columns), arrays=arrays)


def _write(folder: Path, question: Question, measured: Measured) -> None:
    """Writes it, the scores last: what they name is there."""
    files.check_folder(folder)
    table = measured.per_image.astype(np.float64)
    table.insert(0, "row", measured.rows)
    with files.replacing(folder / "arrays.npz") as part, part.open("wb") as file:
        np.savez(file, **dict(measured.arrays))  # pyright: ignore[reportArgumentType]
    files.write(folder / "per_image.csv", table.to_csv(index=False))
    files.write(folder / "scores.csv", scores_table(measured.scores).to_csv(index=False))
    record = {"question": question.record(), "scores": [_plain(score) for score in measured.scores]}
    files.write(folder / "scores.json", json.dumps(record, indent=1, allow_nan=False))


def _read(folder: Path, rows: np.ndarray) -> Measured | None:
    """What lies in a folder of results, of images of these rows; None: nothing yet."""
    if not (folder / "scores.json").exists():
        return None
    result = _result(folder / "scores.json")
    try:
        table = pd.read_csv(folder / "per_image.csv", float_precision="round_trip")  # pyright: ignore
        if not np.array_equal(table.pop("row"), rows) or not all(map(is_numeric_dtype, table.dtypes)):
            raise ValueError("other rows or other than numbers in per_image.csv")
        path = folder / "arrays.npz"
        with path.open("rb") as file:
            arrays = read_arrays(file, path.stat().st_size)[0]
        if not {"codes", "scales"} <= arrays.keys() or any(
            array.shape[:1] != rows.shape or array.dtype.kind not in "fiub" for array in arrays.values()
        ):
            raise ValueError("other arrays in arrays.npz")
        return Measured(scores=result.scores, rows=rows, per_image=table, arrays=arrays)
    except Exception as error:  # a hostile file may raise anything
        raise _unusable(folder, error) from None


def _result(path: Path) -> Result:
    try:
        record = files.read_json(path)
        question = from_record(Question, record["question"], "question")
        if question.name != path.parent.name:
            raise ValueError(f"a question that belongs into {question.name}")
        scores = tuple(_score(score) for score in record["scores"])
        return Result(question=question, scores=scores, folder=path.parent)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unusable(path.parent, error) from None


def _unusable(folder: Path, error: Exception) -> InputError:
    mend = "Delete it, and measure again."
    return InputError(str(folder), "hold results as they were written", one_line(error), mend)


def _plain(score: Score) -> dict[str, Any]:
    """A score as values that JSON can hold; what isn't a finite number is None."""

    def finite(value: Any) -> Any:
        return None if isinstance(value, float) and not math.isfinite(value) else value

    values = {name: finite(value) for name, value in asdict(score).items()}
    return values | {"interval": score.interval and [finite(end) for end in score.interval]}


def _score(values: Mapping[str, Any]) -> Score:
    """The score again; a value that was no finite number is not a number."""

    ends = values["interval"] or ()
    if len(ends) not in (0, 2) or not values["metric"]:
        raise ValueError("an interval of other than two ends, or a score of no metric")
    known = {"value": values["value"], **{str(i): end for i, end in enumerate(ends)}}
    numbers = {name: read_value(float | None, number, name) for name, number in known.items()}
    value, *interval = (math.nan if number is None else number for number in numbers.values())
    score = from_record(Score, {**values, "value": 0.0, "interval": None}, "score")
    return replace(score, value=value, interval=tuple(interval) or None)
