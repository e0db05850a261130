"""Under a condition that goes from the image's own to another class's, and beyond it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from vaelab.errors import InputError
from vaelab.explanation.exaggeration._base import AT_ONCE, Drawn, Exaggeration, Scene, Targets
from vaelab.explanation.exaggeration._line import NUM_PLACES, how_far
from vaelab.settings.ranges import Positive


@dataclass(frozen=True, kw_only=True)
class ClassExaggeration(Exaggeration):
    """The image's code, drawn under the condition c + lambda (c' - c), the lambda searched for each target.

    c is the image's own condition and c' that of the class; lambda = 1 is the class itself, above 1 its effect is
    exaggerated. For conditional models.

    *Source*: study 1 of vaelab's own list, which exaggerates the effect of each perturbation; Sohn et al. 2015
    (https://papers.nips.cc/paper/5775), conditional VAEs.
    """

    reach: Positive = 3.0
    """How far to look, in differences of the two conditions."""

    def check(self, scene: Scene) -> None:
        """See Exaggeration."""
        if scene.model.conditions is None or scene.toward is None:
            got = "none" if scene.model.conditions is None else "none to go to"
            mend = "Train with data.condition, and say under which condition with --toward."
            raise InputError("the model", "have conditions for class-exaggeration", got, mend)

    def __call__(self, scene: Scene, targets: Targets) -> Drawn:
        """See Exaggeration."""
        own = scene.model.conditions_of(len(scene.z))
        assert own is not None
        assert scene.toward is not None
        away = scene.toward - own

        def draw(places: Targets) -> torch.Tensor:
            count = places.shape[1]
            conditions = own[:, None] + places[..., None].to(own) * away[:, None]
            model, z = scene.model.given(conditions.flatten(0, 1)), scene.z.repeat_interleave(count, 0)
            pieces = ((model.part(i, min(i + AT_ONCE, len(z))), z[i : i + AT_ONCE]) for i in range(0, len(z), AT_ONCE))
            return torch.cat([part.decode(some).mean for part, some in pieces]).unflatten(0, places.shape)

        def say(places: Targets) -> Targets:
            return scene.judge(draw(places).flatten(0, 1)).view(places.shape).to(targets)

        with torch.no_grad():
            places = self.reach * torch.linspace(-1, 1, NUM_PLACES, dtype=targets.dtype, device=targets.device)
            codes = scene.z[:, None].expand(*targets.shape, -1)
            return Drawn(codes, draw(how_far(say, places, targets)))
