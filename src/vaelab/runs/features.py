"""The classifier in whose features a run's samples are measured: trained once for a column, then read back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from vaelab import files
from vaelab.data.feed import Feed
from vaelab.errors import InputError
from vaelab.evaluation import known_of
from vaelab.evaluation.classifier import Classifier, fit_classifier, num_steps
from vaelab.evaluation.features import FEATURES, measure_features, see
from vaelab.inference import images_at_once
from vaelab.metrics import Metric, Score
from vaelab.models import device_of
from vaelab.runs.question import Question
from vaelab.runs.read import Run
from vaelab.screen import Progress
from vaelab.settings.record import digest
from vaelab.training.checkpoint import load_weights, save_weights

_MOST_KINDS, _MOST_TRAINING = 1000, 5000


def of_features(
    run: Run, question: Question, rows: np.ndarray, metrics: Iterable[Metric], progress: bool
) -> tuple[Score, ...]:
    """The scores of metrics that ask what a classifier sees; none where the question names no labels.

    Args:
        run: The run.
        question: Names the labels.
        rows: (image,): the images that it is about.
        metrics: Those that are wanted; others are passed over.
        progress: Show progress bars.

    Raises:
        InputError: The labels are of one kind, or of more than 1,000.
    """
    wanted = [metric for metric in metrics if FEATURES & {*metric.needs}]
    if not wanted or not question.labels:
        return ()
    table, train, seed = run.dataset.collection.table, run.splits.train, question.seed
    kinds = [_words(table, question.labels, part) for part in (train, rows)]
    names = np.unique(kinds[0])
    if not 2 <= len(names) <= _MOST_KINDS:
        raise InputError("labels", f"have 2 to {_MOST_KINDS} kinds among the training images", len(names))
    place = {name: i for i, name in enumerate(names.tolist())}
    feed = Feed(run.dataset.collection.images, run.intensity, run.experiment.data.binarize, device=device_of(run.model))
    classifier = _classifier(run, question, feed, np.array([place[kind] for kind in kinds[0]]), len(names), progress)
    draw = np.random.default_rng(seed).permutation(train)
    some, beside = np.sort(draw[:_MOST_TRAINING]), np.sort(draw[: len(rows)])
    model = run.given(rows).stages()[question.stage]
    with Progress("measuring features", len(rows), shown=progress) as bar:
        seen = see(
            model,
            classifier,
            feed.batches(rows),
            (lambda: feed.batches(some)) if len(some) > 1 else None,
            feed.batches(beside),
            batch_size=images_at_once(model.image_shape),
            seed=seed,
            on_batch=bar.advance,
        )
    known = {"label_classes": np.array([place.get(kind, -1) for kind in kinds[1]]), "class_names": tuple(place)}
    return measure_features(seen, known, wanted, seed)


def _words(table: pd.DataFrame, column: str, rows: np.ndarray) -> np.ndarray:
    """(image,): the kinds of these rows, in words."""
    return np.asarray(known_of(table.iloc[rows], labels=column)["labels"]).astype(str)


def _classifier(
    run: Run, question: Question, feed: Feed, classes: np.ndarray, num_classes: int, progress: bool
) -> Classifier:
    """The classifier of a column, as it lies among the run's results, or trained and put there."""
    rows, seed = run.splits.train, question.seed
    known_by = {
        "images": run.facts.content_hash,
        "rows": hashlib.sha256(rows.tobytes()).hexdigest(),
        "classes": hashlib.sha256(classes.tobytes()).hexdigest(),
        "binarize": run.experiment.data.binarize,
        "seed": seed,
    }
    path: Path = run.folder / "results" / f"classifier-{digest(known_by)[:8]}.safetensors"
    if path.exists():
        classifier = Classifier(run.facts.image_shape, num_classes).to(feed.device)
        load_weights(classifier, path)
        return classifier.eval()
    with Progress("training a classifier", num_steps(len(rows)), shown=progress, unit="steps") as bar:
        classifier = fit_classifier(feed, rows, classes, seed, bar.advance)
    files.check_folder(path.parent)
    save_weights(classifier, path)
    return classifier
