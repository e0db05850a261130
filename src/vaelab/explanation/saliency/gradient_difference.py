"""What changes between the extremes, where the classifier looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vaelab.explanation.saliency._base import Saliency, View
from vaelab.shapes import Images


@dataclass(frozen=True, kw_only=True)
class GradientDifference(Saliency):
    """df/dx at the image, times the difference of the extremes: what each pixel's change does to f, if f is linear.

    *Source*: Shrikumar et al. 2016 (https://arxiv.org/abs/1605.01713), gradient x input, the input being the change.
    """

    needs_gradient: ClassVar[bool] = True

    def attributions(self, view: View) -> Images:
        """See Saliency."""
        return view.slope * view.difference
