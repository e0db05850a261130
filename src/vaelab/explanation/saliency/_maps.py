"""Saliency maps of explained images, by every way that there is."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from vaelab.catalogue import find, members, name_of
from vaelab.errors import unknown_name
from vaelab.explanation._explain import Explained
from vaelab.explanation.saliency._base import Saliency, View


def saliency_maps(
    explained: Explained,
    method: str = "latent_shift",
    saliencies: Iterable[str | Saliency] | None = None,
) -> dict[str, np.ndarray]:
    """Of each explained image, how much each of its pixels matters.

    Args:
        explained: What `explain` gave.
        method: Whose series is looked at.
        saliencies: Names, or members of the family `Saliency` with settings of their own; left out, all that work with
            this classifier.

    Returns:
        Saliency -> (image, channel, height, width), 0 or more.

    Raises:
        InputError: A name is not known, or a saliency needs a gradient that the classifier lacks.

    >>> from vaelab.explanation import explain
    >>> from vaelab.models import VAEConfig
    >>> vae, x = VAEConfig(latent_dim=2).build((1, 8, 8)), torch.rand(4, 1, 8, 8)
    >>> bright = lambda x: np.stack([1 - x.mean((1, 2, 3)), x.mean((1, 2, 3))], 1)
    >>> {name: found.shape for name, found in saliency_maps(explain(vae, bright, x, targets=3)).items()}
    {'difference': (4, 1, 8, 8)}
    """
    judge = explained.judge
    method = method.replace("-", "_")
    if method not in explained.series:
        raise unknown_name("method", method, explained.series)
    if saliencies is not None:
        saliencies = [*saliencies]
    else:
        saliencies = [name for name, each in members(Saliency).items() if judge.has_gradient or not each.needs_gradient]
    called = {each: find(Saliency, each, "saliency") for each in saliencies if isinstance(each, str)}
    chosen = [called[each]() if isinstance(each, str) else each for each in saliencies]  # pyright: ignore
    order = explained.targets.argsort(1)[..., None, None, None]
    steps = np.take_along_axis(explained.series[method].images, order, 1)
    view = View(judge=judge, x=torch.from_numpy(explained.images), steps=torch.from_numpy(steps))
    with torch.no_grad():
        return {name_of(each): each(view).numpy(force=True) for each in chosen}
