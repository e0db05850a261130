"""The page: head, first facts and warnings, contents, and the sections in the order of a scientist's questions."""

from __future__ import annotations

from html import escape
from importlib.metadata import version
from importlib.resources import files

from vaelab.report.cautions import warnings
from vaelab.report.evidence import Evidence
from vaelab.report.how_good import how_good
from vaelab.report.how_it_looks import how_it_looks
from vaelab.report.how_made import how_made
from vaelab.report.kind import kind_of
from vaelab.report.odd_images import odd_images
from vaelab.report.what_varies import what_varies
from vaelab.report.words import duration, findings, interval_of, plural, size_of, value_of

SECTIONS = {
    "good": ("How good?", how_good),
    "looks": ("What does it look like?", how_it_looks),
    "varies": ("What varies?", what_varies),
    "odd": ("Which are odd?", odd_images),
    "made": ("How made?", how_made),
}
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)
"""The browser itself refuses whatever would come from outside the file."""
FACTS = {
    "elbo": "ELBO, held out",
    "log_likelihood": "log p(x), held out",
    "rate": "Rate",
    "active_units": "Active latents",
}


def render(evidence: Evidence) -> str:
    """The report as one HTML document that asks for nothing outside itself."""
    title = f"{evidence.experiment.name}: vaelab report"
    links = "".join(f'<a href="#{key}">{escape(short)}</a>' for key, (short, _) in SECTIONS.items())
    body = "".join(write(evidence) for _, write in SECTIONS.values())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><link rel="icon" href="data:,">'
        f"<style>{_own('report.css')}</style></head><body>"
        f'<a class="skip" href="#good">Skip to the measures</a>'
        f'{_masthead(evidence)}<nav aria-label="Contents"><div>{links}</div></nav><main>{body}</main>'
        f"<footer>Made by vaelab {version('vaelab')} from the run "
        f"{escape(evidence.folder.resolve().name)}.</footer><dialog><form method=dialog><button aria-label=Close><img "
        f"alt></button></form></dialog><script>{_own('report.js')}</script></body></html>"
    )


def _masthead(evidence: Evidence) -> str:
    said = "".join(f"<li>{escape(sentence)}</li>" for sentence in findings(evidence))
    return (
        f'<header><p class="eyebrow">vaelab report</p><h1>{escape(evidence.experiment.name)}</h1>'
        f'<p class="lede">{escape(_lede(evidence))}</p>'
        f'<dl class="facts">{_facts(evidence)}</dl><ul class="findings">{said}</ul>{_warnings(evidence)}</header>'
    )


def _lede(evidence: Evidence) -> str:
    """What kind of model it is, and what it was trained on."""
    metrics, first = evidence.metrics, evidence.first
    latents = (f"{first.embedding.latent_dim} and " if first else "") + plural(evidence.latent_dim, "latent")
    images = f"{plural(evidence.counts['train'], 'image')} of {size_of(evidence.image_shape, evidence.channels)}"
    if evidence.conditions:
        images += f", each under its {' and '.join(evidence.conditions)},"
    if len(metrics):
        images += f" in {plural(int(metrics['step'].max()), 'step')} and {duration(float(metrics['seconds'].max()))}"
    about = " What follows is about the second stage, unless it names the first." if first else ""
    return (
        f"{kind_of(evidence.experiment)} with {latents} and {plural(evidence.num_parameters, 'weight')}, "
        f"trained on {images.removesuffix(',')}.{about}"
    )


def _facts(evidence: Evidence) -> str:
    cards = []
    for name, title in FACTS.items():
        if name not in evidence.measures.scores:
            continue
        score = evidence.measures.scores[name]
        unit = f"of {evidence.latent_dim}" if name == "active_units" else score.unit
        interval = interval_of(score)
        below = f"<small>95 %: <i>{interval}</i></small>" if interval else f"<small>{score.count:,} images</small>"
        cards.append(
            f"<div><dt>{escape(title)}</dt><dd><b>{value_of(score)}</b> <span>{escape(unit)}</span>{below}</dd></div>"
        )
    return "".join(cards)


def _warnings(evidence: Evidence) -> str:
    found = warnings(evidence)
    if not found:
        checked = (
            "Nothing to warn of: checked for posterior collapse, a likelihood that is not normalised, a missing test "
            "split, few held-out images, files left out, poor importance weights, mutual information at its ceiling, "
            "overfitting, and training that ended early."
        )
        return f'<p class="fine">{checked}</p>'
    items = "".join(f"<li><b>{escape(what)}.</b> {escape(meaning)}</li>" for what, meaning in found)
    return f'<div class="warnings" role="note"><h2>Before you trust these numbers</h2><ul>{items}</ul></div>'


def _own(name: str) -> str:
    return files("vaelab.report").joinpath(name).read_text(encoding="utf-8")
