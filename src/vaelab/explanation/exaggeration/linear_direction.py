"""Along the one direction in which a linear model finds the classifier's answer in the codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from vaelab.explanation.exaggeration._base import Drawn, Exaggeration, Scene, Targets
from vaelab.explanation.exaggeration._line import along
from vaelab.settings.ranges import Positive

_LEAST = 1e-3
"""Probabilities are kept so far from 0 and 1 before their logits are taken."""


@dataclass(frozen=True, kw_only=True)
class LinearDirection(Exaggeration):
    """Codes z + lambda w, w the same for all images, the lambda searched for each target.

        w = argmin over w, b of sum over other images of (logit f(x) - w z - b)^2 + |s w|^2

    z their codes and s each latent's standard deviation; of a classifier that predicts a number, the number in place of
    its logit.

    *Source*: Hoerl and Kennard 1970, https://doi.org/10.1080/00401706.1970.10488634 (ridge regression); Denton et al.
    2019, https://arxiv.org/abs/1906.06439 (one direction for a class).
    """

    is_baseline: ClassVar[bool] = True

    reach: Positive = 8.0
    """How far to look, in standard deviations of the codes."""

    def __call__(self, scene: Scene, targets: Targets) -> Drawn:
        """See Exaggeration."""
        from sklearn.linear_model import Ridge

        said = scene.others_said.numpy(force=True).astype(np.float64)
        if not scene.judge.is_number:
            said = said.clip(_LEAST, 1 - _LEAST)
            said = np.log(said / (1 - said))
        codes = (scene.others / scene.spread).numpy(force=True).astype(np.float64)
        weights = torch.as_tensor(Ridge(alpha=1.0).fit(codes, said).coef_).to(scene.z)
        return scene.drawn(along(scene, (weights * scene.spread).expand_as(scene.z), targets, self.reach))
