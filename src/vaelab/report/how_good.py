"""How good is it? The measures, what trivial models score, and the curves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

from vaelab.catalogue import functions
from vaelab.metrics import Score
from vaelab.plots import curve, terms
from vaelab.report.evidence import Evidence
from vaelab.report.html import Markup, chart, heading, paragraph, prose, section, table
from vaelab.report.names import CEILING, grouped, term_of, title_of
from vaelab.report.panels import stages
from vaelab.report.words import ceiling_of, interval_of, kept_step, plural, value_of

ARROWS = {
    "higher": Markup('<span class="arrow" aria-hidden="true">\N{UPWARDS ARROW}</span> higher'),
    "lower": Markup('<span class="arrow" aria-hidden="true">\N{DOWNWARDS ARROW}</span> lower'),
    "neither": Markup('<span class="quiet">neither</span>'),
}
ORDER = (
    "elbo", "log_likelihood", "distortion", "rate", "mutual_information", "total_correlation", "bits_per_dim",
    "effective_samples", "active_units",
)  # fmt: skip
OF_PIXELS = ("mse", "mae", "psnr", "ssim")


def how_good(evidence: Evidence) -> str:
    """The section with the measures and the curves."""
    measured, held_out = len(evidence.per_image), evidence.counts[evidence.split]
    part = "all" if measured == held_out else f"a random draw of {measured:,} of the"
    fitted = "which the weights were fitted to" if evidence.split == "train" else "which the weights were not fitted to"
    lead = (
        f"Measured on {part} {plural(held_out, 'image')} of the {evidence.split} split, {fitted}, with "
        f"{plural(evidence.num_samples, 'draw')} of the posterior per image. Terms are summed over pixels and latents."
    )
    scores = evidence.measures.scores
    whole = sorted((n for n in scores if "/" not in n), key=lambda n: ORDER.index(n) if n in ORDER else len(ORDER))
    head = ["Measure", ("Value", "n"), "95 % interval", "Unit", "Better", ("Images", "n"), "Source"]
    rows = [_row(name, scores[name]) for name in whole]
    measures = table(head, rows, caption="Measures on held-out images", kind="measures")
    return section(
        "good", "How good is it?", lead, measures, stages(evidence), _baselines(evidence), _channels(evidence),
        heading("Every term while it trained"), _curves(evidence),
    )  # fmt: skip


def _row(name: str, score: Score) -> list:
    metric = functions("vaelab.metrics").get(name)
    what = (metric.__doc__ or "").strip().partition("\n")[0] if metric else ""
    ceiling = f" At most {most}." if (most := ceiling_of(score)) else ""
    first = Markup(f"<span>{escape(title_of(name))}</span>{prose(what + ceiling)}")
    return [
        first, (value_of(score), "n value"), (interval_of(score) or "\N{EN DASH}", "range"), (score.unit, "unit"),
        (ARROWS[score.better], "way"), (f"{score.count:,}", "n count"), (_source(score.source), "source"),
    ]  # fmt: skip


def _source(text: str) -> Markup:
    linked = re.sub(r",?\s*\(?(https?://[^\s)]+)\)?", r' <a href="\1">link</a>', escape(text))
    return Markup(f"<small>{linked}</small>")


def _baselines(evidence: Evidence) -> str:
    """The errors of the reconstructions beside those of trivial models."""
    if not evidence.measures.baselines:
        return ""
    rows = {"This model": evidence.measures.scores, **evidence.measures.baselines}
    words = (
        f"PCA has as many components as the model has latents ({evidence.latent_dim}) and reconstructs with the least "
        "squared error a linear code can have on its training images; the mean image ignores the code. A model that "
        "doesn't beat PCA has learnt little that is not linear, or spends its code otherwise."
    )
    return heading("Reconstruction, beside trivial models") + _errors("Model", rows, "") + paragraph(words, "note")


def _channels(evidence: Evidence) -> str:
    if len(evidence.channels) == 1:
        return ""
    scores = evidence.measures.scores
    rows = {
        name: {m: scores[f"{m}/{name}"] for m in OF_PIXELS if f"{m}/{name}" in scores} for name in evidence.channels
    }
    return heading("Reconstruction, channel by channel") + _errors("Channel", rows, "")


def _errors(what: str, rows: Mapping[str, Mapping[str, Score]], kind: str) -> str:
    """One row per model or channel, one column per error of pixels."""
    first = next(iter(rows.values()))
    shown = [name for name in OF_PIXELS if name in first]
    arrow = {"higher": "\N{UPWARDS ARROW}", "lower": "\N{DOWNWARDS ARROW}", "neither": ""}
    head = [what, *((f"{title_of(name)} {arrow[first[name].better]}", "n") for name in shown)]
    body = [
        [row, *((_with_interval(scores[name]) if name in scores else "", "n") for name in shown)]
        for row, scores in rows.items()
    ]
    units = "; ".join(f"{title_of(name)} in {first[name].unit}" for name in shown)
    return table(head, body, caption=f"Errors of reconstructions: {units}", kind="errors") + paragraph(
        f"{units}. Small: 95 % interval.", "note"
    )


def _with_interval(score: Score) -> Markup:
    return Markup(f"<b>{value_of(score)}</b><small>{interval_of(score)}</small>")


def _curves(evidence: Evidence) -> str:
    if evidence.metrics.empty:
        return paragraph("This run has no metrics.csv, so there are no curves.", "quiet")
    measured = tuple(t for t in terms(evidence.metrics) if evidence.metrics[t].notna().to_numpy().any())
    kept, parts = kept_step(evidence.metrics), []
    for title, names in grouped(measured).items():
        charts = "".join(_curve(evidence, name, kept) for name in names)
        parts.append((f"<h4>{escape(title)}</h4>" if title else "") + f'<div class="charts">{charts}</div>')
    note = "Training values are means over the steps since the point before, with the weights as they were then."
    if kept is not None:
        note += (
            f" The dashed line is step {kept:,}, of the lowest validation loss: its weights are those reported here."
        )
    return "".join(parts) + paragraph(note, "note")


def _curve(evidence: Evidence, name: str, kept: int | None) -> str:
    """The curve of one term, with its ceiling where it has one."""
    title, note, unit = term_of(name)
    ceiling = f"{name}{CEILING}" if f"{name}{CEILING}" in evidence.metrics else None
    prepared = evidence.experiment.objective.pretrain_steps
    alt = f"{title} in {unit} against the optimiser step, on training and validation images."
    sheet = curve(evidence.metrics, name, unit=unit, kept_step=kept, ceiling=ceiling, prepared=prepared)
    return chart(sheet, alt=alt, title=title, note=note)
