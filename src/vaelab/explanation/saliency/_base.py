"""The contract of every saliency."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch

from vaelab.errors import InputError
from vaelab.explanation.exaggeration._base import SeriesImages
from vaelab.explanation.judge import Judge
from vaelab.inference import images_at_once
from vaelab.settings.ranges import Settings
from vaelab.shapes import Images


@dataclass(frozen=True, eq=False, kw_only=True)
class View:
    """What a saliency looks at."""

    judge: Judge
    """f."""
    x: Images
    """The images."""
    steps: SeriesImages
    """Their series, from the step of which f should say the least to that of which it should say the most."""

    @cached_property
    def slope(self) -> Images:
        """df/dx at each image."""
        return slopes(self.judge, self.x)

    @property
    def difference(self) -> Images:
        """The last step less the first."""
        return self.steps[:, -1] - self.steps[:, 0]


@dataclass(frozen=True, kw_only=True)
class Saliency(Settings, ABC):
    """A number for each pixel: how much it matters."""

    needs_gradient: ClassVar[bool] = False
    """Whether it works only with a classifier through which gradients flow."""

    def __call__(self, view: View) -> Images:
        """(image, channel, height, width), 0 or more: the attributions without their signs.

        Raises:
            InputError: It needs a gradient, and the classifier has none.
        """
        return self.attributions(view).abs()

    @abstractmethod
    def attributions(self, view: View) -> Images:
        """The same with signs: which way a pixel moves f.

        Args:
            view: The classifier, the images and their series.
        """


def slopes(judge: Judge, x: Images) -> Images:
    """df/dx at each image.

    Raises:
        InputError: No gradient flows from what the classifier says to the image.
    """
    mend = "Take the saliency difference, which needs none, or a torch module that can be differentiated."
    refusal = InputError("the classifier", "have a gradient for this saliency", "one without", mend)
    if not judge.has_gradient:
        raise refusal
    found = []
    for some in x.split(images_at_once(tuple(x.shape[1:]))):  # pyright: ignore[reportArgumentType]
        with torch.enable_grad():
            own = some.detach().requires_grad_()
            said = judge(own)
            slope = torch.autograd.grad(said.sum(), own, allow_unused=True)[0] if said.requires_grad else None
        if slope is None:
            raise refusal
        found.append(slope)
    return torch.cat(found)


def combined(saliency: np.ndarray) -> np.ndarray:
    """(image, height, width): all channels of (image, channel, height, width) together, by their sum."""
    return saliency.sum(1)
