"""Shapes with five known factors, as in the disentanglement benchmark."""

from __future__ import annotations

from dataclasses import replace

from vaelab.data import Data, Split
from vaelab.data.sources.sprites import SpritesSource
from vaelab.experiment import Experiment
from vaelab.likelihoods.bernoulli import BernoulliLikelihood
from vaelab.models import VAEConfig
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.training import Training


def sprites() -> Experiment:
    """White shapes with five known factors: the network of the disentanglement benchmark, beta 4, 20,000 steps.

    *Source*: Locatello et al. 2019, appendix, tables of architectures and hyperparameters
    (https://arxiv.org/abs/1811.12359); Higgins et al. 2017 (beta).
    """
    return Experiment(
        name="sprites",
        data=Data(source=SpritesSource()),
        model=VAEConfig(
            latent_dim=10,
            encoder=ConvEncoder(widths=(32, 32, 64, 64), kernels=(4, 4, 2, 2), dense=(256,), norm="none"),
            decoder=ConvDecoder(widths=(64, 64, 32, 32), dense=(256,), norm="none"),
            likelihood=BernoulliLikelihood(),
            posterior_scale="log_scale",
        ),
        objective=ELBO(rate_weight=4.0),
        training=Training(batch_size=64, num_steps=20_000, learning_rate=1e-4),
    )


def sprites_benchmark() -> Experiment:
    """The same on the whole grid of 737,280 images for 300,000 steps, as published: for a GPU.

    *Source*: as sprites.
    """
    short = sprites()
    data = replace(short.data, source=SpritesSource(num_images=None), split=Split(validation=0.01, test=0.01))
    return replace(short, name="sprites-benchmark", data=data, training=replace(short.training, num_steps=300_000))
