"""What was measured of a run, kept under the question that it answers: computed once, then read back.

RUN/results/<question>/scores.json     the question, and every score with all its fields
                       scores.csv      the scores again, as a table
                       per_image.csv   one row per image
                       arrays.npz      what metrics are computed from: codes, scales, rates, ...
RUN/results/classifier-....safetensors a classifier of a column, in whose features samples are measured
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from pandas.api.types import is_numeric_dtype

from vaelab import files
from vaelab.catalogue import names
from vaelab.data.sources.npz import read_arrays
from vaelab.errors import InputError, one_line
from vaelab.evaluation import (
    Measured,
    all_metrics,
    clusters_of,
    evaluate,
    measure_known,
    moves,
    scores_table,
    trivial_codes,
)
from vaelab.evaluation.features import FEATURES
from vaelab.inference import ImageBatches, images_at_once
from vaelab.metrics import Score
from vaelab.models import local_randomness
from vaelab.runs.features import of_features
from vaelab.runs.hole import with_hole
from vaelab.runs.question import KNOWN, Question, known_in, rows_of
from vaelab.runs.read import Run, build
from vaelab.screen import Progress
from vaelab.settings.record import from_record, read_value

_MOST_TRAINING = 5000


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """A question with its scores, as they lie in a run's folder."""

    question: Question
    """What was asked."""
    scores: tuple[Score, ...]
    """What was measured."""
    folder: Path
    """Where it lies."""


def measure(run: Run, question: Question, metrics: Iterable[str] | None = None, progress: bool = False) -> Measured:
    """The answer: what was measured before is read, what is missing is computed and kept with it.

    Args:
        run: The run.
        question: As `ask` makes it.
        metrics: Names of those that are wanted; left out, every one that can be computed but those that need a
            classifier, which takes time to train.
        progress: Show a progress bar.

    Returns:
        With all that was ever measured under the question, if `metrics` was left out; else the wanted alone.

    Raises:
        InputError: A metric is not known, the images are not there, or a file of the results cannot be used.
    """
    folder, wanted = folder_of(run, question), all_metrics(metrics)
    if any(FEATURES & {*metric.needs} for metric in wanted.values()):
        wanted |= all_metrics(["classifier_accuracy"])  # how good the classifier is stands beside all that it says
    before = _read(folder, rows_of(run, question))
    done = {score.metric for score in before.scores} if before else set()
    missing = [name for name in wanted if name not in done]
    if metrics is None:  # a classifier is trained where it is asked for, and what is dear is drawn
        model = run.given(rows_of(run, question)[:1]).stages()[question.stage]
        dear = FEATURES | (set() if moves.affordable(model) else {moves.NAME})
        missing = [name for name in missing if not dear & {*wanted[name].needs}]
    found = _compute(run, question, missing, before, progress, metrics is not None) if missing else None
    whole = _joined(before, found)
    if found is not None and (before is None or found.scores):
        _write(folder, question, whole)
    scores = tuple(score for score in whole.scores if score.metric in wanted)
    return replace(whole, scores=scores)


def folder_of(run: Run, question: Question) -> Path:
    """Where the question's answer lies, or would lie."""
    return run.folder / "results" / question.name


def list_results(run: Run) -> list[Result]:
    """All that was measured of a run, in the order of the folders' names; also of weights that have changed since.

    Raises:
        InputError: A file of the results cannot be used.
    """
    return [_result(path) for path in sorted((run.folder / "results").glob("*/scores.json"))]


def asks_for_columns(metric: str) -> bool:
    """Whether a metric compares codes or samples with columns of the table."""
    needs = {*all_metrics([metric])[metric].needs}
    return bool(needs & {*KNOWN, "clusters", "factor_ranks", *FEATURES})


def _compute(
    run: Run, question: Question, metrics: list[str], before: Measured | None, progress: bool, asked: bool
) -> Measured:
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
    there = {**(before.arrays if before else {}), **found.arrays}
    found = with_hole(run, question.stage, rows, metrics, found, there, asked=asked, seed=seed)
    features = of_features(run, question, rows, all_metrics(metrics).values(), progress)
    found = replace(found, scores=found.scores + features)
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
    measured = [score for part in parts for score in part.scores]
    listed = {*names("vaelab.metrics")}.intersection(score.metric for score in measured)
    place = {name: i for i, name in enumerate(all_metrics(listed))}
    scores = sorted(measured, key=lambda s: (s.model, place.get(s.metric, len(place))))
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
