"""The study of what a new label does to the codes of the others."""

from __future__ import annotations

from dataclasses import replace

from vaelab.experiment import Experiment
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.presets import preset
from vaelab.studies._asked import Measuring, Shown, ask
from vaelab.studies._study import Study

_STEPS, _QUICK_STEPS = 4000, 600
_NEW = ("label=8",)


def new_label(data: str | None = None, *, quick: bool = False) -> Study:
    """Ones and sevens alone, and halfway eights too: how far do the codes of ones and sevens move, and how soon settle?

    Beside it stand what they do anyway: eights that never come, and eights that are there all along. Codes are kept
    twenty times, half of them after the eights came in.

    *Source*: study 3 of vaelab's own list, a small project on MNIST.

    Args:
        data: MNIST's folder; None: scikit-learn's digits.
        quick: 600 steps and one seed in place of 4,000 and five.
    """
    steps = _QUICK_STEPS if quick else _STEPS
    base = preset("digits" if data is None else "mnist", data)
    base = replace(
        base,
        data=replace(base.data, only=("label=1", "label=7", *_NEW)),
        model=replace(
            base.model,
            latent_dim=2,
            likelihood=GreyBernoulliLikelihood(),
            encoder=MLPEncoder(hidden=(256,)),
            decoder=MLPDecoder(hidden=(256,)),
        ),
        training=replace(base.training, batch_size=64, num_steps=steps, patience=None, schedule="constant"),
        watching=replace(base.watching, codes_every=steps // 20),
    )
    return Study(
        name="new-label",
        experiments=(
            _named(base, "never", later=_NEW),
            _named(base, "new-label", later=_NEW, later_step=steps // 2),
            _named(base, "all-along"),
        ),
        seeds=(0,) if quick else (0, 1, 2, 3, 4),
        questions=(
            ask(
                "Are the three classes told apart as well as if the new one had been there all along?",
                "probe_accuracy", "new-label", "all-along", against="all-along",
            ),
            ask("What does it cost in bits that it came late, or never?", "level_bits", against="all-along"),
        ),
        pictures=(Shown(part="evolution"),),
        measuring=Measuring(labels="label"),
    )  # fmt: skip


def _named(base: Experiment, name: str, later: tuple[str, ...] = (), later_step: int | None = None) -> Experiment:
    return replace(base, name=name, training=replace(base.training, later=later, later_step=later_step))
