"""How good is it? The measures and the curves."""

from __future__ import annotations

from html import escape

from vaelab.evaluation import Score
from vaelab.plots import curve, terms
from vaelab.report.evidence import Evidence
from vaelab.report.html import chart, heading, paragraph, section, table
from vaelab.report.words import interval_of, kept_step, plural, value_of

NAMES = {
    "elbo": "ELBO", "mse": "MSE", "mae": "MAE", "psnr": "PSNR", "ssim": "SSIM", "bits_per_dim": "Bits per dimension",
    "log_likelihood": "log p(x)", "active_units": "Active latents",
}  # fmt: skip
ARROWS = {
    "higher": '<span class="arrow" aria-hidden="true">\N{UPWARDS ARROW}</span> higher',
    "lower": '<span class="arrow" aria-hidden="true">\N{DOWNWARDS ARROW}</span> lower',
    "neither": '<span class="quiet">neither</span>',
}
TITLES = {
    "loss": ("Loss", "what was minimised; lower is better"),
    "elbo": ("ELBO", "higher is better"),
    "distortion": ("Distortion", "minus the expected log p(x|z); lower is better"),
    "rate": ("Rate", "KL(q(z|x) || p(z)): what the code carries"),
}


def how_good(evidence: Evidence) -> str:
    """The section with the measures and the curves."""
    measured, held_out = len(evidence.per_image), evidence.counts.get(evidence.split, 0)
    part = "all" if measured == held_out else f"{measured:,} of the"
    lead = (
        f"Measured on {part} {plural(held_out, 'image')} of the {evidence.split} split, none of which the weights were fitted "
        "to. Ranges are 95 % intervals; terms are in nats per image, summed over pixels and latents."
    )
    rows = [_row(evidence, name, score) for name, score in evidence.scores.items()]
    head = ["Measure", ("Value", "n"), "95 % interval", "Unit", "Better", ("Images", "n"), "Source"]
    measures = table(head, rows, caption="Measures on held-out images", kind="measures")
    return section("good", "How good is it?", lead, measures, heading("Every term while it trained"), _curves(evidence))


def _row(evidence: Evidence, name: str, score: Score) -> list:
    title = NAMES.get(name) or name.replace("_", " ").capitalize()
    what = evidence.explanations.get(name, "")
    ceiling = f" It cannot exceed {score.ceiling:g}." if score.ceiling is not None else ""
    first = f"<span>{escape(title)}</span><small>{escape(what + ceiling)}</small>"
    return [
        first, (value_of(score), "n value"), (interval_of(score) or "\N{EN DASH}", "range"), score.unit,
        (ARROWS[score.better], "way"), (f"{score.count:,}", "n"), (f"<small>{escape(score.source)}</small>", "source"),
    ]  # fmt: skip


def _curves(evidence: Evidence) -> str:
    if evidence.metrics.empty:
        return paragraph("This run has no metrics.csv, so there are no curves.", "quiet")
    kept = kept_step(evidence.metrics)
    charts = []
    for term in terms(evidence.metrics):
        if evidence.metrics[term].notna().any():
            title, note = TITLES.get(term, (term.replace("_", " ").capitalize(), ""))
            alt = f"{title} in nats per image against the optimiser step, on training and validation images."
            charts.append(chart(curve(evidence.metrics, term, kept_step=kept), alt=alt, title=title, note=note))
    note = "Training values are averages over the steps between two points, with the weights as they changed."
    if kept is not None:
        note += f" The dashed line is step {kept:,}, which had the lowest validation loss and whose weights are reported here."
    return f'<div class="charts">{"".join(charts)}</div>' + paragraph(note, "note")
