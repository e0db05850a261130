"""Any images of one's own."""

from __future__ import annotations

from vaelab.data import Data, Scaling
from vaelab.experiment import Experiment
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.models import VAEConfig
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.presets._images import Images, source_of
from vaelab.training import Training


def images(data: Images = None) -> Experiment:
    """Any images, from 8x8 to 512x512, of any channels: convolutions, intensities by percentile, early stopping.

    *Source*: Kingma and Welling 2014 (https://arxiv.org/abs/1312.6114); the learnt scale: Rybkin et al. 2021
    (https://arxiv.org/abs/2006.13202).
    """
    return Experiment(
        name="images",
        data=Data(
            source=source_of("images", data, "a folder, or a CSV, TIFF, npz or npy file"),
            scaling=Scaling(range="percentile"),
        ),
        model=VAEConfig(latent_dim=16, encoder=ConvEncoder(), decoder=ConvDecoder(), likelihood=GaussianLikelihood()),
        objective=ELBO(),
        training=Training(batch_size=64, num_epochs=60, learning_rate=1e-3, schedule="cosine", patience=10),
    )
