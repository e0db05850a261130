"""Where a small change of the image changes what the classifier says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vaelab.explanation.saliency._base import Saliency, View
from vaelab.shapes import Images


@dataclass(frozen=True, kw_only=True)
class Gradient(Saliency):
    """df/dx at the image. It knows nothing of the series, and little where f is near 0 or 1 and so flat.

    *Source*: Simonyan et al. 2014 (https://arxiv.org/abs/1312.6034).
    """

    needs_gradient: ClassVar[bool] = True

    def attributions(self, view: View) -> Images:
        """See Saliency."""
        return view.slope
