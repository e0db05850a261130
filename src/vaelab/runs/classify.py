"""A classifier of a run's images, by a column of their table: trained on the run's training images, calibrated on its
validation images, judged by its test images.

RUN/classifiers/NAME.safetensors  the classifier, with what it tells in the file's header
                NAME.csv          how good it is
                NAME.images.csv   what it says of each image that it is judged by
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.special import softmax

from vaelab import files
from vaelab.data.feed import Feed
from vaelab.evaluation import (
    ClassifierFacts,
    Predictor,
    all_metrics,
    fit_predictor,
    measure_arrays,
    save_classifier,
    scores_table,
)
from vaelab.evaluation.classifier import num_steps
from vaelab.metrics import Score
from vaelab.metrics.calibration_error import calibration_error
from vaelab.models import device_of, evaluating, local_randomness
from vaelab.runs.read import Run
from vaelab.runs.target import Target, target_of
from vaelab.screen import Progress
from vaelab.settings.record import digest

_OF_CLASSES = ("classifier_accuracy", "balanced_accuracy", "calibration_error")
_OF_NUMBERS = ("number_r2", "number_mae")


@dataclass(frozen=True, eq=False, kw_only=True)
class Classified:
    """A classifier, how good it is, and where it lies."""

    predictor: Predictor
    """From images in [0, 1] to probabilities or a number."""
    path: Path
    """Where it lies."""
    part: str
    """The part of the run that it is judged by: test, or validation where there is no other."""
    counts: tuple[int, int, int]
    """Images that it learnt from, was calibrated with and is judged by."""
    scores: tuple[Score, ...]
    """How good it is on the images of that part."""
    uncalibrated: Score | None
    """Its calibration error at temperature 1; None for a number, and where it was not calibrated."""
    arrays: dict[str, np.ndarray]
    """rows, groups where there are any, and what metrics ask for: class_probabilities, known_classes, ..."""
    notes: tuple[str, ...]
    """What a reader should know of it, a sentence each, without a full stop."""

    @property
    def kept(self) -> dict[str, Path]:
        """What lies where, by what it is."""
        return {
            "the classifier": self.path,
            "how good it is": self.path.with_suffix(".csv"),
            "what it says of each image": self.path.with_name(f"{self.path.stem}.images.csv"),
        }


def classify(run: Run, label: str, *, group: str | None = None, seed: int = 0, progress: bool = False) -> Classified:
    """Trains a classifier of a column, calibrates it, judges it, and keeps it with the run.

    Args:
        run: The run. Its model is not used: only its images, their scaling and their split.
        label: The column; see `target_of`.
        group: A column that says which images belong together, such as a plate: none of them is on both sides, and
            intervals are over groups.
        seed: Of the weights and the order of the images.
        progress: Show a progress bar.

    Raises:
        InputError: A column is not there or not such, nothing is left to learn from or to judge by, or the folder
            cannot be written.
    """
    target = target_of(run, label, group)
    parts = target.parts
    facts = ClassifierFacts(
        column=target.column,
        classes=target.classes,
        mean=target.mean,
        scale=target.scale,
        image_shape=run.facts.image_shape,
        intensity=run.intensity,
        channels=run.channels,
        images=run.facts.content_hash,
        split=parts.digest,
        group=group or "",
        seed=seed,
    )
    path = classifier_path(run, label, group=group, seed=seed)
    files.check_folder(path.parent)
    feed = Feed(run.dataset.collection.images, run.intensity, run.experiment.data.binarize, device=device_of(run.model))
    calibrate = parts.validation[target.values[parts.validation] >= 0] if target.classes else parts.validation[:0]
    notes = target.notes
    if target.classes and not len(calibrate):
        notes += ("it is not calibrated, as no validation images are left for it: how sure it is means little",)
    elif target.classes and parts.name == "validation":
        notes += ("the same images calibrated it, so that it looks better calibrated than it is",)
    with (
        local_randomness(seed, torch.device("cpu")),
        Progress("training a classifier", num_steps(len(parts.train)), shown=progress, unit="steps") as bar,
    ):
        predictor = fit_predictor(feed, facts, target.values, parts.train, calibrate, bar.advance)
        arrays = _arrays(predictor, target, feed)
    wanted = all_metrics(_OF_CLASSES if target.classes else _OF_NUMBERS).values()
    found = Classified(
        predictor=predictor,
        path=path,
        part=parts.name,
        counts=(len(parts.train), len(calibrate), len(parts.judged)),
        scores=measure_arrays(arrays | {"class_names": target.classes}, wanted).scores,
        uncalibrated=_uncalibrated(predictor, arrays) if len(calibrate) else None,
        arrays=arrays,
        notes=notes,
    )
    _write(found, run.dataset.collection.table[target.column])
    return found


def _arrays(predictor: Predictor, target: Target, feed: Feed) -> dict[str, np.ndarray]:
    """What it says of the images that it is judged by, and what they are."""
    rows = target.parts.judged
    with evaluating(predictor):
        said = torch.cat([predictor(x) for x in feed.batches(rows)]).cpu().numpy()
    arrays = {"rows": rows} | ({} if target.units is None else {"groups": target.units[rows]})
    own = target.values[rows]
    if not target.classes:
        return arrays | {"predicted_numbers": said[:, 0].astype(np.float64), "known_numbers": own}
    known = own.astype(int)
    arrays |= {"class_probabilities": said, "known_classes": known}
    return arrays | {"image_classes": said.argmax(1), "label_classes": known}


def _uncalibrated(predictor: Predictor, arrays: dict[str, np.ndarray]) -> Score:
    """The calibration error that it has at temperature 1."""
    with np.errstate(divide="ignore"):
        logits = float(predictor.temperature) * np.log(arrays["class_probabilities"].astype(np.float64))
    return calibration_error(softmax(logits, axis=1), arrays["known_classes"], arrays.get("groups"))[0]


def classifier_path(run: Run, label: str, *, group: str | None = None, seed: int = 0) -> Path:
    """Where a run's classifier lies, or would lie; its name says all that the numbers depend on, beside the run."""
    label = re.sub(r":(number|category)$", r"-\1", label)
    name = "-".join([label, *(["by", group] if group else []), *(["seed", str(seed)] if seed else [])])
    return run.folder / "classifiers" / f"{plain_name(name)}.safetensors"


def plain_name(name: str) -> str:
    """A name that may be a file's; what has other signs is told apart by a digest."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:80].strip("-")
    return name if plain == name and name else f"{plain}-{digest({'name': name})[:6]}".strip("-")


def _write(found: Classified, column: pd.Series) -> None:
    """Writes the classifier last: what lies beside it is there."""
    facts, arrays = found.predictor.facts, found.arrays
    table = pd.DataFrame({"row": arrays["rows"], "known": column.iloc[arrays["rows"]].to_numpy()})
    if facts.classes:
        told = arrays["image_classes"]
        table["told"] = np.array(facts.classes)[told]
        table["probability"] = arrays["class_probabilities"].max(1)
        chances = pd.DataFrame(arrays["class_probabilities"], columns=[f"p_{name}" for name in facts.classes])
        table = pd.concat([table, chances], axis=1)
    else:
        table["told"] = arrays["predicted_numbers"]
    where = found.kept
    files.write(where["what it says of each image"], table.to_csv(index=False))
    files.write(where["how good it is"], scores_table(found.scores).to_csv(index=False))
    save_classifier(found.predictor, found.path)
