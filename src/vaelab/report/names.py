"""What the parts of a run are called: words that each metric, objective, penalty and model carries itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

from vaelab.catalogue import functions, name_of
from vaelab.experiment import Experiment
from vaelab.models import ModelConfig
from vaelab.penalties import Term


class MetricWords(NamedTuple):
    """How a measure is headed, explained and ordered."""

    title: str
    note: str = ""
    group: str = ""
    order: int = 1000


def metric_words(name: str) -> MetricWords:
    """The words of a metric; one without words is called as its file.

    >>> metric_words("effective_samples").title
    'Effective samples'
    """
    function = functions("vaelab.evaluation").get(name)
    note = (function.__doc__ or "").strip().partition("\n")[0] if function else ""
    words = getattr(function, "words", None)
    if words is None:
        title, group = _METRICS.get(name, (_spelt(name), ""))
        return MetricWords(title, note, group, list(_METRICS).index(name) if name in _METRICS else 1000)
    return MetricWords(words.title, note, words.group, words.order)


def headlines() -> list[str]:
    """The measures that stand at the top of the page, in order."""
    found = functions("vaelab.evaluation")
    first = [name for name in found if getattr(getattr(found[name], "words", None), "headline", name in _HEADLINES)]
    return sorted(first, key=lambda name: metric_words(name).order)


def term_words(name: str, experiment: Experiment) -> Term:
    """The words of a term of training, from the objective or the penalty that makes it."""
    for part in parts_of(experiment.objective):
        if name in getattr(part, "words", {}):
            return part.words[name]
    return Term(_spelt(name))


def kind_of(experiment: Experiment) -> str:
    """Such as ``A conditional two-stage variational autoencoder (InfoMax)``."""
    model = experiment.model
    parts = [*parts_of(model), *parts_of(experiment.objective)]
    known = [known_as(part) for part in parts if not isinstance(part, ModelConfig)]
    families = list(dict.fromkeys(filter(None, known)))
    kind = known_as(model) or f"{_spelt(name_of(model)).lower()} model"
    named = f" ({', '.join(families)})" if families else ""
    return f"A {'conditional ' if experiment.data.condition else ''}{kind}{named}"


def known_as(part: object) -> str:
    """What others call a model with this part; empty: nothing particular."""
    return getattr(part, "known_as", "")


def parts_of(part: Any) -> Iterator[Any]:
    """A part and all parts within it, the outer ones first."""
    if isinstance(part, tuple):
        for each in part:
            yield from parts_of(each)
    elif is_dataclass(part):
        yield part
        for field in fields(part):
            yield from parts_of(getattr(part, field.name))


def _spelt(name: str) -> str:
    return name.replace("_", " ").capitalize()


_METRICS = {
    "elbo": ("ELBO", "nats"), "log_likelihood": ("log p(x)", "nats"), "distortion": ("Distortion", "nats"),
    "rate": ("Rate", "nats"), "mutual_information": ("Mutual information", "nats"),
    "total_correlation": ("Total correlation", "nats"), "bits_per_dim": ("Bits per dimension", "nats"),
    "effective_samples": ("Effective samples", "nats"), "active_units": ("Active latents", "code"),
    "fit": ("Well fitted", "code"), "rate_per_latent": ("Rate per latent", "code"), "mse": ("MSE", "pixels"),
    "mae": ("MAE", "pixels"), "psnr": ("PSNR", "pixels"), "ssim": ("SSIM", "pixels"),
}  # fmt: skip
_HEADLINES = ("elbo", "log_likelihood", "rate", "active_units")
