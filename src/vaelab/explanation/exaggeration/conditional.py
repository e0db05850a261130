"""By a small network in latent space that learns where an image goes as the classifier is to see it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vaelab.errors import InputError
from vaelab.explanation.exaggeration._base import AT_ONCE, Draw, Drawn, Exaggeration, Scene, Targets
from vaelab.models import local_randomness
from vaelab.settings.ranges import AtLeast1, NotNegative, Positive
from vaelab.shapes import Images, Latents, PerImage

_LEAST, _WIDTH = 0.01, 128
_MOST = 4.6
"""The log-odds of 1 - `_LEAST`."""


class _Shift(nn.Module):
    """How far a code moves, by what the classifier says of it and what it is to say: nowhere at first."""

    spread: Tensor

    def __init__(self, spread: Tensor):
        super().__init__()
        last = nn.Linear(_WIDTH, len(spread))
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(nn.Linear(len(spread) + 2, _WIDTH), nn.SiLU(), last)
        self.register_buffer("spread", spread)

    def forward(self, z: Latents, said: PerImage, wanted: PerImage) -> Latents:
        """The codes moved; what is said, and wanted, in log-odds."""
        said, wanted = (of.float().clamp(-_MOST, _MOST)[:, None] / _MOST for of in (said, wanted))
        told = torch.cat([(z / self.spread).float(), said, wanted - said], 1)
        return z + self.spread * ((wanted - said) * self.layers(told)).to(z)


@dataclass(frozen=True, kw_only=True)
class Conditional(Exaggeration):
    """Codes z + s(z, c), the shift s learnt of other images so that the classifier says c of what is drawn there.

        loss = consistency * KL(c || f(x')) + cycle * -log p(x | z' + s(z', f(x))) / D
        s(z, c) = (log-odds of c - log-odds of f(decode(z))) * network(z, f(decode(z)), c)
        x' = decode(z + s(z, c)),  z' = encode(x'),  c drawn from U(0, 1),  D the pixels times channels

    The network's last layer begins at 0, so the training begins at the model's own reconstructions, and where c is what
    the classifier says already, nothing moves. The cycle's weight grows from 0 over the first third. The model stays as
    it is: a decoder that is tuned with the shift learns pixels that please the classifier, whatever is asked for.

    *Source*: Singla et al. 2020, section 2 (https://arxiv.org/abs/1911.00483), consistency and cycle; Zhang et al. 2023
    (https://arxiv.org/abs/2302.05543), a condition that begins at zero. That the model stays is vaelab's own.
    """

    consistency: NotNegative = 1.0
    """Weight of what the classifier says of the image that is drawn."""
    cycle: NotNegative = 1.0
    """Weight of the way back."""
    num_steps: AtLeast1 = 300
    """Steps of Adam."""
    batch_size: AtLeast1 = 32
    """Images in each."""
    learning_rate: Positive = 1e-2
    """It falls to 0 along half a cosine."""

    def check(self, scene: Scene) -> None:
        """See Exaggeration."""
        if not scene.judge.has_gradient or scene.judge.is_number:
            got = "a number" if scene.judge.is_number else "one without a gradient"
            mend = "Take --methods latent-shift, which needs neither, or a torch module that gives probabilities."
            raise InputError("the classifier", "have a gradient, and probabilities, for conditional", got, mend)
        if scene.model.num_conditions:
            mend = "Take --methods class-exaggeration."
            raise InputError("the model", "have no conditions of its own for conditional", "some", mend)

    def __call__(self, scene: Scene, targets: Targets) -> Drawn:
        """See Exaggeration."""
        return self.fitted(scene)(scene, targets)

    def fitted(self, scene: Scene) -> Draw:
        """See Exaggeration."""
        with local_randomness(scene.seed, scene.z.device), torch.enable_grad():
            shift = self._learnt(scene)

        def draw(scene: Scene, targets: Targets) -> Drawn:
            count = targets.shape[1]
            with torch.no_grad():
                said = _said(scene, scene.z).repeat_interleave(count)
                codes = shift(scene.z.repeat_interleave(count, 0), said, targets.flatten().logit(1e-6))
            return scene.drawn(codes.unflatten(0, targets.shape))

        return draw

    def _learnt(self, scene: Scene) -> _Shift:
        shift, x = _Shift(scene.spread).to(scene.z.device), scene.others_x
        z = scene.others[: len(x)].to(scene.z)
        said = _said(scene, z)
        adam = torch.optim.Adam(shift.parameters(), self.learning_rate)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, self.num_steps)
        for step in range(self.num_steps):
            rows = torch.randint(len(x), (self.batch_size,))
            share = min(1.0, 3 * step / self.num_steps)
            loss = self._loss(scene, shift, x[rows], z[rows], said[rows], scene.others_said[rows].to(z), share)
            for own, slope in zip(shift.parameters(), torch.autograd.grad(loss, [*shift.parameters()]), strict=True):
                own.grad = slope
            adam.step()
            falling.step()
        return shift

    def _loss(
        self, scene: Scene, shift: _Shift, x: Images, z: Latents, said: PerImage, own: PerImage, share: float
    ) -> Tensor:
        """Of some images, their codes, the log-odds of what is said of reconstructions, and what is said of them."""
        model, wanted = scene.model, torch.rand_like(own).clamp(_LEAST, 1 - _LEAST)
        other = model.decode(shift(z, said, wanted.logit())).mean
        found = scene.judge.log_odds(other).to(z)  # which have a slope where f rounds to 0 or 1
        differs = nn.functional.binary_cross_entropy_with_logits(found, wanted, reduction="none")
        loss = self.consistency * (differs - nn.functional.binary_cross_entropy(wanted, wanted, reduction="none"))
        if share and self.cycle:
            there = model.encode(other).mean
            back = model.decode(shift(there, found.detach(), own.logit(1e-6))).log_prob(x)
            loss = loss - share * self.cycle * back / x[0].numel()
        return loss.mean()


def _said(scene: Scene, z: Latents) -> PerImage:
    """The log-odds of what the classifier says of what is drawn at these codes, without gradients."""
    with torch.no_grad():
        return torch.cat([scene.judge.log_odds(scene.model.decode(some).mean) for some in z.split(AT_ONCE)])
