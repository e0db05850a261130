"""What a run draws in a hole of its source's plane, and what trivial models make of the same images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from vaelab.data.sources import Hole
from vaelab.evaluation import Measured, all_metrics, measure_arrays
from vaelab.evaluation import hole as evaluation
from vaelab.inference import images_at_once, nearest_images
from vaelab.models import Model, local_randomness
from vaelab.runs.read import Run

MOST_IMAGES, MOST_TRAINING, MOST_SEARCHED, FEWEST_SEARCHED = 2000, 5000, 32, 8
"""Images that are looked at, training images among which rivals are looked for, and images inside and outside the hole,
each, of which codes are searched for; with fewer affordable than the last, none."""
_OWN = ("squared_errors", "overlaps")
_RIVALS = {
    evaluation.NEAREST: ("nearest_errors", "nearest_overlaps"),
    evaluation.BLEND: ("blend_errors", "blend_overlaps"),
}


def with_hole(
    run: Run,
    stage: str,
    rows: np.ndarray,
    metrics: Sequence[str],
    found: Measured,
    there: Mapping[str, np.ndarray],
    *,
    asked: bool,
    seed: int,
) -> Measured:
    """What was measured, and with it the metrics that ask where images lie about a hole; as it is without a hole.

    Of more than 2,000 images 2,000 are drawn, and codes are searched for at 32 images at most inside and outside each.

    Args:
        run: The run.
        stage: Of its model.
        rows: (image,), in its collection.
        metrics: Names of those that are wanted.
        found: What was measured of the images.
        there: Arrays that are known already, codes among them.
        asked: Whether the metrics were named; else codes are searched for only where that is cheap.
        seed: Of every draw.
    """
    wanted = [metric for metric in all_metrics(metrics).values() if "regions" in metric.needs]
    place = run.experiment.data.source.hole
    if not wanted or place is None or place.inside not in (table := run.dataset.collection.table):
        return found
    regions, names = regions_in(place, table.iloc[rows])
    regions[np.random.default_rng(seed).permutation(len(rows))[MOST_IMAGES:]] = False

    def model(places: np.ndarray) -> Model:
        return run.given(rows[places]).stages()[stage]

    arrays = {name: there[name] for each in (_OWN, *_RIVALS.values()) for name in each if name in there}
    with local_randomness(seed, torch.device("cpu")):
        if len(arrays) < 6:
            arrays = _drawn(run, model, rows, there["codes"], regions)
        if any("reached_errors" in metric.needs for metric in wanted):
            arrays |= _reached(run, model, rows, there["codes"], arrays["squared_errors"], regions, asked, seed)
    sought = [metric for metric in wanted if "reached_errors" in metric.needs]
    facts, sides = ({"regions": regions[:, :n], "region_names": names[:n]} for n in (len(names), 2))
    own = [measure_arrays({**arrays, **facts}, [m for m in wanted if m not in sought])]
    own += [measure_arrays({**arrays, **sides}, sought)]
    scores = [score for each in own for score in each.scores]
    for name, (errors, overlaps) in _RIVALS.items():
        theirs = {"squared_errors": arrays[errors], "overlaps": arrays[overlaps]}
        scores += [replace(score, model=name) for score in measure_arrays({**theirs, **facts}, wanted).scores]
    columns = pd.concat([found.per_image, *(each.per_image for each in own)], axis=1)
    return replace(found, scores=(*found.scores, *scores), per_image=columns, arrays={**found.arrays, **arrays})


def regions_in(place: Hole, table: pd.DataFrame) -> tuple[np.ndarray, tuple[str, ...]]:
    """(image, region) and the regions' names, from what the table says of images; see `evaluation.hole.regions_of`."""
    lines = table[place.line].fillna("").to_numpy(str) if place.line in table else np.full(len(table), "")
    return evaluation.regions_of(table[place.inside].to_numpy(bool), lines)


def rivals(run: Run, rows: np.ndarray) -> dict[str, np.ndarray]:
    """What trivial models make of images: name -> (image, channel, height, width).

    ``nearest training image``: the one with the least squared error of the pixels. ``linear blend``: of the training
    images at the corners of the triangle in the plane of the known factors that an image lies in, as is known of it;
    beyond all training images, the nearest in the plane. Of more than 5,000 training images 5,000 are drawn.

    Args:
        run: Of a source with a hole.
        rows: (image,), in its collection; all of them are held.
    """
    place = run.experiment.data.source.hole
    train = np.sort(np.random.default_rng(0).permutation(run.splits.train)[:MOST_TRAINING])
    factors = run.dataset.collection.table[list(place.factors if place else ())].to_numpy(float)
    corners, weights = evaluation.neighbours(factors[rows], factors[train])
    blend = np.zeros((len(rows), *run.model.image_shape), np.float32)
    for corner, weight in zip(corners.T, weights.T, strict=True):
        blend += run.feed(train[corner]).numpy() * weight[:, None, None, None].astype(np.float32)
    nearest = nearest_images(run.feed(rows).clone(), run.feed.batches(train))
    return {evaluation.NEAREST: nearest, evaluation.BLEND: blend}


def _drawn(
    run: Run, model: Callable[[np.ndarray], Model], rows: np.ndarray, codes: np.ndarray, regions: np.ndarray
) -> dict[str, np.ndarray]:
    """Error and overlap of each image, of the model and of each rival; not a number of those that lie nowhere."""
    found = {name: np.full(len(rows), np.nan) for names in (_OWN, *_RIVALS.values()) for name in names}
    looked_at, size = np.flatnonzero(regions.any(1)), images_at_once(run.model.image_shape)
    for some in np.split(looked_at, range(size, len(looked_at), size)) if len(looked_at) else ():
        images, theirs = run.feed(rows[some]).numpy().copy(), rivals(run, rows[some])
        drawings = [(_OWN, evaluation.decoded(model(some), codes[some]))]
        drawings += [(_RIVALS[name], drawing) for name, drawing in theirs.items()]
        for (error, overlap), drawing in drawings:
            found[error][some] = evaluation.errors_of(images, drawing)
            found[overlap][some] = evaluation.overlaps_of(images, drawing)
    return found


def _reached(
    run: Run,
    model: Callable[[np.ndarray], Model],
    rows: np.ndarray,
    codes: np.ndarray,
    errors: np.ndarray,
    regions: np.ndarray,
    asked: bool,
    seed: int,
) -> dict[str, np.ndarray]:
    """Errors at the best code found, of some images; nothing where searching is dear and nobody asked for it."""
    each = MOST_SEARCHED if asked else min(MOST_SEARCHED, evaluation.affordable(run.model) // 2)
    if each < FEWEST_SEARCHED:
        return {}
    order = np.random.default_rng(seed).permutation(len(rows))
    some = np.sort(np.concatenate([order[regions[order, side]][:each] for side in (0, 1)]))
    reached = np.full(len(rows), np.nan)
    if len(some):
        x = run.feed(rows[some]).clone()
        reached[some] = np.fmin(evaluation.best_codes(model(some), x, codes[some], seed)[1], errors[some])
    return {"reached_errors": reached}
