"""What changes between the extremes."""

from __future__ import annotations

from dataclasses import dataclass

from vaelab.explanation.saliency._base import Saliency, View
from vaelab.shapes import Images


@dataclass(frozen=True, kw_only=True)
class Difference(Saliency):
    """The image of which f should say the most, less that of which it should say the least.

    It needs no gradient, and shows what the model changes, whether or not f looks at it.

    *Source*: Singla et al. 2020 (https://arxiv.org/abs/1911.00483), the saliency map.
    """

    def attributions(self, view: View) -> Images:
        """See Saliency."""
        return view.difference
