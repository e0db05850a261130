"""What the parts of a run are called: words that each metric, objective, penalty and model carries itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from vaelab.catalogue import name_of
from vaelab.experiment import Experiment
from vaelab.models import ModelConfig
from vaelab.penalties import Term


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
