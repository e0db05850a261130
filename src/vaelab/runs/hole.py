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
_OWN, _NEAREST, _BLEND = (
    ("squared_errors", "overlaps"),
    ("nearest_errors", "nearest_overlaps"),
    ("blend_errors", "blend_overlaps"),
)
_RIVALS = {evaluation.NEAREST: _NEAREST, evaluation.BLEND: _BLEND}


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

    arrays = {name: there[name] for names_ in (_OWN, _NEAREST, _BLEND) for name in names_ if name in there}
    with local_randomness(seed, torch.device("cpu")):
        if len(arrays) < 6:
            arrays = _drawn(run, model, rows, there["codes"], regions, place)
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


def _drawn(
    run: Run,
    model: Callable[[np.ndarray], Model],
    rows: np.ndarray,
    codes: np.ndarray,
    regions: np.ndarray,
    place: Hole,
) -> dict[str, np.ndarray]:
    """Error and overlap of each image, of the model and of each rival; not a number of those that lie nowhere."""
    found = {name: np.full(len(rows), np.nan) for names in (_OWN, _NEAREST, _BLEND) for name in names}
    train = np.sort(np.random.default_rng(0).permutation(run.splits.train)[:MOST_TRAINING])
    factors = run.dataset.collection.table[list(place.factors)].to_numpy(float)
    corners, weights = evaluation.neighbours(factors[rows], factors[train])
    looked_at, size = np.flatnonzero(regions.any(1)), images_at_once(run.model.image_shape)
    for some in np.split(looked_at, range(size, len(looked_at), size)) if len(looked_at) else ():
        x = run.feed(rows[some]).clone()
        parts = (run.feed(train[corners[some, i]]).numpy() * _each(weights[some, i]) for i in range(corners.shape[1]))
        own = evaluation.decoded(model(some), codes[some])
        nearest = nearest_images(x, run.feed.batches(train))
        for names, drawing in ((_OWN, own), (_NEAREST, nearest), (_BLEND, sum(parts))):
            for name, measure in zip(names, (evaluation.errors_of, evaluation.overlaps_of), strict=True):
                found[name][some] = measure(x.numpy(), np.asarray(drawing))
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


def _each(weights: np.ndarray) -> np.ndarray:
    """One for each image, as a factor of its pixels."""
    return weights[:, None, None, None].astype(np.float32)
