"""The contract of every way to exaggerate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from vaelab.explanation.judge import Judge
from vaelab.models import Model
from vaelab.settings.ranges import Settings
from vaelab.shapes import Images, Latents, PerImage

Targets = Float[Tensor, "image target"]
"""What a classifier is wanted to say, for each image step by step."""
Others = Float[Tensor, "other latent"]
OtherImages = Float[Tensor, "held channel height width"]
OfOthers = Float[Tensor, " other"]
Toward = Float[Tensor, "1 number"]
SeriesCodes = Float[Tensor, "image target latent"]
SeriesImages = Float[Tensor, "image target channel height width"]
AT_ONCE = 512
"""Images that go through the networks together."""
_STEP = 1e-3


class Drawn(NamedTuple):
    """A series for each image."""

    codes: SeriesCodes
    """Where each step lies in the latent space."""
    images: SeriesImages
    """What is drawn there."""


Draw = Callable[["Scene", Targets], Drawn]
"""From images, a model and a classifier, and what is wanted, to series."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene:
    """The images to be explained, the model that draws them, and the classifier."""

    model: Model
    """In evaluation mode; given the images' conditions if it takes any."""
    judge: Judge
    """f."""
    x: Images
    """The images."""
    others_x: OtherImages
    """The first of other images, such as training images."""
    others: Others
    """Codes of those and more."""
    others_said: OfOthers
    """f of these images."""
    toward: Toward | None = None
    """(1, number): the condition that a conditional model is to go to."""
    seed: int = 0
    """Of what is drawn."""

    @cached_property
    def z(self) -> Latents:
        """The images' codes: the means of their posteriors."""
        with torch.no_grad():
            return self.model.encode(self.x).mean

    @cached_property
    def spread(self) -> Tensor:
        """(latent,): the standard deviation of each latent over the other images."""
        return self.others.std(0).clamp(min=1e-6)

    def decode(self, z: SeriesCodes) -> SeriesImages:
        """The means of p(x|z), without gradients."""
        return self._of_each(z, lambda model, codes: model.decode(codes).mean)

    def say(self, z: SeriesCodes) -> Targets:
        """f of what is drawn there, without gradients."""
        return self._of_each(z, lambda model, codes: self.judge(model.decode(codes).mean)[:, None])[..., 0].to(z.dtype)

    def say_with_gradient(self, z: Latents, count: int = 1, first: int = 0, *, log_odds: bool = False) -> PerImage:
        """f of what is drawn at codes, or its log-odds; gradients flow to the codes.

        Args:
            z: `count` codes for each image in turn, from the image `first` on.
            count: As above; likewise first.
            log_odds: Whether they are wanted.
        """
        model = self.model.part(first, first + len(z) // count)
        if model.conditions is not None and len(model.conditions) > 1:
            model = model.given(model.conditions.repeat_interleave(count, 0))
        return (self.judge.log_odds if log_odds else self.judge)(model.decode(z).mean)

    @cached_property
    def slope(self) -> Latents:
        """Where f rises at each image's code: df/dz, by central differences where the classifier has no gradient.

        Of a probability with a gradient it is that of the log-odds, which has the same direction and lasts where f
        rounds to 1.
        """
        if self.judge.has_gradient:
            z = self.z.detach().requires_grad_()
            with torch.enable_grad():
                (found,) = torch.autograd.grad(self.say_with_gradient(z, log_odds=not self.judge.is_number).sum(), z)
            return found
        steps = _STEP ** (1 / 3) * torch.diag(self.spread)
        around = torch.stack([self.z[:, None] + steps, self.z[:, None] - steps], 1).flatten(1, 2)
        up, down = self.say(around).chunk(2, 1)
        return (up - down) / (2 * steps.diagonal())

    def drawn(self, codes: SeriesCodes) -> Drawn:
        """Codes with what the model draws there."""
        return Drawn(codes, self.decode(codes))

    def _of_each(self, z: SeriesCodes, compute: Callable[[Model, Latents], Tensor]) -> Tensor:
        count, found = z.shape[1], list[Tensor]()
        at_once = max(1, AT_ONCE // count)
        with torch.no_grad():
            for start in range(0, len(z), at_once):
                some, model = z[start : start + at_once], self.model.part(start, min(start + at_once, len(z)))
                if model.conditions is not None and len(model.conditions) > 1:
                    model = model.given(model.conditions.repeat_interleave(count, 0))
                found.append(compute(model, some.flatten(0, 1)).unflatten(0, some.shape[:2]))
        return torch.cat(found)


@dataclass(frozen=True, kw_only=True)
class Exaggeration(Settings, ABC):
    """A way from an image to others like it, of which a classifier says step by step what was wanted."""

    is_baseline: ClassVar[bool] = False
    """Whether it is there for others to be measured against."""

    def check(self, scene: Scene) -> None:
        """Refuses a model or a classifier with which it cannot work, with the reason."""
        return

    def fitted(self, scene: Scene) -> Draw:
        """What draws the series of any images, once all that has to be learnt from the other images is learnt."""
        return self

    def more(self, scene: Scene, targets: Targets, first: Drawn) -> Iterator[Drawn]:
        """Other series of the same images, which reach the same by other changes; none, unless the way looks for them.

        Args:
            scene: As of `__call__`; likewise targets.
            first: What that gave.
        """
        yield from ()

    @abstractmethod
    def __call__(self, scene: Scene, targets: Targets) -> Drawn:
        """A series for each image, one step for each target.

        Args:
            scene: The images, the model and the classifier.
            targets: What the classifier is wanted to say.
        """
