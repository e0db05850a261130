"""The page: head, first facts and warnings, contents, and the parts in the order of a scientist's questions."""

from __future__ import annotations

from typing import NamedTuple, get_args

from markupsafe import Markup

from vaelab.catalogue import members
from vaelab.report.cautions import cautions
from vaelab.report.findings import findings
from vaelab.report.html import page
from vaelab.report.look import Look
from vaelab.report.names import kind_of
from vaelab.report.parts import Part, Section
from vaelab.report.scores import chosen, words_of
from vaelab.report.words import duration, interval_of, plural, size_of, value_of

SECTIONS: dict[Section, tuple[str, str, str]] = {
    "good": ("How good?", "How good is it?", ""),
    "looks": (
        "What does it look like?",
        "What does it look like?",
        "Nothing here was picked: held-out images are drawn at random with a fixed seed, and samples are the first "
        "ones.",
    ),
    "varies": (
        "What varies?",
        "What varies?",
        "A latent of rate 0 carries nothing, and moving it changes nothing.",
    ),
    "odd": ("Which are odd?", "Which images are odd?", ""),
    "made": ("How made?", "How was it made?", ""),
}
"""Name -> its words among the contents, its heading, and what stands below that."""


class Shown(NamedTuple):
    """A part on the page."""

    name: str
    title: str
    html: Markup


def render(look: Look) -> str:
    """The report as one HTML document that asks for nothing outside itself."""
    shown = {section: [] for section in SECTIONS}
    for name, part in parts().items():
        if part.on_page and part.applies(look):
            shown[part.section].append(Shown(name, part.title, part.html(look, part.arrays(look))))
    values = {
        "name": look.run.experiment.name,
        "folder": look.run.called,
        "lede": _lede(look),
        "facts": _facts(look),
        "findings": list(findings(look)),
        "cautions": list(cautions(look)),
        "sections": [(section, *words, shown[section]) for section, words in SECTIONS.items()],
    }
    return page("page.html", values)


def parts() -> dict[str, Part]:
    """Name -> part, in the order in which they stand on the page."""
    sections = get_args(Section)
    found = {name: part() for name, part in members(Part).items()}  # pyright: ignore[reportAbstractUsage]
    return dict(sorted(found.items(), key=lambda entry: (sections.index(entry[1].section), entry[1].order, entry[0])))


def _lede(look: Look) -> str:
    """What kind of model it is, and what it was trained on."""
    *lower, _ = look.stages
    dims = [str(look.measured(stage).embedding.latent_dim) for stage in lower]
    latents = " and ".join([*dims, plural(look.latent_dim, "latent")])
    images = f"{plural(look.counts['train'], 'image')} of {size_of(look.image_shape, look.channels)}"
    if look.conditions:
        images += f", each under its {' and '.join(condition.column for condition in look.conditions)},"
    if len(look.metrics):
        images += f" in {plural(look.steps_taken, 'step')} and {duration(float(look.metrics['seconds'].max()))}"
    about = f" What follows is about the {look.stages[-1]} stage, unless it names the {lower[0]}." if lower else ""
    return (
        f"{kind_of(look.run.experiment)} with {latents} and {plural(look.num_weights, 'weight')}, "
        f"trained on {images.removesuffix(',')}.{about}"
    )


def _facts(look: Look) -> list[tuple[str, str, str, str, str]]:
    """Title, value, unit and what stands below, of the first measures."""
    cards = []
    for score in chosen(look.measured().scores):
        if (words := words_of(score.metric)).headline:
            unit = f"of {score.ceiling:.0f}" if score.ceiling else score.unit
            cards.append((words.title, value_of(score), unit, interval_of(score), f"{score.count:,} images"))
    return cards
