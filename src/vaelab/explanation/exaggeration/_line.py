"""How far to go along a line or a curve until the classifier says what is wanted."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from vaelab.explanation.exaggeration._base import Scene, SeriesCodes, Targets
from vaelab.shapes import Latents

Path = Float[Tensor, "image point latent"]
NUM_PLACES, _HALVINGS = 33, 8


def how_far(say: Callable[[Targets], Targets], places: Tensor, targets: Targets) -> Targets:
    """For each target the place nearest to 0 where f is as wanted, else the one where f comes nearest.

    Args:
        say: From places (image, place) on each image's line to what f says there.
        places: (place,), rising, where f is looked at first; between the two nearest to 0 that have the target between
            them the line is halved 8 times.
        targets: What the classifier is wanted to say.
    """
    miss = say(places.expand(len(targets), -1))[:, None] - targets[..., None]  # (image, target, place)
    crosses = miss[..., :-1] * miss[..., 1:] <= 0
    first = torch.where(crosses, (places[:-1] + places[1:]).abs(), torch.inf).argmin(-1)
    low, high, from_low = places[first], places[first + 1], miss.gather(-1, first[..., None])[..., 0]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_on_low = (say(middle) - targets) * from_low > 0
        low, high = torch.where(is_on_low, middle, low), torch.where(is_on_low, high, middle)
    return torch.where(crosses.any(-1), (low + high) / 2, places[miss.abs().argmin(-1)])


def along(scene: Scene, direction: Latents, targets: Targets, reach: float) -> SeriesCodes:
    """On each image's straight line the codes where f is as wanted.

    Args:
        scene: The images, the model and the classifier.
        direction: Of each image's line.
        targets: What the classifier is wanted to say.
        reach: How far to look on either side, in standard deviations of the codes along the line.
    """
    unit = direction / direction.norm(dim=1, keepdim=True).clamp(min=1e-30)
    step = unit * (unit * scene.spread).norm(dim=1, keepdim=True)

    def at(places: Targets) -> SeriesCodes:
        return scene.z[:, None] + places[..., None] * step[:, None]

    places = reach * torch.linspace(-1, 1, NUM_PLACES, dtype=targets.dtype, device=targets.device)
    return at(how_far(lambda some: scene.say(at(some)), places, targets))


def on_path(scene: Scene, points: Path, targets: Targets) -> SeriesCodes:
    """On each image's path the codes where f is as wanted.

    Args:
        scene: The images, the model and the classifier.
        points: Of the paths, an odd number; the one in the middle is the image's own code.
        targets: What the classifier is wanted to say.
    """
    middle = (points.shape[1] - 1) // 2

    def at(places: Targets) -> SeriesCodes:
        low = (places + middle).floor().long().clamp(0, points.shape[1] - 2)
        index = low[..., None].expand(*low.shape, points.shape[2])
        return torch.lerp(points.gather(1, index), points.gather(1, index + 1), (places + middle - low)[..., None])

    places = torch.arange(-middle, middle + 1, dtype=targets.dtype, device=targets.device)
    return at(how_far(lambda some: scene.say(at(some)), places, targets))
