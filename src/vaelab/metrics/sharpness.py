"""How much fine detail reconstructions keep."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.fft import dctn

from vaelab.metrics._metric import per_image
from vaelab.metrics._shapes import Images

_ROUNDING = 1 / (12 * 255**2)
"""The variance that rounding to 256 levels adds to a pixel."""


@per_image(
    "Sharpness",
    group="pixels",
    order=50,
    unit="dB",
    better="neither",
    source="the discrete cosine transform of Ahmed et al. 1974, https://doi.org/10.1109/T-C.1974.223784",
)
def sharpness(
    images: Images,
    reconstructions: Images,
    channels: Sequence[str] = (),
    cutoff: float = 0.25,
) -> np.ndarray:
    """How much power the reconstruction has in fine detail, against the image: 0 dB is as sharp as the image.

        10 log10((P(reconstruction) + e) / (P(image) + e))

    P is the power per pixel at frequencies above the cutoff, over both axes together, by the cosine transform, which,
    unlike Fourier's, takes no edge of the image for detail. Below 0 the reconstruction is blurred: -3 dB is half the
    power, -10 dB a tenth. Above 0 it has detail that the image hasn't, such as noise or a checkerboard, so higher is
    not better. It asks how much detail there is, and not whether it is in its place. e is what rounding to 256 levels
    adds, so that an image without detail has a number, too.

    Args:
        images: In [0, 1].
        reconstructions: Of the same images; of binary images they are means, which are smooth where it is uncertain.
        channels: The channels' names.
        cutoff: Where fine detail begins, in cycles per pixel, from 0 to 0.7; at 0.25 a light and a dark stripe
            together are 4 pixels wide.

    *Source*: Ahmed et al. 1974 (https://doi.org/10.1109/T-C.1974.223784), the transform.

    >>> x = np.random.default_rng(0).random((2, 1, 16, 16))
    >>> round(sharpness(x, x / 2)[0].value, 2)  # a quarter of the power
    -6.02
    """
    down, right = (np.arange(side) / (2 * side) for side in images.shape[-2:])
    fine = np.hypot(down[:, None], right) >= cutoff
    least = _ROUNDING * max(float(fine.mean()), 1 / fine.size)
    ours, theirs = (_power(x, fine) + least for x in (reconstructions, images))
    return 10 * np.log10(ours / theirs)


def _power(x: np.ndarray, fine: np.ndarray) -> np.ndarray:
    """(image, channel): per pixel, at these frequencies; over all of them it is the mean square of the pixels."""
    return np.square(np.asarray(dctn(x, axes=(-2, -1), norm="ortho"))[..., fine]).sum(-1, dtype=np.float64) / fine.size
