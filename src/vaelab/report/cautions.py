"""What a reader should know before trusting the numbers."""

from __future__ import annotations

from collections.abc import Iterator

from vaelab.report.look import Look
from vaelab.report.terms import last_elbos, series, still_improving, terms
from vaelab.report.words import number, plural
from vaelab.training.signs import FEW_STEPS, at_ceiling

FEW_IMAGES = 500
FEW_WEIGHTS = 2.0

Caution = tuple[str, str]
"""What is to be known, and what it means."""


def cautions(look: Look) -> Iterator[Caution]:
    """Everything that a reader should know before trusting the numbers."""
    for stage in look.stages:
        yield from _collapse(look, stage)
    yield from _images(look)
    yield from _weights(look)
    yield from _baseline(look)
    yield from _ceilings(look)
    for stage in look.stages:
        yield from _overfitting(look, stage)
    yield from _end_of_training(look)


def _collapse(look: Look, stage: str) -> Iterator[Caution]:
    """A stage whose code carries nothing."""
    if not look.measured(stage).is_collapsed:
        return
    if look.steps_taken < FEW_STEPS:
        words = f"After {plural(look.steps_taken, 'step')} the code says nothing yet{_of(stage)}; more may change that."
        yield "Hardly trained", words
        return
    total, active = look.value("rate", stage), int(look.active_in(stage).sum())
    is_last = stage == look.stages[-1]
    owner, below = ("The code", "Latent plots below show noise. ") if is_last else (f"The {stage} stage's code", "")
    yield (
        f"Posterior collapse{_of(stage)}",
        f"{owner} carries {number(total, digits=2)} nats and {active} latents are active: "
        f"the model hardly uses its latents, and every image gets nearly the same reconstruction. {below}"
        "Lower the weight of the rate, warm it up over more steps, or use free bits.",
    )


def _images(look: Look) -> Iterator[Caution]:
    """A likelihood that counts no bits, and images that are few, missing, or not held out."""
    if not look.run.model.likelihood.normalized:
        yield (
            "The likelihood is not normalised",
            "Its exp(log p(x|z)) does not sum to one for these images, so ELBO and log p(x) are comparable only "
            "between runs with this same likelihood, and bits per dimension don't count bits.",
        )
    if look.split == "train":
        yield "Measured on training images", "No image was held out, so the numbers say nothing of new images."
    elif look.split != "test":
        yield (
            "Measured on validation images",
            "There is no test split. Validation images chose which weights were kept, so the numbers are a little "
            "too good.",
        )
    if (held_out := look.counts[look.split]) < FEW_IMAGES:
        yield (
            "Few held-out images",
            f"Only {plural(held_out, 'image')} could be held out; below {FEW_IMAGES} the intervals are wide and rare "
            "kinds of images may be missing.",
        )
    for words in look.run.dataset.crossing:
        yield "Held-out images are not all new", f"{words[0].upper()}{words[1:]}: the numbers are too good."
    for words in look.run.dataset.faint:
        yield "A channel is nearly constant", f"{words[0].upper()}{words[1:]}."
    if left_out := look.run.facts.left_out:
        yield (
            f"{plural(len(left_out), 'file')} left out",
            "They could not be used; each is listed with its reason under the data.",
        )


def _weights(look: Look) -> Iterator[Caution]:
    """An estimate of log p(x) that a few draws decide."""
    if (count := look.value("effective_samples")) < FEW_WEIGHTS:
        yield (
            "log p(x) rests on few draws",
            f"Of {look.num_samples} importance weights per image only {number(count, digits=2)} count on average, so "
            "log p(x) is too low by an unknown amount; take more draws.",
        )


def _baseline(look: Look) -> Iterator[Caution]:
    """A model whose reconstructions are no better than those of a linear map with as many numbers."""
    own, linear = look.value("mse"), look.value("mse", model="PCA")
    if own >= linear:
        yield (
            "Worse than PCA",
            f"Its squared error per pixel, {number(own, digits=3)}, is not below that of PCA with as many components, "
            f"{number(linear, digits=3)}: a linear map keeps more of these images. It may need more training, more "
            "latents, or a lower weight of the rate.",
        )
        return
    pairs = {name: (look.score("mse", name), look.score("mse", name, model="PCA")) for name in look.channels}
    if worse := [name for name, (own, linear) in pairs.items() if own and linear and own.value >= linear.value]:
        yield (
            "Worse than PCA in part",
            f"The squared error of {' and '.join(worse)} alone is not below that of PCA with as many components, "
            "though that of all channels together is.",
        )


def _ceilings(look: Look) -> Iterator[Caution]:
    """A mutual information, measured or logged last, within 5 % of what its estimate can be."""
    found = []
    for stage in look.stages:
        score = look.score("mutual_information", stage=stage)
        if score and score.ceiling:
            own = {"mutual_information": score.value, "mutual_information_ceiling": score.ceiling}
            found.extend((f"measured on held-out images{_of(stage)}", pair) for pair in at_ceiling(own).values())
    for split, words in (("train", "training"), ("validation", "validation")):
        for stage in look.stages:
            lines = {name: series(look.metrics, split, name, stage)[1] for name in terms(look.metrics, stage)}
            last = {name: float(values[-1]) for name, values in lines.items() if len(values)}
            found.extend((f"logged on {words} images{_of(stage)}", pair) for pair in at_ceiling(last).values())
    if found:
        near = "; ".join(
            f"{where}, {number(value, digits=3)} of at most {number(top, digits=3)} nats"
            for where, (value, top) in found
        )
        yield (
            "Mutual information at the ceiling of its bound",
            f"{near.capitalize()}: at the ceiling of its bound, the true value may be any higher.",
        )


def _overfitting(look: Look, stage: str) -> Iterator[Caution]:
    gap = last_elbos(look.metrics, stage)
    if gap and gap[0] - gap[1] > 0.05 * abs(gap[0]):
        yield (
            f"Overfitting{_of(stage)}",
            f"When training ended, the ELBO on validation images was {number(gap[0] - gap[1], digits=3)} nats "
            "below that on training images: part of what was learnt holds for the training images only.",
        )


def _end_of_training(look: Look) -> Iterator[Caution]:
    training = look.run.experiment.training
    taken, planned = look.steps_taken, training.total_steps(look.counts["train"])
    if 0 < taken < planned and training.patience is None:
        yield (
            "Not trained to the end",
            f"{taken:,} of {planned:,} steps were taken: the run was interrupted, or is still going on.",
        )
    if still_improving(look.metrics):
        yield (
            "Training may have ended too early",
            "The best validation loss is the last one, and it was still falling: more steps would probably help.",
        )


def _of(stage: str) -> str:
    return f" in the {stage} stage" if stage else ""
