"""p(z): where codes are expected before an image is seen. One file, one prior."""

from __future__ import annotations

from vaelab.priors._base import Encode, LatentPrior, Prior

__all__ = ["Encode", "LatentPrior", "Prior"]
