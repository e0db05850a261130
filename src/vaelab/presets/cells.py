"""Study 1: cells, real and synthetic; one stage, rewarded for information, and two stages."""

from __future__ import annotations

from dataclasses import replace

from vaelab.data import Data, Split
from vaelab.data.sources.cells_synthetic import CellsSyntheticSource
from vaelab.experiment import Experiment
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.models import TwoStageConfig, VAEConfig
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.networks.mlp import MLPEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.objectives.two_stage import TwoStageObjective
from vaelab.penalties.mutual_information import MutualInformation
from vaelab.presets._images import Images, source_of
from vaelab.training import Training


def cells(data: Images = None) -> Experiment:
    """Real breast-cancer cells in three channels (BBBC021), split by plate, so that no plate is in two parts.

    *Source*: BBBC021v1, Caie et al. 2010; Ljosa et al., Nature Methods 9, 637, 2012.
    """
    return Experiment(
        name="cells",
        data=Data(source=source_of("cells", data, "a file such as bbbc021_cells64.npz"), split=Split(group="plate")),
        model=VAEConfig(latent_dim=32, encoder=ConvEncoder(), decoder=ConvDecoder(), likelihood=GaussianLikelihood()),
        objective=ELBO(),
        training=Training(batch_size=64, num_epochs=60, learning_rate=1e-3, schedule="cosine", patience=10),
    )


def cells_synthetic() -> Experiment:
    """Synthetic cells with a known ground truth, the first VAE of the cell study: 64x64x3, 100 latents.

    The widths of the decoder's four blocks are not known from there; here they halve.

    *Source*: study 1 of vaelab's own list, after meeting notes of 2020; the plane is that of BBBC031v1.
    """
    return Experiment(
        name="cells-synthetic",
        data=Data(source=CellsSyntheticSource(), split=Split(stratify="process")),
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
