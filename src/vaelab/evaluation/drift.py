"""How far codes of the same images move while a model is trained, and when they have settled."""

from __future__ import annotations

import numpy as np

from vaelab.errors import InputError
from vaelab.evaluation.alignment import procrustes, shared_neighbours

SETTLED = 0.7
"""The share of an image's 10 nearest that are its nearest in the end, from which neighbourhoods count as settled."""


def drift(loc: np.ndarray, scale: np.ndarray, since: int) -> dict[str, np.ndarray]:
    """How far codes have moved since one snapshot, at each.

    Args:
        loc: (snapshot, image, latent): posterior means.
        scale: (snapshot, image, latent): their standard deviations.
        since: Which snapshot they are set against.

    Returns:
        left: (snapshot,): the share of the variance that is left when the codes of that snapshot are turned, mirrored,
            shifted and scaled to lie on these (Procrustes): what changed in the arrangement of images.
        kl: (snapshot,): the mean over images of KL(q now || q then), in nats, axes as they are: what the decoder of
            then would notice.

    *Source*: KL of Gaussians: Kullback and Leibler 1951; `vaelab.evaluation.alignment.procrustes`.

    >>> z = np.random.default_rng(0).normal(size=(9, 2))
    >>> found = drift(np.stack([z, z[:, ::-1], z + 1]), np.ones((3, 9, 2)), 0)
    >>> found["left"].round(6).tolist(), found["kl"][[0, 2]].round(6).tolist()
    ([0.0, 0.0, 0.0], [0.0, 1.0])
    """
    if loc.ndim != 3 or loc.shape != scale.shape:
        raise InputError("loc and scale", "be of one shape (snapshot, image, latent)", (loc.shape, scale.shape))
    then, width = loc[since].astype(np.float64), scale[since].astype(np.float64)
    ratio = (scale / width) ** 2
    kl = 0.5 * (ratio + ((loc - then) / width) ** 2 - 1 - np.log(ratio)).sum(2)
    left = [procrustes(then, now)[1] for now in loc]
    return {"left": np.array(left), "kl": kl.mean(1)}


def kept_in_the_end(loc: np.ndarray) -> np.ndarray:
    """(snapshot,): the mean share of an image's 10 nearest that are among its 10 nearest at the last snapshot.

    Not a number where nothing can be ranked, such as for fewer than 12 images.

    Args:
        loc: (snapshot, image, latent): posterior means.
    """
    found = [shared_neighbours(now, loc[-1]) for now in loc]
    return np.array([each.mean() if len(each) else np.nan for each in found])


def settled_step(steps: np.ndarray, kept: np.ndarray, level: float = SETTLED) -> int | None:
    """The first step from which on neighbourhoods stay as they are in the end; None where they never do.

    The last snapshot, which is the end, is no witness.

    Args:
        steps: (snapshot,).
        kept: (snapshot,), as `kept_in_the_end` gives it.
        level: From which share on they count as settled.

    >>> settled_step(np.array([10, 20, 30, 40]), np.array([0.8, 0.5, 0.75, 1.0]))
    30
    """
    below = np.flatnonzero(~(kept[:-1] >= level))
    first = int(below[-1]) + 1 if len(below) else 0
    return int(steps[first]) if first < len(kept) - 1 else None
