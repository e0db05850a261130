"""Study 4: a plane of curves, full and with a hole."""

from __future__ import annotations

from dataclasses import replace

from vaelab.data import Data, Split
from vaelab.data.sources.rosettes import RosettesSource
from vaelab.experiment import Experiment
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.models import VAEConfig
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.objectives import effective_beta
from vaelab.objectives.elbo import ELBO
from vaelab.training import Training


def rosettes() -> Experiment:
    """A known plane of curves, 256x256: three latents of constant scale, and the rate weighed as in its study.

    There the error was averaged over the pixels and the rate weighed 0.001, which is 65.5 in nats per image. The
    decoder's widths are the encoder's backward; the other details of its layers are not known from there.

    Test images are fresh points and transects, the same as those of rosettes-punctured, so that both can be compared.

    *Source*: study 4 of vaelab's own list, after a blog series of 2021 on a latent space with a hole.
    """
    weight = effective_beta(rate_weight=0.001, num_pixels=256 * 256, latent_dim=3, batch_size=8)
    return Experiment(
        name="rosettes",
        data=Data(source=RosettesSource(subset="probed"), split=Split(column="split")),
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
    """The same with a hole in the plane: what lies in it is never seen in training, and in the test set, too.

    *Source*: as rosettes.
    """
    full = rosettes()
    return replace(full, name="rosettes-punctured", data=replace(full.data, split=Split(column="split_punctured")))
