"""Every measure of the held-out images."""

from __future__ import annotations

from markupsafe import Markup

from vaelab.metrics import Score
from vaelab.report.html import html
from vaelab.report.look import FEWEST_DRAWS, Look
from vaelab.report.parts import Arrays, Part
from vaelab.report.scores import chosen, summary_of, words_of
from vaelab.report.words import ceiling_of, interval_of, plural, value_of


class Measures(Part):
    """Every measure with its interval, its unit, which way is better, and where it is defined."""

    section = "good"
    order = 10

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        head = ["Measure", ("Value", "n"), "95 % interval", "Unit", "Better", ("Images", "n"), "Source"]
        rows = [_row(score) for score in chosen(look.measured().scores)]
        return html(
            """<p class="lead">{{ lead }}</p>
            {{ note(cut) if cut }}
            {{ table(head, rows, "Measures on held-out images", "measures") }}""",
            head=head, rows=rows, lead=_lead(look), cut=_cut(look),
        )  # fmt: skip


def _row(score: Score) -> list:
    ceiling = f" At most {most}." if (most := ceiling_of(score)) else ""
    nothing = f" No number, since {score.reason}." if score.reason else ""
    what = html(
        "<span>{{ title }}</span><small>{{ said|prose }}</small>",
        title=words_of(score.metric).title, said=summary_of(score.metric) + ceiling + nothing,
    )  # fmt: skip
    arrow = {"higher": "\N{UPWARDS ARROW}", "lower": "\N{DOWNWARDS ARROW}"}.get(score.better)
    way = html(
        """{% if arrow %}<span class="arrow" aria-hidden="true">{{ arrow }}</span> {{ better }}
        {%- else %}<span class="quiet">{{ better }}</span>{% endif %}""",
        arrow=arrow, better=score.better,
    )  # fmt: skip
    return [
        what, (value_of(score), "n value"), (interval_of(score) or "\N{EN DASH}", "range"), (score.unit, "unit"),
        (way, "way"), (f"{score.count:,}", "n count"),
        (html("<small>{{ source|linked }}</small>", source=score.source), "source"),
    ]  # fmt: skip


def _lead(look: Look) -> str:
    measured, held_out = len(look.rows), look.counts[look.split]
    part = "all" if measured == held_out else f"a random draw of {measured:,} of the"
    fitted = "which the weights were fitted to" if look.split == "train" else "which the weights were not fitted to"
    return (
        f"Measured on {part} {plural(held_out, 'image')} of the {look.split} split, {fitted}, with "
        f"{plural(look.num_samples, 'draw')} of the posterior per image. Terms are summed over pixels and latents. "
        "Intervals say how far a number would move with other images of the same kind; another seed of the training "
        "may move it further."
    )


def _cut(look: Look) -> str:
    """What was measured less than is usual, and how to have more."""
    if not look.is_cut:
        return ""
    return (
        "To draw an image costs this model so much that fewer images or draws were taken than usual "
        f"(2,000 and 64; {FEWEST_DRAWS} draws at least). --num-images and --num-samples ask for more."
    )
