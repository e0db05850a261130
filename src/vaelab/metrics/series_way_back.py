"""Whether an image returns when its exaggeration is exaggerated back."""

from __future__ import annotations

from vaelab.metrics._metric import metric
from vaelab.metrics._score import Score
from vaelab.metrics._series import check_images, ratio_of_means
from vaelab.metrics._shapes import PerImage


@metric(
    "The way back",
    group="explanations",
    order=120,
    better="lower",
    source="Singla et al. 2020, https://arxiv.org/abs/1911.00483 (its cycle loss, as a ratio)",
)
def series_way_back(gone: PerImage, back: PerImage) -> Score:
    """How far from its start the way back ends, as a share of how far the way out went.

        mean over images of |end - start| / mean over images of |extreme - start|

    The extreme step is taken for an image, and exaggerated until the classifier says what it said at the start. 0: the
    image returns; 1, the null: it stays as far away as it was.

    Args:
        gone: mean absolute difference of pixels between an image's extreme step and its reconstruction.
        back: the same between the end of the way back and the reconstruction.

    Raises:
        InputError: They are not of the same images.

    *Source*: Singla et al. 2020, of which it is the cycle loss (https://arxiv.org/abs/1911.00483).

    >>> import numpy as np
    >>> series_way_back(np.array([0.2, 0.4]), np.array([0.0, 0.06]))[0].value.__round__(6)
    0.1
    """
    check_images(len(gone), back=back)
    reason = "no image moved at all"
    return ratio_of_means(back, gone, "share of the way out", reason, null=1.0)
