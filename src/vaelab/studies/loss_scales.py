"""Study 3: losses, the weight of the rate, sizes, and what is gained over a plain autoencoder."""

from __future__ import annotations

from dataclasses import replace

from vaelab.experiment import Experiment
from vaelab.likelihoods import Likelihood
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.likelihoods.laplace import LaplaceLikelihood
from vaelab.objectives import effective_beta
from vaelab.presets import preset
from vaelab.settings.text import override
from vaelab.studies._asked import Measuring, Shown, ask
from vaelab.studies._study import Study

_STEPS = 3000
_QUICK_STEPS = 600
_LOSSES = ("cross-entropy", "squared-error", "absolute-error")
_SQUARED = ("squared-error", "squared-error-learnt-scale")
_ABSOLUTE = ("absolute-error", "absolute-error-learnt-scale")
_WARM = ("cross-entropy", "short-warm-up", "long-warm-up")
_WIDTHS = ("cross-entropy", "narrow", "wide")
_LATENTS = ("cross-entropy", "two-latents", "many-latents", "noise-latents")
_NOISE = ("two-latents", "noise-latents")
_SPACES = ("autoencoder", "cross-entropy")


def loss_scales(data: str | None = None, *, quick: bool = False) -> Study:
    """Cross entropy, squared and absolute error; the weight of the rate, warmed up or none; sizes, and noise latents.

    All are in nats per image, so weight 1 is the ELBO; errors that are only summed over the pixels are Gaussian and
    Laplace likelihoods of stated scales. `averaged` is the cross entropy averaged over the pixels beside a rate that is
    not, as other codes have it: its name holds the weight that the rate then has, and its posterior collapses. The
    warm-ups take a twenty-fifth of the training and all of it, as 20,000 and 500,000 steps do. Of the noise latents two
    are trained, the others are pure noise.

    *Source*: study 3 of vaelab's own list, a small project on MNIST.

    Args:
        data: MNIST's folder; None: scikit-learn's digits.
        quick: 600 steps and one seed in place of 3,000 and five.
    """
    steps, pixels = _QUICK_STEPS if quick else _STEPS, 64 if data is None else 784
    base = preset("digits" if data is None else "mnist", data)
    training = replace(base.training, num_steps=steps, patience=None)
    base = replace(base, training=training, model=replace(base.model, likelihood=GreyBernoulliLikelihood()))
    beta = effective_beta(num_pixels=pixels)
    averaged = f"averaged-beta-{beta:g}"
    layers, small, large = ("hidden", "[64,32]", "[512,256]") if data is None else ("widths", "[16,32]", "[64,128]")
    latents, few = getattr(base.model, "latent_dim", 0), 2
    return Study(
        name="loss-scales",
        experiments=(
            _named(base, "cross-entropy"),
            _named(base, "squared-error", GaussianLikelihood(scale=0.5**0.5)),
            _named(base, "squared-error-learnt-scale", GaussianLikelihood()),
            _named(base, "absolute-error", LaplaceLikelihood(scale=1.0)),
            _named(base, "absolute-error-learnt-scale", LaplaceLikelihood()),
            _named(base, "autoencoder", objective__rate_weight=0),
            _named(base, "short-warm-up", objective__warm_up_steps=steps // 25),
            _named(base, "long-warm-up", objective__warm_up_steps=steps),
            _named(base, averaged, objective__rate_weight=beta),
            _named(base, "narrow", **_layers(layers, small)),
            _named(base, "wide", **_layers(layers, large)),
            _named(base, "two-latents", model__latent_dim=few),
            _named(base, "many-latents", model__latent_dim=4 * latents),
            _named(base, "noise-latents", model__latent_dim=latents, model__noise_latents=latents - few),
        ),
        seeds=(0,) if quick else (0, 1, 2, 3, 4),
        questions=(
            ask("Which loss, summed over the pixels, draws nearest to the images?", "mse", *_LOSSES),
            ask("What does a stated scale of squared error cost, against a learnt one?", "level_bits", *_SQUARED),
            ask("And one of absolute error?", "level_bits", *_ABSOLUTE),
            ask("Does a loss averaged over the pixels collapse?", "rate", averaged, "cross-entropy"),
            ask("How many latents does it leave active?", "active_units", averaged, "cross-entropy"),
            ask("Does warming the rate up find a better model?", "level_bits", *_WARM, against="cross-entropy"),
            ask("Does it leave more latents active?", "active_units", *_WARM, against="cross-entropy"),
            ask("Do narrower or wider layers matter?", "level_bits", *_WIDTHS, against="cross-entropy"),
            ask("How many latents are enough?", "level_bits", *_LATENTS),
            ask("Do noise latents harm two trained ones?", "mse", *_NOISE, against="two-latents"),
            ask("What does the rate cost in reconstructions, against a plain autoencoder?", "mse", *_SPACES),
            ask("Whose space keeps the images' neighbourhoods?", "r_nx", *_SPACES),
            ask("In whose space are digits told apart?", "probe_accuracy", *_SPACES),
        ),
        pictures=(
            Shown(part="curves", experiments=("cross-entropy", averaged, "short-warm-up", "long-warm-up")),
            Shown(part="manifold", experiments=("cross-entropy", "autoencoder", "two-latents", "noise-latents")),
            Shown(part="plane", experiments=("cross-entropy", "autoencoder", "two-latents", averaged)),
            Shown(part="interpolation", experiments=_SPACES),
        ),
        measuring=Measuring(labels="label", num_images=None if data is None else 2000),
    )  # fmt: skip


def _named(base: Experiment, name: str, likelihood: Likelihood | None = None, /, **settings: object) -> Experiment:
    """The experiment under another name, with another likelihood or settings; ``__`` is the dot of a path."""
    model = base.model if likelihood is None else replace(base.model, likelihood=likelihood)  # pyright: ignore
    changes = [(path.replace("__", "."), str(value)) for path, value in settings.items()]
    return replace(override(replace(base, model=model), changes), name=name)


def _layers(name: str, encoder: str) -> dict[str, str]:
    """The widths of the encoder's layers, and backward of the decoder's."""
    backward = f"[{','.join(encoder.strip('[]').split(',')[::-1])}]"
    return {f"model__encoder__{name}": encoder, f"model__decoder__{name}": backward}
