"""What trivial models make of the same images, so that an error can be read."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vaelab.errors import InputError
from vaelab.evaluation._pass import Reconstructor
from vaelab.inference import ImageBatches
from vaelab.shapes import Images

MEAN_IMAGE = "mean image"
_MOST_NUMBERS = 62_000_000
_MOST_IMAGES = 5000


def fit_baselines(training_images: ImageBatches, num_components: int, seed: int = 0) -> dict[str, Reconstructor]:
    """The mean training image, and PCA with as many components as the model has latents.

    Fitted to the first 5,000 training images, fewer where those would not fit into 250 MB.

    Args:
        training_images: In [0, 1], in random order; a tensor or a stream of batches.
        num_components: PCA's; at most as many as there are images and pixels are used.
        seed: Of PCA's randomised solver.

    Returns:
        ``mean image`` and ``PCA``, each a function from images to reconstructions, clipped to [0, 1].

    >>> x = torch.rand(20, 1, 8, 8)
    >>> {name: tuple(f(x).shape) for name, f in fit_baselines(x, num_components=2).items()}
    {'mean image': (20, 1, 8, 8), 'PCA': (20, 1, 8, 8)}
    """
    mean, directions = principal_axes(training_images, num_components, seed)
    axes = torch.from_numpy(directions)

    def mean_image(x: Images) -> Images:
        return torch.from_numpy(mean).to(x).view(1, *x.shape[1:]).expand_as(x)

    def principal(x: Images) -> Images:
        center, on = torch.from_numpy(mean).to(x), axes.to(x)
        codes = (x.flatten(1) - center) @ on.T
        return (center + codes @ on).clamp(0, 1).view_as(x)

    return {MEAN_IMAGE: mean_image, "PCA": principal}


def principal_axes(training_images: ImageBatches, num_components: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(pixel,) the mean training image, and (component, pixel) PCA's axes; arguments as of `fit_baselines`."""
    from sklearn.decomposition import PCA  # here, because it takes as long to import as torch

    rows = _first_rows(training_images)
    with np.errstate(invalid="ignore"):  # all images the same: the share of the variance is 0 / 0, and not looked at
        pca = PCA(min(num_components, *rows.shape), random_state=seed).fit(rows)
    return rows.mean(0), np.asarray(pca.components_, rows.dtype)


def _first_rows(images: ImageBatches) -> np.ndarray:
    rows, count, most = [], 0, _MOST_IMAGES
    for batch in [images] if isinstance(images, Tensor | np.ndarray) else images:
        part = torch.as_tensor(batch)
        most = min(_MOST_IMAGES, _MOST_NUMBERS // part[0].numel())
        rows.append(part[: most - count].flatten(1).float().numpy(force=True).copy())
        count += len(rows[-1])
        if count >= most:
            break
    if count < 2:
        raise InputError("training_images", "hold at least two images", count)
    return np.concatenate(rows)
