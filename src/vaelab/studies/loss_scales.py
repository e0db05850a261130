"""The study of losses and of the weight of the rate."""

from __future__ import annotations

from dataclasses import replace

from vaelab.experiment import Experiment
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.likelihoods.laplace import LaplaceLikelihood
from vaelab.objectives import effective_beta
from vaelab.presets import preset
from vaelab.studies._study import Study

_STEPS = 3000
_QUICK_STEPS = 600


def loss_scales(data: str | None = None, *, quick: bool = False) -> Study:
    """Cross entropy, squared and absolute error; no rate, a rate warmed up, and a loss averaged over the pixels.

    All are in nats per image, so weight 1 is the ELBO; errors that are only summed over the pixels are Gaussian and
    Laplace likelihoods of stated scales. `averaged` is the cross entropy averaged over the pixels beside a rate that is
    not, as other codes have it: its name holds the weight that the rate then has, and its posterior collapses. The
    warm-ups take a twenty-fifth of the training and all of it, as 20,000 and 500,000 steps do.

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
    return Study(
        name="loss-scales",
        experiments=(
            _named(base, "cross-entropy"),
            _named(base, "squared-error", likelihood=GaussianLikelihood(scale=0.5**0.5)),
            _named(base, "squared-error-learnt-scale", likelihood=GaussianLikelihood()),
            _named(base, "absolute-error", likelihood=LaplaceLikelihood(scale=1.0)),
            _named(base, "absolute-error-learnt-scale", likelihood=LaplaceLikelihood()),
            _named(base, "autoencoder", rate_weight=0.0),
            _named(base, "short-warm-up", warm_up_steps=steps // 25),
            _named(base, "long-warm-up", warm_up_steps=steps),
            _named(base, f"averaged-beta-{beta:g}", rate_weight=beta),
        ),
        seeds=(0,) if quick else (0, 1, 2, 3, 4),
    )


def _named(base: Experiment, name: str, likelihood: object = None, **objective: float) -> Experiment:
    """The experiment under another name, with another likelihood or other fields of its objective."""
    model = base.model if likelihood is None else replace(base.model, likelihood=likelihood)  # pyright: ignore
    return replace(base, name=name, model=model, objective=replace(base.objective, **objective))
