"""Study 2: likelihoods compared fairly, the latent space, interpolation, inference without the encoder."""

from __future__ import annotations

from dataclasses import replace

from vaelab.experiment import Experiment
from vaelab.likelihoods import Likelihood
from vaelab.likelihoods.beta import BetaLikelihood
from vaelab.likelihoods.categorical import CategoricalLikelihood
from vaelab.likelihoods.continuous_bernoulli import ContinuousBernoulliLikelihood
from vaelab.likelihoods.discretized_logistic import DiscretizedLogisticLikelihood
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.presets import preset
from vaelab.studies._asked import Measuring, Shown, ask
from vaelab.studies._study import Study

_QUICK_STEPS = 1000
_LIKELIHOODS: dict[str, Likelihood] = {
    "continuous-bernoulli": ContinuousBernoulliLikelihood(),
    "bernoulli-of-grey": GreyBernoulliLikelihood(),
    "gaussian": GaussianLikelihood(),
    "beta": BetaLikelihood(),
    "categorical": CategoricalLikelihood(num_levels=256),
    "discretized-logistic": DiscretizedLogisticLikelihood(),
}
_FEW, _MANY = "two-latents", "continuous-bernoulli"


def digits(data: str | None = None, *, quick: bool = False) -> Study:
    """Six likelihoods on the same 256 grey levels, two latents and sixteen, interpolation, and no encoder.

    Each has 16 latents, `two-latents` has two, with the continuous Bernoulli. `bernoulli-of-grey` reads pixels as
    probabilities; its loss is no likelihood until it is divided by its integral. Losses of different kinds are not
    compared, bits of the same grey levels are. Of the 256 levels scikit-learn's digits have 17, evenly spaced: a
    categorical likelihood can learn that, and no density.

    *Source*: study 2 of vaelab's own list, a course project on MNIST; Loaiza-Ganem and Cunningham 2019
    (https://arxiv.org/abs/1907.06845).

    Args:
        data: MNIST's folder; None: scikit-learn's digits.
        quick: 1,000 steps and one seed in place of the preset's passes and three.
    """
    base = preset("digits" if data is None else "mnist", data)
    if quick:
        base = replace(base, training=replace(base.training, num_steps=_QUICK_STEPS, patience=None))
    experiments = [_of(base, name, likelihood, 16) for name, likelihood in _LIKELIHOODS.items()]
    latents = (_FEW, _MANY)
    return Study(
        name="digits",
        experiments=(*experiments, _of(base, _FEW, _LIKELIHOODS[_MANY], 2)),
        seeds=(0,) if quick else (0, 1, 2),
        questions=(
            ask("Which likelihood has the best loss, as the notes asked?", "elbo", *_LIKELIHOODS),
            ask("Which spends the fewest bits on the same 256 grey levels?", "level_bits", *_LIKELIHOODS),
            ask(
                "Is the continuous Bernoulli better than pixels read as probabilities, once that is normalised?",
                "level_bits", "continuous-bernoulli", "bernoulli-of-grey", against="bernoulli-of-grey",
            ),
            ask("Whose reconstructions are nearest to the images?", "mse", *_LIKELIHOODS),
            ask("Which keeps the images' fine detail?", "sharpness", *_LIKELIHOODS),
            ask("Whose samples are nearest to digits, as a classifier sees them?", "frechet_distance", *_LIKELIHOODS),
            ask("Whose reconstructions are still the same digit?", "classifier_agreement", *_LIKELIHOODS),
            ask("Do sixteen latents say more of an image than two?", "mutual_information", *latents, against=_FEW),
            ask("What do two latents cost in bits?", "level_bits", *latents, against=_MANY),
            ask("Are digits told apart better by sixteen?", "probe_accuracy", *latents, against=_FEW),
            ask("Do sixteen keep more of the images' neighbours than two?", "r_nx", *latents, against=_FEW),
        ),
        pictures=(
            Shown(part="plane", experiments=latents),
            Shown(part="manifold", experiments=latents),
            Shown(part="projections", experiments=(_MANY,)),
            Shown(part="interpolation", experiments=latents),
            Shown(part="infer", experiments=(_MANY,), asks="Is a posterior found without the encoder better?"),
            Shown(part="completion", experiments=(_MANY,), asks="Is the right half drawn better from the left half?"),
        ),
        measuring=Measuring(labels="label", num_images=None if data is None else 1000),
    )  # fmt: skip


def _of(base: Experiment, name: str, likelihood: Likelihood, latent_dim: int) -> Experiment:
    model = replace(base.model, likelihood=likelihood, latent_dim=latent_dim)  # pyright: ignore[reportCallIssue]
    return replace(base, name=name, model=model)
