"""By gradient steps on the code itself, held near where it began and where codes are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch.nn.functional import huber_loss

from vaelab.errors import InputError
from vaelab.explanation.exaggeration._base import Drawn, Exaggeration, Scene, SeriesCodes, Targets
from vaelab.inference import images_at_once
from vaelab.settings.ranges import AtLeast1, NotNegative, Positive
from vaelab.shapes import Latents, PerImage

_SUREST = 1e-7


@dataclass(frozen=True, kw_only=True)
class LatentOptimization(Exaggeration):
    """Codes that minimise how far the classifier is from what is wanted, how far they moved, and how rare they are.

        h(logit f(decode(z')) - logit target) + proximity |(z' - z) / s|^2 / d + prior |z' / s|^2 / d

    h is Huber's loss, s each latent's standard deviation, d their number; of a predicted number, the number in standard
    deviations in place of the logit. All images and targets take their steps of Adam together. Of several solutions
    each pays for its nearness to those before:

        diversity mean over them of exp(-2 |(z' - z_other) / s|^2 / d)

    *Source*: Wachter et al. 2018, equation 2 (https://arxiv.org/abs/1711.00399); Joshi et al. 2019, in the latent space
    (https://arxiv.org/abs/1907.09615); Mothilal et al. 2020 (https://arxiv.org/abs/1905.07697), that they differ.
    """

    proximity: NotNegative = 0.1
    """Weight of the distance from the image's code."""
    prior: NotNegative = 0.01
    """Weight of the distance from where codes are common."""
    num_steps: AtLeast1 = 100
    """Steps of Adam."""
    learning_rate: Positive = 0.1
    """Of the first step, in standard deviations; it falls to 0 along half a cosine."""
    num_solutions: AtLeast1 = 1
    """Series of each image, which reach the same targets by different changes."""
    diversity: NotNegative = 1.0
    """Weight of the nearness to the codes of the series before."""

    def check(self, scene: Scene) -> None:
        """See Exaggeration."""
        if not scene.judge.has_gradient:
            mend = "Take --methods latent-shift, which needs none, or a torch module."
            raise InputError("the classifier", "have a gradient for latent-optimization", "one without", mend)

    def __call__(self, scene: Scene, targets: Targets) -> Drawn:
        """See Exaggeration."""
        return scene.drawn(self._solution(scene, targets, []))

    def more(self, scene: Scene, targets: Targets, first: Drawn) -> Iterator[Drawn]:
        """See Exaggeration."""
        found = [first.codes]
        for _ in range(1, self.num_solutions):
            found.append(self._solution(scene, targets, found))
            yield scene.drawn(found[-1])

    def _solution(self, scene: Scene, targets: Targets, before: Sequence[SeriesCodes]) -> SeriesCodes:
        """Codes away from those of the series before, from a start beside the image's code where there are any."""
        count = targets.shape[1]
        start, spread = scene.z.repeat_interleave(count, 0), scene.spread
        random = torch.Generator().manual_seed(scene.seed + len(before))
        moved = 0.5 * bool(before) * torch.randn(start.shape, generator=random).to(start)
        moved.requires_grad_()
        others = [(codes.flatten(0, 1) - start) / spread for codes in before]
        adam = torch.optim.Adam([moved], self.learning_rate)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, self.num_steps)
        at_once = max(1, images_at_once(scene.model.image_shape) // count)
        with torch.enable_grad():
            for _ in range(self.num_steps):
                adam.zero_grad()
                for first in range(0, len(targets), at_once):
                    own = slice(first * count, (first + at_once) * count)
                    cost = self._cost(scene, count, first, targets.flatten()[own], start[own], moved[own])
                    for other in others:
                        near = (-2 * (moved[own] - other[own]).square().mean(1)).exp()
                        cost = cost + self.diversity / len(others) * near
                    cost.sum().backward()
                adam.step()
                falling.step()
        return (start + moved.detach() * spread).unflatten(0, targets.shape)

    def _cost(self, scene: Scene, count: int, first: int, wanted: PerImage, start: Latents, moved: Latents) -> PerImage:
        """Of `count` codes for each image from the `first` on, without what nearness to other series costs."""
        is_number, unit = scene.judge.is_number, scene.others_said.std().clamp(min=1e-6)
        z = start + moved * scene.spread
        said = scene.say_with_gradient(z, count, first, log_odds=not is_number)
        said, wanted = (said / unit, wanted / unit) if is_number else (said, wanted.logit(_SUREST))
        near, usual = moved.square().mean(1), (z / scene.spread).square().mean(1)
        return huber_loss(said, wanted, reduction="none") + self.proximity * near + self.prior * usual
