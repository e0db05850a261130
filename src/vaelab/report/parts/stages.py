"""The measures of every stage, side by side."""

from __future__ import annotations

from markupsafe import Markup

from vaelab.metrics import Score
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, Part
from vaelab.report.scores import chosen, with_interval, words_of
from vaelab.report.words import ceiling_of, plural


class Stages(Part):
    """What each stage measures on the same images: all together, and the first error of pixels channel by channel."""

    section = "good"
    order = 20
    title = "Both stages, on the same images"
    only_for = "models of several stages"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return len(look.stages) > 1

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        dims = {stage: look.measured(stage).embedding.latent_dim for stage in look.stages}
        names = ((f"{stage.capitalize()} stage, {plural(dim, 'latent')}", "n") for stage, dim in dims.items())
        rows = [[_name(row[0]), *((_cell(score), "n") for score in row)] for row in _rows(look)]
        return html(
            """{{ table(head, rows, "Measures of both stages on held-out images", "errors") }}
            {{ note("Small: 95 % interval. Rate and mutual information in nats per image; the rate is an upper bound of"
            " the mutual information of image and code, and the value given for it a lower bound.") }}""",
            head=["Measure", *names], rows=rows,
        )  # fmt: skip


def _rows(look: Look) -> list[list[Score]]:
    """The scores that all stages have, a row each."""
    whole = chosen(look.measured().scores)
    errors = [score.metric for score in whole if words_of(score.metric).group == "pixels"][:1]
    parts = [(metric, channel) for metric in errors for channel in look.channels if len(look.channels) > 1]
    wanted = [(score.metric, "") for score in whole] + parts
    rows = [[look.score(metric, part, stage) for stage in look.stages] for metric, part in wanted]
    return [[score for score in row if score] for row in rows if all(row)]


def _name(score: Score) -> str:
    return words_of(score.metric).title + (f", {score.part}" if score.part else "")


def _cell(score: Score) -> Markup:
    bound = words_of(score.metric).group == "nats" and ceiling_of(score)
    return with_interval(score, [f"at most {bound}"] if bound else [])
