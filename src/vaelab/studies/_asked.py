"""What a study asks of its experiments, and what its comparison shows."""

from __future__ import annotations

from dataclasses import dataclass

from vaelab.settings.ranges import AtLeast1, Settings


@dataclass(frozen=True, kw_only=True)
class Asked(Settings):
    """A question that a study's comparison answers in a sentence, from intervals."""

    text: str
    """The question."""
    metric: str
    """By which it is decided."""
    part: str = ""
    """Of the metric, such as a channel or a factor; empty: the whole."""
    experiments: tuple[str, ...] = ()
    """Which are compared, by their names; empty: all."""
    against: str = ""
    """The one that the others are set against; empty: the best of them."""


def ask(text: str, metric: str, *experiments: str, part: str = "", against: str = "") -> Asked:
    """The question about these experiments; none: about all."""
    return Asked(text=text, metric=metric, part=part, experiments=experiments, against=against)


@dataclass(frozen=True, kw_only=True)
class Shown(Settings):
    """A part of the report that is drawn of several experiments, side by side."""

    part: str
    """Its name, as for `vaelab draw`."""
    experiments: tuple[str, ...] = ()
    """Of which, by their names; empty: all. Of several seeds the first is drawn."""
    asks: str = ""
    """A question that the part answers in words, of the first of them; empty: none."""


@dataclass(frozen=True, kw_only=True)
class Measuring(Settings):
    """Of what the comparison of a study's runs is made."""

    labels: str | None = None
    """A column of kinds."""
    factors: tuple[str, ...] = ()
    """Columns of known numbers."""
    num_images: AtLeast1 | None = None
    """A random draw of so many held-out images; None: all."""
    num_samples: AtLeast1 = 100
    """Draws of the posterior per image."""
