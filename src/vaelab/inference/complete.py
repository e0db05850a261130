"""Images of which a part is hidden, completed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from vaelab.data.rows import Rows
from vaelab.errors import InputError
from vaelab.inference.batches import ImageBatches, Trained, batches, opened
from vaelab.inference.decode import decode_mean
from vaelab.inference.infer import Inferred, Search, infer, mask_for
from vaelab.inference.reconstruct import reconstruct
from vaelab.models import Model, local_randomness
from vaelab.shapes import Images

SIDES = ("left", "right", "top", "bottom")


@dataclass(frozen=True, eq=False, kw_only=True)
class Completion:
    """What a model makes of the hidden part of images."""

    images: np.ndarray
    """(image, channel, height, width): the whole images, in [0, 1]."""
    visible: np.ndarray
    """(channel, height, width): True where pixels were known."""
    inferred: Inferred
    """The posteriors, given the visible pixels."""
    ways: dict[str, np.ndarray]
    """Way -> (image, channel, height, width). ``inferred``: decoded at the posterior's mean. ``encoder``: what the
    encoder makes of the image with its hidden part black. ``nearest``: the training image that is nearest in the
    visible part."""
    draws: np.ndarray
    """(image, draw, channel, height, width): decoded at draws of the posterior."""

    def errors(self) -> dict[str, np.ndarray]:
        """Way -> (image,): mean squared error of the hidden pixels."""
        hidden = ~self.visible
        return {
            name: np.square(filled - self.images)[:, hidden].mean(1, dtype=np.float64)
            for name, filled in self.ways.items()
        }


def half(side: str, image_shape: tuple[int, int, int]) -> np.ndarray:
    """(channel, height, width): True in the half of that side, the middle of an odd number of pixels left out.

    Raises:
        InputError: It is no side.

    >>> half("left", (1, 1, 4)).astype(int).tolist()
    [[[1, 1, 0, 0]]]
    """
    if side not in SIDES:
        raise InputError("visible", f"be one of {', '.join(SIDES)}", repr(side))
    mask = np.zeros(image_shape, bool)
    along = mask if side in ("left", "right") else mask.swapaxes(1, 2)
    count = along.shape[2] // 2
    along[:, :, slice(count) if side in ("left", "top") else slice(-count, None)] = True
    return mask


def complete(
    model: Model | Trained,
    images: ImageBatches | Rows | None = None,
    visible: np.ndarray | str = "left",
    search: Search | None = None,
    *,
    training_images: ImageBatches | None = None,
    num_draws: int = 5,
    seed: int = 0,
    on_step: Callable[[int], None] | None = None,
) -> Completion:
    """Infers the code of each image from its visible part, and draws the whole of it.

    Args:
        model: The model, or a run.
        images: As in `embed`; all of them are held.
        visible: left, right, top or bottom half; or (channel, height, width) or (height, width), True where pixels are
            known.
        search: As in `infer`.
        training_images: Gives the nearest training image, where there.
        num_draws: Draws of each posterior; 0 or more.
        seed: Of every draw.
        on_step: As in `infer`.

    Raises:
        InputError: As `infer`; or the mask hides nothing.

    *Source*: study 2 of vaelab's own list; Rezende, Mohamed and Wierstra 2014, section 6.3 (https://arxiv.org/abs/1401.4082),
    who complete by a chain of encoder and decoder instead.

    >>> from vaelab.models import VAEConfig
    >>> vae = VAEConfig(latent_dim=2).build((1, 8, 8))
    >>> done = complete(vae, torch.rand(3, 1, 8, 8).round(), "left", Search(num_steps=3))
    >>> done.draws.shape, done.errors()["encoder"].shape
    ((3, 5, 1, 8, 8), (3,))
    """
    model, images = opened(model, images)
    mask = half(visible, model.image_shape) if isinstance(visible, str) else mask_for(visible, model.image_shape)
    if mask.all():
        raise InputError("visible", "hide some pixels", "none")
    if num_draws < 0:
        raise InputError("num_draws", "be 0 or more", num_draws)
    x = torch.cat([part for _, part in batches(model, images)])
    inferred = infer(model, x, search, visible=mask, seed=seed, on_step=on_step)
    black = torch.where(torch.from_numpy(mask).to(x.device), x, 0)
    at_mean = torch.from_numpy(inferred.loc).to(x.device)
    ways = {"inferred": decode_mean(model, at_mean), "encoder": reconstruct(model, black)}
    if training_images is not None:
        ways["nearest"] = _nearest(x, mask, training_images)
    with local_randomness(seed, torch.device("cpu")):
        z = inferred.posterior().sample(torch.Size([num_draws]))
    draws = [decode_mean(model, each.to(x.device)) for each in z]
    return Completion(
        images=x.cpu().numpy(),
        visible=mask,
        inferred=inferred,
        ways=ways,
        draws=np.stack(draws, axis=1) if draws else np.zeros((len(x), 0, *model.image_shape), np.float32),
    )


def _nearest(x: Images, mask: np.ndarray, training_images: ImageBatches) -> np.ndarray:
    """(image, channel, height, width): the training image with the smallest squared error of the visible pixels."""
    seen = torch.from_numpy(mask).to(x.device)
    own = x[:, seen]
    best, found = torch.full((len(x),), torch.inf, device=x.device), torch.zeros_like(x)
    for batch in [training_images] if isinstance(training_images, torch.Tensor | np.ndarray) else training_images:
        others = torch.as_tensor(batch).to(x.device)
        distance, place = torch.cdist(own, others[:, seen]).min(1)
        better = distance < best
        best = torch.where(better, distance, best)
        found[better] = others[place[better]]
    return found.cpu().numpy()
