"""Along a line or a curve through each image's code, to where the classifier says what is wanted."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from vaelab.explanation.exaggeration._base import Scene, SeriesCodes, Targets
from vaelab.shapes import Latents

Path = Float[Tensor, "image point latent"]
_POINTS, _HALVINGS = 33, 8


def along(scene: Scene, direction: Latents, targets: Targets, reach: float) -> SeriesCodes:
    """On each image's straight line, looked at in 33 places, the codes where f is as wanted; see `on_path`.

    Args:
        scene: The images, the model and the classifier.
        direction: Of each image's line.
        targets: What the classifier is wanted to say.
        reach: How far to look on either side, in standard deviations of the codes along the line.
    """
    step = direction / (direction / scene.spread).norm(dim=1, keepdim=True).clamp(min=1e-12)
    places = reach * torch.linspace(-1, 1, _POINTS, dtype=scene.z.dtype, device=scene.z.device)
    return on_path(scene, scene.z[:, None] + places[:, None] * step[:, None], targets)


def on_path(scene: Scene, points: Path, targets: Targets) -> SeriesCodes:
    """For each target the code on the path nearest to its middle where f is as wanted, else where f comes nearest.

    Between the two points nearest to the middle that have the target between them the path is halved 8 times.

    Args:
        scene: The images, the model and the classifier.
        points: Of the paths, an odd number; the one in the middle is the image's own code.
        targets: What the classifier is wanted to say.
    """
    miss = scene.say(points)[:, None] - targets[..., None]  # (image, target, point)
    crosses = miss[..., :-1] * miss[..., 1:] <= 0
    pieces = torch.arange(points.shape[1] - 1, device=points.device)
    from_middle = (pieces - pieces.double().mean()).abs()
    first = torch.where(crosses, from_middle, torch.inf).argmin(-1)

    def at(which: Tensor) -> SeriesCodes:
        return points.gather(1, which[..., None].expand(*which.shape, points.shape[2]))

    low, high, from_low = at(first), at(first + 1), miss.gather(-1, first[..., None])[..., 0]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_on_low = ((scene.say(middle) - targets) * from_low > 0)[..., None]
        low, high = torch.where(is_on_low, middle, low), torch.where(is_on_low, high, middle)
    return torch.where(crosses.any(-1)[..., None], (low + high) / 2, at(miss.abs().argmin(-1)))
