"""Named experiments. Each is a function that returns one; a variant calls another and replaces a field."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from inspect import isfunction, signature
from pathlib import Path

from vaelab.data import Data, Scaling, Source, Split, open_source
from vaelab.data.sources.cells import CellsSource
from vaelab.data.sources.digits import DigitsSource
from vaelab.data.sources.rosettes import RosettesSource
from vaelab.data.sources.sprites import SpritesSource
from vaelab.errors import InputError, unknown_name
from vaelab.experiment import Experiment
from vaelab.likelihoods.bernoulli import BernoulliLikelihood
from vaelab.likelihoods.continuous_bernoulli import ContinuousBernoulliLikelihood
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.machine import cache_folder
from vaelab.models import TwoStageConfig, VAEConfig
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives import effective_beta
from vaelab.objectives.elbo import ELBO
from vaelab.objectives.two_stage import TwoStageObjective
from vaelab.penalties.mutual_information import MutualInformation
from vaelab.priors.mixture import MixturePrior
from vaelab.training import Training

Images = Source | Path | str | None
"""Where a preset's images come from: a source, or a folder or file whose kind is found out."""


def presets() -> dict[str, Callable[..., Experiment]]:
    """Name -> function of every preset, in the order of this file."""
    here = sys.modules[__name__]
    return {
        name: f
        for name, f in vars(here).items()
        if name[0] != "_" and name not in _OTHERS and isfunction(f) and f.__module__ == here.__name__
    }


def preset(name: str, data: Images = None) -> Experiment:
    """The preset of that name; ``-`` and ``_`` are the same.

    Args:
        name: One of `presets`.
        data: A source, folder or file of images, in place of the preset's own.

    Raises:
        InputError: The name is not known, the preset needs images and none are named, or they are not there.
    """
    make = presets().get(name.replace("-", "_"))
    if make is None:
        mend = [key.replace("_", "-") for key in presets()]
        raise unknown_name("the preset", name, mend)
    if takes_images(name):
        return make(data)
    return make() if data is None else with_images(make(), data)


def takes_images(name: str) -> bool:
    """Whether the preset of that name learns from images that the user names; False for an unknown name."""
    make = presets().get(name.replace("-", "_"))
    return make is not None and "data" in signature(make).parameters


def with_images(experiment: Experiment, data: Source | Path | str) -> Experiment:
    """The experiment on other images."""
    return replace(experiment, data=replace(experiment.data, source=_opened(data)))


def digits() -> Experiment:
    """Handwritten digits of 8x8 pixels that come with scikit-learn: a first run, in under a minute, without a download.

    *Source*: Alpaydin and Kaynak 1998, UCI Machine Learning Repository (https://doi.org/10.24432/C50P49).
    """
    return Experiment(
        name="digits",
        data=Data(source=DigitsSource(), split=Split(validation=0.1, test=0.2, stratify="label")),
        model=VAEConfig(
            latent_dim=4,
            encoder=MLPEncoder(hidden=(256, 128)),
            decoder=MLPDecoder(hidden=(128, 256)),
            likelihood=ContinuousBernoulliLikelihood(),
        ),
        objective=ELBO(),
        training=Training(batch_size=64, num_epochs=150, learning_rate=2e-3, schedule="cosine"),
    )


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

    An autoencoder for 20 passes first, in place of the paper's stack of denoising ones; then 20 with the mixture. It
    reaches an accuracy of 0.76 on the test images (0.74 to 0.78 over three seeds), the paper's best run 0.9446; 40 more
    passes with the mixture did not help.

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
            prior=MixturePrior(num_components=10),
            posterior_scale="log_scale",
        ),
        objective=ELBO(autoencoder_steps=20 * steps_per_epoch),
        training=Training(batch_size=100, num_epochs=40, learning_rate=1e-3),
    )


def cells(data: Images = None) -> Experiment:
    """Real breast-cancer cells in three channels (BBBC021), split by plate, so that no plate is in two parts.

    *Source*: BBBC021v1, Caie et al. 2010; Ljosa et al., Nature Methods 9, 637, 2012.
    """
    return Experiment(
        name="cells",
        data=Data(source=_source("cells", data, "a file such as bbbc021_cells64.npz"), split=Split(group="plate")),
        model=VAEConfig(latent_dim=32, encoder=ConvEncoder(), decoder=ConvDecoder(), likelihood=GaussianLikelihood()),
        objective=ELBO(),
        training=Training(batch_size=64, num_epochs=60, learning_rate=1e-3, schedule="cosine", patience=10),
    )


def images(data: Images = None) -> Experiment:
    """Any images, from 8x8 to 512x512, of any channels: convolutions, intensities by percentile, early stopping.

    *Source*: Kingma and Welling 2014 (https://arxiv.org/abs/1312.6114); the learnt scale: Rybkin et al. 2021
    (https://arxiv.org/abs/2006.13202).
    """
    return Experiment(
        name="images",
        data=Data(
            source=_source("images", data, "a folder, or a CSV, TIFF, npz or npy file"),
            scaling=Scaling(range="percentile"),
        ),
        model=VAEConfig(latent_dim=16, encoder=ConvEncoder(), decoder=ConvDecoder(), likelihood=GaussianLikelihood()),
        objective=ELBO(),
        training=Training(batch_size=64, num_epochs=60, learning_rate=1e-3, schedule="cosine", patience=10),
    )


def rosettes() -> Experiment:
    """A known plane of curves, 256x256: three latents of constant scale, and the rate weighed as in its study.

    There the error was averaged over the pixels and the rate weighed 0.001, which is 65.5 in nats per image. The
    decoder's widths are the encoder's backward; the other details of its layers are not known from there.

    *Source*: study 4 of vaelab's own list, after a blog series of 2021 on a latent space with a hole.
    """
    weight = effective_beta(rate_weight=0.001, num_pixels=256 * 256, latent_dim=3, batch_size=8)
    return Experiment(
        name="rosettes",
        data=Data(source=RosettesSource(), split=Split(column="split")),
        model=VAEConfig(
            latent_dim=3,
            encoder=ConvEncoder(widths=(64, 64, 128, 128), norm="none"),
            decoder=ConvDecoder(widths=(128, 128, 64, 64), upsampling="nearest", norm="none"),
            likelihood=GreyBernoulliLikelihood(),
            posterior_scale=0.1,
        ),
        objective=ELBO(rate_weight=weight),
        training=Training(batch_size=8, num_epochs=30, learning_rate=1e-4),
    )


def rosettes_punctured() -> Experiment:
    """The same with a hole in the plane: what lies in it is the test set, never seen in training.

    *Source*: as rosettes.
    """
    full = rosettes()
    return replace(full, name="rosettes-punctured", data=replace(full.data, source=RosettesSource(subset="punctured")))


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


def cells_synthetic() -> Experiment:
    """Synthetic cells with a known ground truth, the first VAE of the cell study: 64x64x3, 100 latents.

    The widths of the decoder's four blocks are not known from there; here they halve.

    *Source*: study 1 of vaelab's own list, after meeting notes of 2020; the plane is that of BBBC031v1.
    """
    return Experiment(
        name="cells-synthetic",
        data=Data(source=CellsSource(), split=Split(stratify="process")),
        model=VAEConfig(
            latent_dim=100,
            encoder=ConvEncoder(widths=(32, 64, 128, 256, 512), dense=(1024, 256), activation="leaky_relu"),
            decoder=ConvDecoder(
                widths=(128, 64, 32, 16), dense=(1024,), upsampling="bilinear", activation="leaky_relu"
            ),
            likelihood=GaussianLikelihood(),
        ),
        objective=ELBO(),
        training=Training(batch_size=32, num_epochs=150, learning_rate=1e-4, patience=15),
    )


def cells_info_max() -> Experiment:
    """The same with a reward for what the latents say of the image: the InfoMax-VAE, alpha 1.

    *Source*: as cells-synthetic; Lotfi Rezaabad and Vishwanath 2020 (https://arxiv.org/abs/1912.13361).
    """
    plain = cells_synthetic()
    return replace(plain, name="cells-info-max", objective=ELBO(penalties=(MutualInformation(),)))


def cells_two_stage() -> Experiment:
    """The cell study's whole model: 100 latents, then 3 that read them (double embed), both rewarded for information.

    After 8 of the 150 passes the three latents are active, carry 10.5 nats, and tell x and y with an R^2 of 0.9 by
    nearest neighbours (three seeds; `benchmarks/README.md` has the whole comparison).

    *Source*: study 1 of vaelab's own list, after meeting notes of 2020: gamma 0.8, alpha and beta 1.
    """
    plain = cells_synthetic()
    assert isinstance(plain.model, VAEConfig)
    second = VAEConfig(
        latent_dim=3,
        encoder=MLPEncoder(hidden=(64,), activation="leaky_relu"),
        decoder=ConvDecoder(
            widths=(128, 64, 32, 16), dense=(64, 256, 1024), upsampling="bilinear", activation="leaky_relu"
        ),
        likelihood=GaussianLikelihood(),
    )
    info_max = ELBO(penalties=(MutualInformation(),))
    return replace(
        plain,
        name="cells-two-stage",
        model=TwoStageConfig(embed="double", first=plain.model, second=second),
        objective=TwoStageObjective(first=info_max, second=info_max, first_weight=0.8),
    )


def _source(name: str, data: Images, what: str) -> Source:
    if data is None:
        raise InputError("--data", "be given", "nothing", f"The preset {name} needs {what}.")
    return _opened(data)


def _opened(data: Source | Path | str) -> Source:
    return data if isinstance(data, Source) else open_source(Path(data).expanduser().absolute())


def _mnist(name: str, data: Images) -> Source:
    """The folder that is named, else where `vaelab data download mnist` puts it."""
    place = cache_folder() / "downloads" / "mnist"
    if data is None and not place.is_dir():
        return _source(name, None, "the folder of MNIST's four IDX files; or: vaelab data download mnist")
    return _source(name, data or place, "")


_OTHERS = {"presets", "preset", "takes_images", "with_images"}
"""The public functions of this file that are no presets."""
