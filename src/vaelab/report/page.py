"""The page: head, first facts and warnings, contents, and the sections in the order of a scientist's questions."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from vaelab.report.evidence import Evidence
from vaelab.report.how_good import how_good
from vaelab.report.how_it_looks import how_it_looks
from vaelab.report.how_made import how_made
from vaelab.report.odd_images import odd_images
from vaelab.report.what_varies import what_varies
from vaelab.report.words import duration, findings, interval_of, plural, size_of, value_of, warnings

SECTIONS = {
    "good": ("How good?", how_good),
    "looks": ("What does it look like?", how_it_looks),
    "varies": ("What varies?", what_varies),
    "odd": ("Which are odd?", odd_images),
    "made": ("How made?", how_made),
}
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
FACTS = (
    ("elbo", "Held-out ELBO"), ("log_likelihood", "log p(x), importance-weighted"), ("rate", "Rate"),
    ("active_units", "Active latents"), ("bits_per_dim", "Bits per dimension"), ("psnr", "PSNR"), ("mse", "Squared error per pixel"),
)  # fmt: skip


def render(evidence: Evidence) -> str:
    """The report as one HTML document that asks for nothing outside itself."""
    title = f"{evidence.name}: vaelab report"
    links = "".join(f'<a href="#{key}">{escape(short)}</a>' for key, (short, _) in SECTIONS.items())
    body = "".join(write(evidence) for _, write in SECTIONS.values())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><link rel="icon" href="data:,">'
        f"<style>{_own('report.css')}</style></head><body>"
        f'<a class="skip" href="#good">Skip to the measures</a>'
        f'{_masthead(evidence)}<nav aria-label="Contents"><div>{links}</div></nav><main>{body}</main>'
        f"<footer>Made by vaelab from {escape(evidence.folder.name)}.</footer>"
        f"<dialog><form method=dialog><button aria-label=Close><img alt></button></form></dialog>"
        f"<script>{_own('report.js')}</script></body></html>"
    )


def _masthead(evidence: Evidence) -> str:
    last = evidence.metrics.iloc[-1] if len(evidence.metrics) else None
    trained = f" in {int(evidence.metrics['step'].max()):,} steps and {duration(float(evidence.metrics['seconds'].max()))}" if last is not None else ""
    lede = (
        f"A variational autoencoder with {plural(evidence.latent_dim, 'latent')} and {plural(evidence.num_parameters, 'weight')}, "
        f"trained on {plural(evidence.counts.get('train', 0), 'image')} of {size_of(evidence.image_shape, evidence.channels)}{trained}."
    )
    said = "".join(f"<li>{escape(sentence)}</li>" for sentence in findings(evidence))
    return (
        f'<header><p class="eyebrow">vaelab report</p><h1>{escape(evidence.name)}</h1><p class="lede">{escape(lede)}</p>'
        f'<dl class="facts">{_facts(evidence)}</dl><ul class="findings">{said}</ul>{_warnings(evidence)}</header>'
    )


def _facts(evidence: Evidence) -> str:
    cards = []
    for name, title in FACTS:
        if name not in evidence.scores or len(cards) == 4:
            continue
        score = evidence.scores[name]
        unit = f"of {evidence.latent_dim}" if name == "active_units" else score.unit
        interval = interval_of(score)
        below = f'<small>95 %: {interval}</small>' if interval else f"<small>{score.count:,} images</small>"
        cards.append(f'<div><dt>{escape(title)}</dt><dd><b>{value_of(score)}</b> <span>{escape(unit)}</span>{below}</dd></div>')
    return "".join(cards)


def _warnings(evidence: Evidence) -> str:
    found = warnings(evidence)
    if not found:
        checked = (
            "Nothing to warn of: checked for posterior collapse, a likelihood that is not normalised, a missing test split, "
            "few held-out images, files left out, overfitting, and training that stopped early."
        )
        return f'<p class="fine">{checked}</p>'
    items = "".join(f"<li><b>{escape(what)}.</b> {escape(meaning)}</li>" for what, meaning in found)
    return f'<div class="warnings" role="note"><h2>Before you trust these numbers</h2><ul>{items}</ul></div>'


def _own(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
