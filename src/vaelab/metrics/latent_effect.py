"""How far each latent moves the image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vaelab.metrics._metric import metric
from vaelab.metrics._resample import mean_score
from vaelab.metrics._score import Score, no_score
from vaelab.metrics._shapes import Moves

_UNIT = "intensity"


@metric(
    "Effect of a latent on the image",
    group="code",
    order=15,
    better="neither",
    source="study 3 of vaelab's own list",
)
def latent_effect(latent_moves: Moves, channels: Sequence[str] = ()) -> list[Score]:
    """How far the image moves when one latent crosses the central 95 % of its distribution, the others held.

        mean over images of  sqrt(mean over pixels of (x at one end - x at the other)^2)

    1 is from black to white. First the mean over latents, then each latent by itself (the part is called ``z3``) and,
    where there are several channels, on each of them (``z3 red``): the square of the whole is the mean of the channels'
    squares, image by image. A latent that the decoder does not look at has 0. The two ends alone are looked at, so a
    latent that goes round and comes back to the same image seems to move nothing.

    Args:
        latent_moves: root mean squares over pixels.
        channels: Their names; numbered from 0 where it is empty.

    *Source*: study 3 of vaelab's own list, which asks for the effect of each latent on an image as a distance.

    >>> moves = np.array([[[0.3, 0.0]], [[0.1, 0.0]]])
    >>> [(score.part, round(score.value, 4)) for score in latent_effect(moves, ("red", "green"))]
    [('', 0.1414), ('z0', 0.1414), ('z0 red', 0.2), ('z0 green', 0.0)]
    """
    count, num_latents, num_channels = latent_moves.shape
    if not (count and num_latents):
        return [no_score("no code was moved", _UNIT, count)]
    if not np.isfinite(latent_moves).all():
        return [no_score("what was drawn is not finite", _UNIT, count)]
    wholes = np.sqrt(np.square(latent_moves, dtype=np.float64).mean(2))
    names = [str(name) for name in channels or range(num_channels)]
    columns = {"": wholes.mean(1)}
    for latent in range(num_latents):
        columns[f"z{latent}"] = wholes[:, latent]
        if num_channels > 1:
            columns |= {f"z{latent} {name}": latent_moves[:, latent, c] for c, name in enumerate(names)}
    return [mean_score(column, _UNIT, part=part, null=0.0) for part, column in columns.items()]
