"""Explanations of what a classifier says of a run's images, by the run's model.

RUN/explanations/COLUMN-CLASS/series.npz   the images, and for each method their series, in the units of the files
                              scores.csv   each method by every metric of explanations, and the gate
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from vaelab import files
from vaelab.catalogue import name_of
from vaelab.errors import InputError, unknown_name
from vaelab.evaluation import Measured, Predictor, load_classifier, scores_table
from vaelab.explanation import (
    Curves,
    Explained,
    Fidelity,
    Judge,
    deletion_curves,
    explain,
    fidelity,
    judge_of,
    judge_series,
    saliency_maps,
)
from vaelab.explanation.exaggeration import Exaggeration
from vaelab.explanation.exaggeration.latent_optimization import LatentOptimization
from vaelab.inference import batches, embed, images_at_once
from vaelab.models import device_of, evaluating, local_randomness
from vaelab.runs.classify import classifier_path, classify, plain_name
from vaelab.runs.entries import stage_name
from vaelab.runs.question import checkpoint_of
from vaelab.runs.read import Run

METHODS = ("latent_shift", "latent_optimization", "linear_direction", "random_direction")
"""Those that are used where none are named; the others take longer, or need a conditional model."""
_MISSED = 0.1
"""Of the range of what was wanted: a step that misses by more was out of reach."""
_MOST_OTHERS = 2000
"""Training images from which directions follow, and held-out images by which the gate is judged."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Explanation:
    """What the model makes of images as the classifier would have them, how good that is, and where it lies."""

    run: Run
    """Whose model draws."""
    predictor: Predictor
    """The classifier."""
    to: str
    """The class of which images are made more and less; empty for a number."""
    stage: str
    """Of an earlier stage, which draws in the model's place, the name; else empty."""
    rows: np.ndarray
    """(image,): the explained images' rows in the collection."""
    known: tuple[str, ...]
    """What the column says of each."""
    fidelity: Fidelity
    """Whether the classifier says the same of reconstructions as of images, by as many held-out images as count."""
    explained: Explained
    """The series."""
    measured: dict[str, Measured]
    """Method -> every metric of explanations."""
    saliency: dict[str, np.ndarray]
    """Name -> (image, channel, height, width), 0 or more: how much a pixel matters, in the series that reach most."""
    curves: dict[str, Curves]
    """Saliency -> what the classifier says as its pixels are replaced by those of the series; none of a number."""
    best: str
    """The method whose series reach most."""
    nearest: np.ndarray
    """(image, target): the rows of the training images whose codes are nearest to the steps of that method."""
    again: Callable[[Judge], Explained]
    """Explains another classifier alike: the same images, targets and methods, and the same draws."""
    folder: Path
    """Where it is kept."""
    notes: tuple[str, ...]
    """What a reader should know, a sentence each; the gate's warning comes first."""


def explain_run(
    run: Run,
    label: str,
    *,
    to: str | None = None,
    classifier: Path | str | None = None,
    rows: np.ndarray | None = None,
    num_images: int = 16,
    methods: Sequence[str | Exaggeration] = (),
    num_targets: int = 10,
    num_solutions: int = 1,
    toward: torch.Tensor | None = None,
    stage: str | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Explanation:
    """Explains a classifier of a column: of held-out images series in which it says step by step more of a class.

    Args:
        run: The run.
        label: The column. Its classifier is read from RUN/classifiers, or trained and put there.
        to: The class; left out, the second of two; of a number nothing.
        classifier: A file that `classify` or `save_classifier` wrote, in place of that.
        rows: (image,): rows of the collection; left out, a draw of held-out images.
        num_images: How many, where rows are left out.
        methods: Of the family `Exaggeration`, by name or with settings; left out, those that are quick.
        num_targets: Steps of each series.
        num_solutions: Series of latent-optimization where it is named without settings.
        toward: (1, number): for class-exaggeration, the condition to go to.
        stage: Of a model of several stages the one that draws; left out, the last.
        seed: Of every draw.
        progress: Show a progress bar while a classifier is trained.

    Raises:
        InputError: The column, the class, the stage or a method is not known, the classifier is of other images, or the
            folder cannot be written.
    """
    from sklearn.neighbors import NearestNeighbors

    run, of_stage = run.at_stage(stage), run.earlier_stage(stage)
    predictor, notes = classifier_of(run, label, classifier, seed, progress)
    column, to = _class(predictor, to)
    judge = judge_of(predictor, column, intensity=run.intensity, name=to or predictor.facts.column)
    draw, held_out = np.random.default_rng(seed), getattr(run.splits, run.splits.held_out)
    if rows is None:
        rows = np.sort(draw.permutation(held_out)[:num_images])
    labels = run.dataset.collection.table[predictor.facts.column].iloc[rows]
    others = np.sort(draw.permutation(run.splits.train)[:_MOST_OTHERS])
    several = LatentOptimization(num_solutions=num_solutions)
    used = [several if str(each).replace("-", "_") == name_of(several) else each for each in methods or METHODS]
    how = {"others": others, "toward": toward, "seed": seed}

    def again(other: Judge) -> Explained:
        with local_randomness(seed, device_of(run.model)):
            return explain(run, other, rows, targets=num_targets, methods=used, **how)

    with local_randomness(seed, device_of(run.model)):
        gate = _gate(run, judge, np.sort(draw.permutation(held_out)[:_MOST_OTHERS]))
        explained = again(judge)
        measured = judge_series(run, explained, rows, features=predictor.network.features, **how)
        best = _best(explained, measured)
        saliency = saliency_maps(explained, best)
        steps = explained.series[best].codes
        near = NearestNeighbors(n_neighbors=1).fit(embed(run, others).loc).kneighbors
        nearest = others[near(steps.reshape(-1, steps.shape[-1]), return_distance=False).reshape(steps.shape[:2])]
        curves = {} if judge.is_number else {
            name: deletion_curves(explained, maps, by="counterfactual", method=best, seed=seed)
            for name, maps in saliency.items()
        }  # fmt: skip
    found = Explanation(
        run=run,
        predictor=predictor,
        to=to,
        stage=of_stage,
        rows=rows,
        known=tuple("" if pd.isna(value) else str(value) for value in labels),
        fidelity=gate,
        explained=explained,
        measured=measured,
        saliency=saliency,
        curves=curves,
        best=best,
        nearest=nearest,
        again=again,
        folder=run.folder / "explanations" / plain_name("-".join(filter(None, [label, to, of_stage]))),
        notes=(*filter(None, [gate.warning]), *notes, *filter(None, [_out_of_reach(explained, best)])),
    )
    _write(found)
    return found


def classifier_of(
    run: Run, label: str, classifier: Path | str | None, seed: int, progress: bool
) -> tuple[Predictor, tuple[str, ...]]:
    """The classifier that is named, or that of the column as it lies with the run, or trained and put there."""
    path = Path(classifier) if classifier else classifier_path(run, label, seed=seed)
    if not classifier and not path.exists():
        found = classify(run, label, seed=seed, progress=progress)
        accuracy = found.scores[0]
        said = (
            f"its {accuracy.metric.replace('_', ' ')} is {accuracy.value:.3f} on {accuracy.count:,} {found.part} images"
        )
        return found.predictor, (f"A classifier was trained for this: {said}", *found.notes)
    predictor = load_classifier(path)
    if predictor.facts.image_shape != run.facts.image_shape:
        sizes = [" x ".join(map(str, shape)) for shape in (run.facts.image_shape, predictor.facts.image_shape)]
        raise InputError("the classifier", f"be of images of {sizes[0]}", f"one of {sizes[1]}")
    if predictor.facts.column not in run.dataset.collection.table:
        raise unknown_name("label", predictor.facts.column, map(str, run.dataset.collection.table.columns))
    return predictor.to(device_of(run.model)), ()


def _class(predictor: Predictor, to: str | None) -> tuple[int | None, str]:
    """The number of the class that is explained, and its name; None and an empty name of a number."""
    classes = [*predictor.facts.classes]
    if not classes:
        if to is not None:
            raise InputError("to", f"be left out, as {predictor.facts.column} is a number", to)
        return None, ""
    if to is None:
        if len(classes) > 2:
            known = ", ".join(name or "''" for name in classes[:12]) + ", ..." * (len(classes) > 12)
            raise InputError("to", "name the class that is explained", "none", f"Known: {known}.")
        return 1, classes[1]
    if to not in classes:
        raise unknown_name("to", to, classes)
    return classes.index(to), to


def _best(explained: Explained, measured: dict[str, Measured]) -> str:
    """The method whose first solution reaches most of what was wanted; a baseline only where there is nothing else."""

    def reached(name: str) -> tuple[bool, bool, float]:
        series, score = explained.series[name], measured[name].score("reached_span")
        return not series.is_baseline, name == series.method, score.value if score else 0.0

    return max(explained.series, key=reached)


def _out_of_reach(explained: Explained, method: str) -> str:
    """That some of what was wanted cannot be reached, without a full stop; empty where all of it can."""
    wanted, said = explained.targets, explained.series[method].said
    far = np.abs(said - wanted) > _MISSED * (np.ptp(wanted) or 1.0)
    if not far.any():
        return ""
    named, least, most = method.replace("_", "-"), f"{said.min():.3g}", f"{said.max():.3g}"
    return (
        f"Of {far.size:,} steps of {named} {far.sum():,} are out of reach of the model's images: wanted there was "
        f"{wanted[far].min():.3g} to {wanted[far].max():.3g}, and the classifier says {least} to {most} of all steps"
    )


def _gate(run: Run, judge: Judge, rows: np.ndarray) -> Fidelity:
    """Whether the classifier says the same of reconstructions, of these images."""
    said = list[tuple[Tensor, Tensor]]()
    model, images = run.images_for(rows)
    with evaluating(run.model):
        for given, x in batches(model, images, images_at_once(model.image_shape)):
            said.append((judge.classes(x), judge.classes(given.decode(given.encode(x).mean).mean)))
    return fidelity(*(torch.cat(each).numpy(force=True) for each in zip(*said, strict=True)))


def _write(found: Explanation) -> None:
    """Writes it, the scores last; what was said of confounders was of what stood there before."""
    explained, invert = found.explained, found.run.intensity.invert
    arrays: dict[str, np.ndarray] = {"rows": found.rows, "channels": np.array(found.run.channels)}
    what = stage_name(" = ".join(filter(None, [found.predictor.facts.column, found.to])), found.stage)
    arrays |= {"what": np.array(what), "known": np.array(found.known, np.str_)}
    arrays |= {"checkpoint": np.array(checkpoint_of(found.run))}
    arrays |= {"best": np.array(found.best), "nearest": found.nearest}
    arrays |= {"images": invert(explained.images), "reconstructions": invert(explained.reconstructions)}
    arrays |= {name: getattr(explained, name) for name in ("codes", "said", "said_of_reconstructions", "targets")}
    for name, series in explained.series.items():
        arrays |= {f"{name}/images": invert(series.images), f"{name}/codes": series.codes, f"{name}/said": series.said}
    arrays |= {f"saliency/{name}": each for name, each in found.saliency.items()}
    arrays |= {f"deletion/{name}": np.stack([c.accuracy, c.probability]) for name, c in found.curves.items()}
    files.check_folder(found.folder)
    (found.folder / "confounders.csv").unlink(missing_ok=True)
    with files.replacing(found.folder / "series.npz") as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
    gate = [score for score in (found.fidelity.agreement, found.fidelity.correlation) if score]
    judged = {"gate": gate, **{name: measured.scores for name, measured in found.measured.items()}}
    judged |= {f"saliency/{name}": curves.measured.scores for name, curves in found.curves.items()}
    rows = [{**row, "method": name} for name, of in judged.items() for row in scores_table(of).to_dict("records")]
    table = pd.DataFrame(rows)
    table["warning"] = found.fidelity.warning
    files.write(found.folder / "scores.csv", table.to_csv(index=False))
