"""The small handwritten digits that come with scikit-learn: real images without a download."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from vaelab.data.collection import ImageCollection
from vaelab.data.sources._base import Source

LEVELS = 16


@dataclass(frozen=True, kw_only=True)
class DigitsSource(Source):
    """1,797 handwritten digits, 8x8 pixels of 17 levels, that scikit-learn carries.

        stored = rint(level * 255/16),    level = rint(stored * 16/255),    level = 0, 1, ..., 16

    The step of 15.9 keeps the levels apart, so nothing is lost. The table's ``label`` is the digit, 0 to 9.

    *Source*: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
    1998, https://doi.org/10.24432/C50P49, licence CC BY 4.0; scikit-learn's copy is that set's test part, written by 13
    people: 32x32 bitmaps in which the pixels set in each 4x4 block were counted.

    >>> DigitsSource().load()
    ImageCollection(1,797 images, 1x8x8 uint8, channels: intensity; table: label)
    """

    def load(self, *, strict: bool = False, progress: bool = False) -> ImageCollection:
        """See Source."""
        from sklearn.datasets import load_digits  # here, because it takes as long to import as the rest together

        levels, labels = load_digits(return_X_y=True)
        images = np.rint(levels * (255 / LEVELS)).astype(np.uint8).reshape(-1, 1, 8, 8)
        return ImageCollection(images=images, table=pd.DataFrame({"label": labels}), channels=("intensity",))
