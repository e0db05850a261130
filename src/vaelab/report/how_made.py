"""How was it made? The data, every setting, and the machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from html import escape
from typing import Any

from vaelab.catalogue import name_of
from vaelab.report.evidence import Evidence
from vaelab.report.html import Markup, fold, heading, paragraph, prose, section, table
from vaelab.report.words import duration, plural, size_of
from vaelab.settings.fields import contract_of, field_docs

WORDS = (
    ("nat", "the unit of information with the natural logarithm; 1 nat is 1.443 bits"),
    ("rate", "KL(q(z|x) || p(z)): nats of information that the code holds about its image"),
    ("distortion", "minus the expected log p(x|z): nats still needed to draw the image, given its code"),
    ("ELBO", "minus distortion, minus rate: a lower bound on log p(x), so higher is better"),
    ("mutual information", "nats that a code tells of which image it belongs to; the rate is never below it"),
    ("total correlation", "nats that latents tell of each other, over all images; 0 where they are independent"),
    ("active latent", "one whose posterior mean varies over images by more than 0.01 (Burda et al. 2016)"),
    ("held out", "never used to fit weights"),
    (
        "95 % interval",
        "where the mean over such images would lie; it holds the choice of images, not the choice of seed",
    ),
)


def how_made(evidence: Evidence) -> str:
    """The section with data, settings and environment."""
    files = (
        "The run's folder holds experiment.json (all settings, exact), the weights, metrics.csv and "
        "environment.json. Beside this report: metrics.json (the measures) and per_image.csv (one row per measured "
        "image)."
    )
    words = "".join(f"<dt>{escape(word)}</dt><dd>{escape(meaning)}</dd>" for word, meaning in WORDS)
    experiment = settings(evidence.experiment)
    return section(
        "made",
        "How was it made?",
        "",
        heading("Data"),
        _data(evidence),
        heading("Every setting"),
        paragraph("Defaults are written out; another run with the same settings repeats this one.", "note"),
        table(["Setting", "Value", "Meaning"], experiment, caption="Every setting of the run", kind="settings"),
        heading("Machine and versions"),
        table(["What", "Value"], _flat(evidence.environment), caption="Environment of the run", kind="settings"),
        heading("Words"),
        f"<dl>{words}</dl>",
        paragraph(f"{files} Computing this report took {duration(evidence.seconds)}.", "note"),
    )


def settings(part: Any, where: str = "") -> Iterator[list]:
    """(path, value, meaning) of every field of a tree of settings, those of a part after its name."""
    docs = field_docs(type(part))
    for field in fields(part):
        value, path = getattr(part, field.name), f"{where}.{field.name}" if where else field.name
        nested = is_dataclass(value)
        if not nested or contract_of(type(value)):
            shown = name_of(value) if nested else _plain(value)
            yield [_code(path), _code(shown), prose(docs.get(field.name, ""))]
        if nested:
            yield from settings(value, path)


def _data(evidence: Evidence) -> str:
    splits = ", ".join(f"{count:,} {name}" for name, count in evidence.counts.items())
    total = plural(sum(evidence.counts.values()), "image")
    words = f"{total} of {size_of(evidence.image_shape, evidence.channels)}: {splits}. {evidence.stored.capitalize()}."
    parts = [
        paragraph(words),
        f'<p class="note">Hash of images and table: <code>{escape(evidence.content_hash)}</code></p>',
    ]
    if evidence.left_out:
        rows = [[name, reason] for name, reason in evidence.left_out[:200]]
        listed = table(["File", "Reason"], rows, caption="Files left out")
        more = (
            paragraph(f"The first 200 of {len(evidence.left_out):,}.", "note") if len(evidence.left_out) > 200 else ""
        )
        parts.append(
            fold(
                f"{plural(len(evidence.left_out), 'file')} left out", listed + more, open_=len(evidence.left_out) <= 20
            )
        )
    else:
        parts.append(paragraph("No file was left out.", "note"))
    return "".join(parts)


def _flat(value: Any, where: str = "") -> Iterator[list]:
    """(path, value) of every entry of nested mappings."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{where}.{name}" if where else str(name))
    elif where:
        yield [_code(where), _code(_plain(value))]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "none"
    if isinstance(value, tuple | list):
        return ", ".join(map(_plain, value)) or "empty"
    return str(value) or "empty"


def _code(text: str) -> Markup:
    """A name or value in type of one width, which may be broken after dots, slashes and underscores."""
    inside = re.sub(r"([._/])", r"\1<wbr>", escape(text))
    return Markup(f"<code>{inside}</code>")
