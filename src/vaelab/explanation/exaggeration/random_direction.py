"""Along a line that has nothing to do with the classifier: what a method must do better than."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from vaelab.explanation.exaggeration._base import Drawn, Exaggeration, Scene, Targets
from vaelab.explanation.exaggeration._line import along
from vaelab.settings.ranges import Positive


@dataclass(frozen=True, kw_only=True)
class RandomDirection(Exaggeration):
    """Codes z + lambda u, u drawn at random for each image, the lambda searched for each target.

    *Source*: the null of every other way.
    """

    is_baseline: ClassVar[bool] = True

    reach: Positive = 8.0
    """How far to look, in standard deviations of the codes."""

    def __call__(self, scene: Scene, targets: Targets) -> Drawn:
        """See Exaggeration."""
        random = torch.Generator().manual_seed(scene.seed)
        drawn = torch.randn(scene.z.shape, generator=random).to(scene.z) * scene.spread
        return scene.drawn(along(scene, drawn, targets, self.reach))
