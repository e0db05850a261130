"""What a model draws in a part of a known plane that no training image came from, and who fails there."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from scipy.spatial import Delaunay, KDTree, QhullError

from vaelab.inference import Search, decode_mean, images_at_once, infer, operations
from vaelab.metrics import Score
from vaelab.models import Model, device_of
from vaelab.shapes import Images

NEAREST, BLEND = "nearest training image", "linear blend"
SEARCHES = tuple(Search(num_steps=200, start=start) for start in ("encoder", "prior"))
"""By which codes are sought without the encoder, from where it put them and from anywhere; the better one counts."""
AFFORDABLE = 2e12
"""Floating-point operations of the decoder that such a search may cost where nobody asked for it."""
_PASSES = 3
"""What a gradient costs, in passes of the decoder."""


def regions_of(inside: np.ndarray, lines: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """(image, region) where each image lies, and the regions' names: inside and outside, of all and of each place.

    Args:
        inside: (image,) whether it lies in the hole.
        lines: (image,) the name of the line across the hole that it lies on; empty for others.

    >>> regions_of(np.array([True, False, True]), np.array(["", "", "up"]))[1]
    ('inside', 'outside', 'disc', 'disc, outside', 'up', 'up, outside')
    """
    places = {"": np.ones(len(inside), bool), "disc": lines == ""}
    places |= {str(line): lines == line for line in dict.fromkeys(lines.tolist()) if line}
    names = [name for place in places for name in ((place, f"{place}, outside") if place else ("inside", "outside"))]
    return np.stack([there & where for there in places.values() for where in (inside, ~inside)], axis=1), tuple(names)


def errors_of(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """(image,): mean squared error of the pixels."""
    return np.square(images - reconstructions).reshape(len(images), -1).mean(1, dtype=np.float64)


def overlaps_of(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """(image,): pixels above 0.5 in both, over those above 0.5 in either; 1 where there are none.

    >>> overlaps_of(np.array([[0.9, 0.9, 0.1]]), np.array([[0.8, 0.2, 0.8]])).round(3).tolist()
    [0.333]
    """
    ours, theirs = (part.reshape(len(part), -1) > 0.5 for part in (images, reconstructions))
    either = (ours | theirs).sum(1)
    return np.where(either > 0, (ours & theirs).sum(1) / np.maximum(either, 1), 1.0)


def neighbours(points: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(point, corner) which known points lie around each, and what each weighs in the linear blend that gives it.

    The corners of its simplex of the Delaunay triangulation, by barycentric coordinates; where a point lies beyond all
    known ones, or these have no triangulation, the nearest alone.

    Args:
        points: (point, dimension).
        known: (known point, dimension).

    >>> known = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> rows, weights = neighbours(np.array([[0.25, 0.25], [9.0, 0.0]]), known)
    >>> (weights[..., None] * known[rows]).sum(1).tolist()
    [[0.25, 0.25], [1.0, 0.0]]
    """
    count, size = points.shape
    rows, weights = np.zeros((count, size + 1), int), np.zeros((count, size + 1))
    rows[:], weights[:, 0] = np.asarray(KDTree(known).query(points)[1])[:, None], 1
    try:
        mesh = Delaunay(known)
    except QhullError:
        return rows, weights
    simplex = mesh.find_simplex(points)
    within = simplex >= 0
    transform = mesh.transform[simplex[within]]
    first = np.einsum("pij,pj->pi", transform[:, :size], points[within] - transform[:, size])
    barycentric = np.column_stack([first, 1 - first.sum(1)])
    fine = np.isfinite(barycentric).all(1)
    chosen = np.flatnonzero(within)[fine]
    rows[chosen], weights[chosen] = mesh.simplices[simplex[chosen]], np.clip(barycentric[fine], 0, 1)
    return rows, weights


def best_codes(model: Model, x: Images, codes: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(image, latent) the code that draws each image best of those found, and (image,) its mean squared error.

    Found are the encoder's, and the means of posteriors that are searched for from there and from the prior.

    Args:
        model: The model, for these images.
        x: The images.
        codes: The encoder's.
        seed: Of where the search begins.
    """
    kept, least, images = codes.copy(), np.full(len(x), np.inf), x.cpu().numpy()
    for found in (codes, *(infer(model, x, search, seed=seed).loc for search in SEARCHES)):
        errors = errors_of(images, decoded(model, found))
        better = errors < least
        kept[better], least[better] = found[better], errors[better]
    return kept, least


def decoded(model: Model, codes: np.ndarray) -> np.ndarray:
    """(image, channel, height, width): the mean of p(x|z) of each code."""
    z = torch.from_numpy(np.ascontiguousarray(codes, np.float32)).to(device_of(model))
    return decode_mean(model, z, images_at_once(model.image_shape))


def affordable(model: Model) -> int:
    """For how many images best codes may be searched for unasked; on a GPU, 50 times as many."""
    faster = 1 if device_of(model).type == "cpu" else 50
    return int(faster * AFFORDABLE // (_PASSES * sum(search.num_steps for search in SEARCHES) * operations(model)))


def who_failed(scores: Iterable[Score]) -> str:
    """Who fails inside the hole, in words that the intervals allow; empty where no code was searched for.

    >>> known = {"metric": "hole_encoder_share", "unit": "share", "count": 9}
    >>> who_failed([Score(value=0.9, interval=(0.7, 1.1), **known)])
    'the encoder: a better code draws away 0.90 (0.70 to 1.10) of the error that the hole adds'
    """
    score = next((s for s in scores if (s.metric, s.part, s.model) == ("hole_encoder_share", "", "")), None)
    if score is None:
        return ""
    if score.reason:
        return f"neither, as {score.reason.partition(': ')[0]}" if "shown" in score.reason else ""
    low, high = score.interval or (-np.inf, np.inf)
    who = "the encoder" if low > 0.5 else "the decoder" if high < 0.5 else "not shown whether encoder or decoder"
    share = f"{score.value:.2f} ({low:.2f} to {high:.2f})".replace("-", "\N{MINUS SIGN}")
    return f"{who}: a better code draws away {share} of the error that the hole adds"
