"""What each pixel adds to what the classifier says, along the series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from vaelab.explanation.saliency._base import Saliency, View, slopes
from vaelab.settings.ranges import AtLeast1
from vaelab.shapes import Images


@dataclass(frozen=True, kw_only=True)
class IntegratedGradients(Saliency):
    """The gradient integrated along the series, straight from step to step.

        integral of df/dx dx from the first step to the last

    Complete: over all pixels and channels it adds up to what f says of the last step less what it says of the first, to
    the rounding of the sum that stands for the integral.

    *Source*: Sundararajan et al. 2017 (https://arxiv.org/abs/1703.01365), along a path.
    """

    needs_gradient: ClassVar[bool] = True

    num_points: AtLeast1 = 4
    """Of each piece between two steps, in the middles of so many equal parts."""

    def attributions(self, view: View) -> Images:
        """See Saliency."""
        found = torch.zeros_like(view.x)
        for start, end in zip(view.steps.unbind(1)[:-1], view.steps.unbind(1)[1:], strict=True):
            for i in range(self.num_points):
                middle = start + (i + 0.5) / self.num_points * (end - start)
                found += slopes(view.judge, middle) * (end - start) / self.num_points
        return found
