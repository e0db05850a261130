"""By a copy of the model that learns to draw an image as the classifier is to see it."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vaelab.errors import InputError
from vaelab.explanation.exaggeration._base import AT_ONCE, Draw, Drawn, Exaggeration, Scene, Targets
from vaelab.models import Model, in_evaluation_mode, local_randomness
from vaelab.settings.ranges import AtLeast1, NotNegative, Positive
from vaelab.shapes import Images, Latents, PerImage

_LEAST, _WIDTH = 0.01, 128


class _Moved(nn.Module):
    """The model's decoder at z + shift(z, c), where c is what the classifier is to say; the shift begins at 0."""

    spread: Tensor

    def __init__(self, model: Model, spread: Tensor):
        super().__init__()
        self.model = copy.deepcopy(model)
        last = nn.Linear(_WIDTH, model.latent_dim)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.shift = nn.Sequential(nn.Linear(model.latent_dim + 1, _WIDTH), nn.SiLU(), last)
        self.register_buffer("spread", spread)

    def move(self, z: Latents, wanted: PerImage) -> Latents:
        """The codes at which the images are drawn."""
        told = torch.cat([z / self.spread, wanted[:, None]], 1)
        return z + self.spread * self.shift(told.float()).to(z)

    def draw(self, scene: Scene, targets: Targets) -> Drawn:
        """A series for each image."""
        with torch.no_grad(), in_evaluation_mode(self):
            codes, images = [], []
            z = scene.z.repeat_interleave(targets.shape[1], 0)
            for some, wanted in zip(z.split(AT_ONCE), targets.flatten().split(AT_ONCE), strict=True):
                codes.append(self.move(some, wanted))
                images.append(self.model.decode(codes[-1]).mean)
            return Drawn(torch.cat(codes).unflatten(0, targets.shape), torch.cat(images).unflatten(0, targets.shape))


@dataclass(frozen=True, kw_only=True)
class Conditional(Exaggeration):
    """What the trained model draws after it was fine-tuned, under what the classifier is to say.

        loss = -log p(x | z, c) / D + consistency * KL(c' || f(x')) + cycle * -log p(x | z', c) / D
        x' = decode(z + shift(z, c')),  z' = encode(x'),  c = f(x),  c' drawn from U(0, 1),  D the pixels times channels

    The shift is a small network whose last layer begins at 0, so that the fine-tuning begins at the model as it is; the
    decoder is tuned with it, at a tenth of the rate. Consistency and cycle grow from 0 over the first third. A joint
    training from nothing would collapse.

    *Source*: Singla et al. 2020, section 2 (https://arxiv.org/abs/1911.00483), consistency and cycle; Zhang et al. 2023
    (https://arxiv.org/abs/2302.05543), a condition that begins at zero.
    """

    consistency: NotNegative = 1.0
    """Weight of what the classifier says of the image that is drawn."""
    cycle: NotNegative = 1.0
    """Weight of the way back."""
    num_steps: AtLeast1 = 300
    """Steps of Adam."""
    batch_size: AtLeast1 = 32
    """Images in each."""
    learning_rate: Positive = 3e-3
    """Of the shift; it falls to 0 along half a cosine."""

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
            return self._tuned(scene).draw

    def _tuned(self, scene: Scene) -> _Moved:
        moved = _Moved(scene.model, scene.spread).to(scene.z.device)
        moved.model.requires_grad_(True)
        groups = [{"params": moved.shift.parameters()}, {"params": moved.model.parameters(), "lr": 0.1}]
        groups = [{**group, "lr": group.get("lr", 1.0) * self.learning_rate} for group in groups]
        adam = torch.optim.Adam(groups)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, self.num_steps)
        with in_evaluation_mode(moved):
            for step in range(self.num_steps):
                rows = torch.randint(len(scene.others_x), (self.batch_size,))
                share = min(1.0, 3 * step / self.num_steps)
                adam.zero_grad()
                self._loss(scene, moved, scene.others_x[rows], scene.others_said[rows].to(scene.z), share).backward()
                adam.step()
                falling.step()
        return moved

    def _loss(self, scene: Scene, moved: _Moved, x: Images, said: PerImage, share: float) -> Tensor:
        model, pixels = moved.model, x[0].numel()
        with torch.no_grad():
            z = scene.model.encode(x).mean
        own = -model.decode(moved.move(z, said)).log_prob(x) / pixels
        if not share:
            return own.mean()
        wanted = torch.rand_like(said)
        other = model.decode(moved.move(z, wanted)).mean
        wanted_inside = wanted.clamp(_LEAST, 1 - _LEAST)
        found = scene.judge.log_odds(other).to(z)  # which have a slope where f rounds to 0 or 1
        differs = nn.functional.binary_cross_entropy_with_logits(found, wanted_inside, reduction="none")
        differs = differs - nn.functional.binary_cross_entropy(wanted_inside, wanted_inside, reduction="none")
        back = -model.decode(moved.move(model.encode(other).mean, said)).log_prob(x) / pixels
        return (own + share * (self.consistency * differs + self.cycle * back)).mean()
