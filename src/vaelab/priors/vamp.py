"""A prior of posteriors: the mixture of what the encoder says of learnt images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily

from vaelab.errors import InputError
from vaelab.priors._base import Encode, LatentPrior, Prior
from vaelab.settings.ranges import AtLeast1
from vaelab.shapes import Images

_NOISE = 0.01


@dataclass(frozen=True, kw_only=True)
class VampPrior(Prior):
    """The mean of the posteriors of learnt images, the pseudo-inputs u_k.

        p(z) = 1/K sum over k of q(z|u_k)

    The prior that makes the ELBO largest is the mean posterior of all training images; this is one of K images, which
    are learnt with the rest. They are kept in [0, 1] by clamping, as in the authors' program; the gradient of a pixel
    that is at an end passes where it leads back inside, so that none is stuck there. The rate has no closed form; it is
    log q(z|x) - log p(z) on the sample.

    Each use of `model.prior` encodes K images, so take it once and keep it. In training that is one more pass of K
    images through the encoder for each batch.

    Batch normalisation in the encoder sees the pseudo-inputs as a batch of their own. While training they are
    normalised by their own means, not by the images', so q(z|u_k) depends on the other pseudo-inputs too, and an
    encoder cannot tell them apart from images by brightness or contrast; and their means enter the running ones at
    every step, in about equal parts with the images'. In evaluation both are normalised by these mixed ones, so where
    pseudo-inputs have become unlike images, images are encoded otherwise than they were in training. `start` and many
    pseudo-inputs keep the two alike; an encoder with norm="none" has no such question.

    *Source*: Tomczak and Welling 2018, VAE with a VampPrior, equation 9 (https://arxiv.org/abs/1705.07120).

    >>> from torch.distributions import Independent, Normal
    >>> prior = VampPrior(num_components=5).build(2, (1, 8, 8))
    >>> prior(lambda u: Independent(Normal(u.mean((2, 3)).expand(-1, 2), 1.0), 1)).log_prob(torch.zeros(3, 2)).shape
    torch.Size([3])
    """

    made_of_posteriors: ClassVar[bool] = True
    known_as: ClassVar[str] = "VampPrior"

    num_components: AtLeast1 = 50
    """Pseudo-inputs, each as large as an image. 50 cost less than half a batch of 128 more in the encoder,
    which a laptop bears; the paper's 500 cost four batches."""

    def build(self, latent_dim: int, image_shape: tuple[int, int, int]) -> LatentPrior:
        """See Prior. Fresh pseudo-inputs are noise."""
        return _Vamp(self.num_components, image_shape)


class _Vamp(LatentPrior):
    logits: Tensor

    def __init__(self, num_components: int, image_shape: tuple[int, int, int]):
        super().__init__()
        self.pseudo_inputs = nn.Parameter(torch.rand(num_components, *image_shape))
        self.register_buffer("logits", torch.zeros(num_components), persistent=False)

    def forward(self, encode: Encode) -> MixtureSameFamily:
        posteriors = encode(_clamp(self.pseudo_inputs))
        return MixtureSameFamily(Categorical(logits=self.logits, validate_args=False), posteriors, validate_args=False)

    @torch.no_grad()
    def start(self, images: Images, q: Independent, seed: int) -> None:
        """Puts the pseudo-inputs at images drawn without replacement, with noise of 0.01 so that no two are the same.

        Raises:
            InputError: There are fewer images than pseudo-inputs.
        """
        count = len(self.pseudo_inputs)
        if len(images) < count:
            mend = "Take fewer pseudo-inputs, or more images."
            raise InputError("the images", f"be at least {count}, one for each pseudo-input", len(images), mend)
        random = np.random.default_rng(seed)
        rows = torch.from_numpy(random.permutation(len(images))[:count]).to(images.device)
        noise = torch.from_numpy(random.normal(0, _NOISE, self.pseudo_inputs.shape)).to(images)
        self.pseudo_inputs.copy_((images[rows] + noise).clamp(0, 1))


class _Clamp(torch.autograd.Function):
    """Into [0, 1]; the gradient passes, except where to follow it downhill would lead further out."""

    @staticmethod
    def forward(ctx: Any, raw: Tensor) -> Tensor:
        ctx.save_for_backward(raw)
        return raw.clamp(0, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        (raw,) = ctx.saved_tensors
        outward = ((raw <= 0) & (gradient > 0)) | ((raw >= 1) & (gradient < 0))
        return gradient.masked_fill(outward, 0)


def _clamp(raw: Tensor) -> Images:
    return _Clamp.apply(raw)  # pyright: ignore[reportReturnType]
