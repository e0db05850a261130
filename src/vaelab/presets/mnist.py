"""MNIST: a first convolutional VAE, the VAE of the IWAE paper, and VaDE's clusters."""

from __future__ import annotations

from vaelab.data import Data, Source, Split
from vaelab.experiment import Experiment
from vaelab.likelihoods.bernoulli import BernoulliLikelihood
from vaelab.likelihoods.continuous_bernoulli import ContinuousBernoulliLikelihood
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.machine import cache_folder
from vaelab.models import VAEConfig
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.presets._images import Images, source_of
from vaelab.priors.mixture import MixturePrior
from vaelab.training import Training


def mnist(data: Images = None) -> Experiment:
    """MNIST, 50,000 / 10,000 / 10,000: convolutions, a normalised likelihood of grey pixels, early stopping.

    *Source*: LeCun et al. 1998 (the images); Loaiza-Ganem and Cunningham 2019 (the likelihood,
    https://arxiv.org/abs/1907.06845); study 2 of vaelab's own list (split, batch, early stopping).
    """
    return Experiment(
        name="mnist",
        data=Data(source=_mnist("mnist", data), split=Split(column="split", validation=10_000)),
        model=VAEConfig(
            latent_dim=16,
            encoder=ConvEncoder(widths=(32, 64), dense=(256,), norm="none"),
            decoder=ConvDecoder(widths=(64, 32), dense=(256,), norm="none"),
            likelihood=ContinuousBernoulliLikelihood(),
        ),
        objective=ELBO(),
        training=Training(batch_size=256, num_epochs=30, learning_rate=1e-3, schedule="cosine", patience=5),
    )


def iwae_mnist(data: Images = None) -> Experiment:
    """The one-layer VAE of the IWAE paper on dynamically binarised MNIST, 60,000 / 10,000: 784-200-200-50, tanh.

    The paper's schedule has 3,280 passes; this one anneals the learning rate along a cosine over 180. With seed 0,
    -log p(x) is 89.37 nats (88.89 to 89.82) on the 10,000 test images with 5,000 samples.

    *Source*: Burda et al. 2016, section 5 and table 1 (VAE, k = 1: 86.76 nats; https://arxiv.org/abs/1509.00519).
    """
    return Experiment(
        name="iwae-mnist",
        data=Data(source=_mnist("iwae-mnist", data), split=Split(column="split", validation=0), binarize="dynamic"),
        model=VAEConfig(
            latent_dim=50,
            encoder=MLPEncoder(hidden=(200, 200), activation="tanh"),
            decoder=MLPDecoder(hidden=(200, 200), activation="tanh"),
            likelihood=BernoulliLikelihood(),
            posterior_scale="log_scale",
        ),
        objective=ELBO(),
        training=Training(batch_size=100, num_epochs=180, learning_rate=3e-3, adam_epsilon=1e-4, schedule="cosine"),
    )


def mnist_vade(data: Images = None) -> Experiment:
    """Ten clusters of MNIST without labels: VaDE, a mixture of Gaussians as the prior, 784-500-500-2000-10.

    An autoencoder for 10 passes first, in place of the paper's stack of denoising ones; then 4 with the mixture, whose
    covariances are full, where the paper's are diagonal, and whose weights are held equal. It reaches an accuracy of
    0.951, 0.951 and 0.945 on the test images with seeds 0, 1 and 2; the paper's best run has 0.9446.

    *Source*: Jiang et al. 2017, section 4.2 (https://arxiv.org/abs/1611.05148).
    """
    steps_per_epoch = 600
    return Experiment(
        name="mnist-vade",
        data=Data(source=_mnist("mnist-vade", data), split=Split(column="split", validation=0)),
        model=VAEConfig(
            latent_dim=10,
            encoder=MLPEncoder(hidden=(500, 500, 2000)),
            decoder=MLPDecoder(hidden=(2000, 500, 500)),
            likelihood=GreyBernoulliLikelihood(),
            prior=MixturePrior(num_components=10, covariance_type="full", equal_weights=True),
            posterior_scale="log_scale",
        ),
        objective=ELBO(autoencoder_steps=10 * steps_per_epoch),
        training=Training(batch_size=100, num_epochs=14, learning_rate=1e-3),
    )


def _mnist(name: str, data: Images) -> Source:
    """The folder that is named, else where `vaelab data download mnist` puts it."""
    place = cache_folder() / "downloads" / "mnist"
    if data is None and not place.is_dir():
        return source_of(name, None, "the folder of MNIST's four IDX files; or: vaelab data download mnist")
    return source_of(name, data or place, "")
