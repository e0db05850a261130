"""Along a curve that is short by what happens to the image."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from vaelab.explanation.exaggeration._base import Drawn, Exaggeration, Scene, Targets
from vaelab.explanation.exaggeration._line import along, on_path
from vaelab.inference.geodesic import Bending, geodesics
from vaelab.settings.ranges import AtLeast1, Positive


@dataclass(frozen=True, kw_only=True)
class Geodesic(Exaggeration):
    """Codes on the shortest curves, by the decoder's metric, from the image to where f is lowest and highest wanted.

    The ends are those of latent-shift. On the way the image changes at an even pace, and no more than it must.

    *Source*: Shao, Kumar and Fletcher 2018 (https://arxiv.org/abs/1711.08014), the curves.
    """

    reach: Positive = 8.0
    """How far to look for the ends, in standard deviations of the codes."""
    num_steps: AtLeast1 = 50
    """Of the search for each curve."""
    num_points: AtLeast1 = 9
    """Of each half of a curve, between which it is straight."""

    def __call__(self, scene: Scene, targets: Targets) -> Drawn:
        """See Exaggeration."""
        ends = along(scene, scene.slope, torch.stack([targets.amin(1), targets.amax(1)], 1), self.reach)
        how = Bending(num_pieces=self.num_points - 1 or 1, num_steps=self.num_steps)
        down, up = (
            torch.from_numpy(geodesics(scene.model, scene.z, end, how, num_points=self.num_points + 1).points)
            for end in ends.unbind(1)
        )
        points = torch.cat([down.flip(1), up[:, 1:]], 1).to(scene.z)
        return scene.drawn(on_path(scene, points, targets))
