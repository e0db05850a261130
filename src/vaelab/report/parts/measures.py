"""Every measure of the held-out images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from vaelab.metrics import Score
from vaelab.report.html import html
from vaelab.report.look import FEWEST_DRAWS, Look
from vaelab.report.parts import Arrays, Part
from vaelab.report.scores import chosen, summary_of, words_of
from vaelab.report.words import ceiling_of, interval_of, number, plural, value_of
from vaelab.runs.question import checkpoint_of
from vaelab.runs.results import asks_for_columns, list_results


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
            {{ table(head, rows, "Measures on held-out images", "measures") }}
            {% for words, rows in known %}{{ note(words) }}
            {{ table(heads, rows, "Measures beside columns of the table", "measures") }}{% endfor %}""",
            head=head, rows=rows, lead=_lead(look), cut=_cut(look), known=list(_known(look)), heads=_BESIDE,
        )  # fmt: skip


def _row(score: Score) -> list:
    ceiling = f" At most {most}." if (most := ceiling_of(score)) else ""
    ceiling += f" No number: {score.reason}." * bool(score.reason)
    what = html(
        "<span>{{ title }}</span><small>{{ said|prose }}</small>",
        title=words_of(score.metric).title, said=summary_of(score.metric) + ceiling,
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


_BESIDE = ["Measure", ("Value", "n"), "95 % interval", "By chance", "Trivial models", "Unit", "Source"]


def _known(look: Look) -> Iterator[tuple[str, list[list]]]:
    """What `evaluate` measured beside columns of the table, of these weights: in words what it was, and a row each."""
    for result in list_results(look.run):
        asked, columns = result.question, result.question.columns
        if not columns or (asked.checkpoint, asked.stage) != (checkpoint_of(look.run), look.stages[-1]):
            continue
        scores = [score for score in chosen(result.scores) if asks_for_columns(score.metric)]
        if scores:
            words = "; ".join(f"{name}: {', '.join(values)}" for name, values in columns.items())
            yield (
                f"Beside columns of the table ({words}), as measured by evaluate on "
                f"{plural(asked.num_images, f'{asked.split} image')}.",
                [_known_row(score, result.scores) for score in scores],
            )


def _known_row(score: Score, scores: Sequence[Score]) -> list:
    what, value, ends, unit, *_, source = _row(score)
    trivial = [s for s in scores if s.metric == score.metric and not s.part and s.model]
    chance = number(score.null) if score.null is not None else "\N{EN DASH}"
    beside = html(
        "{% for name, value in rows %}<small>{{ name }} {{ value }}</small>{% endfor %}",
        rows=[(s.model.removesuffix(" images"), value_of(s)) for s in trivial],
    )
    return [what, value, ends, (chance, "range"), beside, unit, source]


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
