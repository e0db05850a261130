"""The digits that come with scikit-learn."""

from __future__ import annotations

from vaelab.data import Data, Split
from vaelab.data.sources.digits import DigitsSource
from vaelab.experiment import Experiment
from vaelab.likelihoods.continuous_bernoulli import ContinuousBernoulliLikelihood
from vaelab.models import VAEConfig
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.training import Training


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
