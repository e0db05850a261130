"""What a reader should know before trusting the numbers."""

from __future__ import annotations

from vaelab.report.evidence import Evidence, active_in
from vaelab.report.measures import Measures
from vaelab.report.words import last_elbos, number, plural, series, still_improving
from vaelab.training.signs import at_ceiling

FEW_IMAGES = 500
FEW_WEIGHTS = 2.0


def warnings(evidence: Evidence) -> list[tuple[str, str]]:
    """(what, what it means) for everything that a reader should know before trusting the numbers."""
    found = []
    measured = evidence.measures.scores
    for stage, measures in evidence.stages.items():
        found.extend(_collapse(stage, measures))
    if not evidence.normalized:
        found.append((
            "The likelihood is not normalised",
            "Its exp(log p(x|z)) does not sum to one for these images, so ELBO and log p(x) are comparable only "
            "between runs with this same likelihood, and bits per dimension don't count bits.",
        ))  # fmt: skip
    if evidence.split == "train":
        found.append((
            "Measured on training images",
            "No image was held out, so the numbers say nothing of new images.",
        ))  # fmt: skip
    elif evidence.split != "test":
        found.append((
            "Measured on validation images",
            "There is no test split. Validation images chose which weights were kept, so the numbers are a little "
            "too good.",
        ))  # fmt: skip
    held_out = evidence.counts[evidence.split]
    if held_out < FEW_IMAGES:
        found.append((
            "Few held-out images",
            f"Only {plural(held_out, 'image')} could be held out; below {FEW_IMAGES} the intervals are wide and rare "
            "kinds of images may be missing.",
        ))  # fmt: skip
    if evidence.left_out:
        found.append((
            f"{plural(len(evidence.left_out), 'file')} left out",
            "They could not be used; each is listed with its reason under the data.",
        ))  # fmt: skip
    if "effective_samples" in measured and measured["effective_samples"].value < FEW_WEIGHTS:
        found.append((
            "log p(x) rests on few draws",
            f"Of {evidence.num_samples} importance weights per image only "
            f"{number(measured['effective_samples'].value, digits=2)} count on average, so log p(x) is too low by an "
            "unknown amount; take more draws.",
        ))  # fmt: skip
    if near := _at_ceiling(evidence):
        found.append((
            "Mutual information at the ceiling of its bound",
            f"{'; '.join(near).capitalize()}: at the ceiling of its bound, the true value may be any higher.",
        ))  # fmt: skip
    for stage in evidence.stages:
        gap = last_elbos(evidence.metrics, "first_" if stage == "first stage" else "")
        if gap and gap[0] - gap[1] > 0.05 * abs(gap[0]):
            found.append((
                f"Overfitting{_of(stage)}",
                f"When training ended, the ELBO on validation images was {number(gap[0] - gap[1], digits=3)} nats "
                "below that on training images: part of what was learnt holds for the training images only.",
            ))  # fmt: skip
    taken = int(evidence.metrics["step"].max()) if len(evidence.metrics) else 0
    if 0 < taken < evidence.planned_steps and evidence.experiment.training.patience is None:
        found.append((
            "Not trained to the end",
            f"{taken:,} of {evidence.planned_steps:,} steps were taken: the run was interrupted, or is still going on.",
        ))  # fmt: skip
    if still_improving(evidence.metrics):
        found.append((
            "Training may have ended too early",
            "The best validation loss is the last one, and it was still falling: more steps would probably help.",
        ))  # fmt: skip
    return found


def _collapse(stage: str, measures: Measures) -> list[tuple[str, str]]:
    """The warning of a stage whose code carries nothing."""
    if not measures.is_collapsed:
        return []
    total, active = measures.scores["rate"].value, int(active_in(measures).sum())
    owner, below = (
        ("The first stage's code", "") if stage == "first stage" else ("The code", "Latent plots below show noise. ")
    )
    return [(
        f"Posterior collapse{_of(stage)}",
        f"{owner} carries {number(total, digits=2)} nats and {active} latents are active: "
        f"the model hardly uses its latents, and every image gets nearly the same reconstruction. {below}"
        "Lower the weight of the rate, warm it up over more steps, or use free bits.",
    )]  # fmt: skip


def _of(stage: str) -> str:
    return f" in the {stage}" if stage else ""


def _at_ceiling(evidence: Evidence) -> list[str]:
    """Where a mutual information, measured or logged last, is within 5 % of what its estimate can be."""
    found = []
    for stage, measures in evidence.stages.items():
        score = measures.scores.get("mutual_information")
        if score and score.ceiling:
            own = {"mutual_information": score.value, "mutual_information_ceiling": score.ceiling}
            found.extend((f"measured on held-out images{_of(stage)}", pair) for pair in at_ceiling(own).values())
    for split, words in (("train", "training"), ("validation", "validation")):
        columns = [name for name in evidence.metrics.columns if "mutual_information" in name]
        last = {name: values[-1] for name in columns if len(values := series(evidence.metrics, split, name)[1])}
        for name, pair in at_ceiling(last).items():
            stage = "first stage" if name.startswith("first_") else list(evidence.stages)[-1]
            found.append((f"logged on {words} images{_of(stage)}", pair))
    return [
        f"{where}, {number(value, digits=3)} of at most {number(top, digits=3)} nats" for where, (value, top) in found
    ]
