"""Along the classifier's gradient in the latent space."""

from __future__ import annotations

from dataclasses import dataclass

from vaelab.explanation.exaggeration._base import Drawn, Exaggeration, Scene, Targets
from vaelab.explanation.exaggeration._line import along
from vaelab.settings.ranges import Positive


@dataclass(frozen=True, kw_only=True)
class LatentShift(Exaggeration):
    """Codes z + lambda df/dz, the lambda searched for each target.

        x_delta = decode(z + lambda df(decode(z))/dz),  f(x_delta) = f(x) + delta

    Where the classifier has no gradient, that along the latents is taken by differences.

    *Source*: Cohen et al. 2021, Gifsplanation, section 2 (https://arxiv.org/abs/2102.09475).
    """

    reach: Positive = 8.0
    """How far to look, in standard deviations of the codes."""

    def __call__(self, scene: Scene, targets: Targets) -> Drawn:
        """See Exaggeration."""
        return scene.drawn(along(scene, scene.slope, targets, self.reach))
