"""Every term of training against the step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab.penalties import Term
from vaelab.plots import Tile, curve, picture_png, pixels_of, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.names import term_words
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.terms import CEILING, kept_step, series, terms

SPLITS = ("train", "validation")
PER_ROW = 3
"""Charts in a row of a sheet."""


class Curve(NamedTuple):
    """One term of one stage."""

    group: str
    stage: str
    term: str
    words: Term


class Curves(PicturePart):
    """Every term on training and validation images, stage by stage."""

    section = "good"
    order = 50
    title = "Every term while it trained"

    def compute(self, look: Look) -> Arrays:
        """See Part. One entry for each point, in the order of the curves; ceilings are terms of their own."""
        stages = look.metrics["stage"].unique().tolist() if len(look.metrics) else []
        lines = [
            ((stage, term, split), series(look.metrics, split, term, stage))
            for stage in stages
            for term in terms(look.metrics, stage)
            for split in SPLITS
        ]
        counts = [points.shape[1] for _, points in lines]
        names = np.array([name for name, _ in lines], np.str_).reshape(len(lines), 3).T
        points = np.concatenate([np.zeros((2, 0)), *(points for _, points in lines)], axis=1)
        text = dict(zip(("stage", "term", "split"), (column.repeat(counts) for column in names), strict=True))
        return text | {"step": points[0], "value": points[1]}

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        curves, groups = list(_curves(look, arrays)), {}
        for each in curves:
            group = each.group if len({c.group for c in curves}) > 1 else ""
            groups.setdefault(group, []).append((each, _figure(look, arrays, each)))
        return html(
            """{% for group, charts in groups.items() %}
            {% if group %}<h4>{{ group }}</h4>{% endif %}
            <div class="charts">
            {% for each, figure in charts %}
            {% set words = each.words %}
            {% set alt = "%s in %s against the optimiser step, on training and validation images." %}
            {{ chart(figure, alt % (words.title, words.unit), words.title, words.note) }}
            {% endfor %}
            </div>
            {% else %}
            <p class="quiet">This run has no metrics.csv, so there are no curves.</p>
            {% endfor %}
            {{ note(said) if groups }}""",
            groups=groups, said=_note(kept_step(look.metrics)),
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        rows, curves = [], list(_curves(look, arrays))
        for group in dict.fromkeys(each.group for each in curves):
            own = [each for each in curves if each.group == group]
            tiles = [Tile(pixels_of(_figure(look, arrays, each)), _heading(each.words)) for each in own]
            rows += [(group if not i else "", tiles[i : i + PER_ROW]) for i in range(0, len(tiles), PER_ROW)]
        return picture_png(sheet(rows, title=self.title, gap=24, note=_note(kept_step(look.metrics))))


def _curves(look: Look, arrays: Arrays) -> Iterator[Curve]:
    """Those drawn, stage by stage; ceilings are drawn with what they limit."""
    pairs = dict.fromkeys(zip(arrays["stage"].tolist(), arrays["term"].tolist(), strict=True))
    several = len({stage for stage, _ in pairs}) > 1
    for stage, term in pairs:
        if not term.endswith(CEILING):
            words = term_words(term, look.run.experiment)
            together = "Both stages together" if not stage else f"{stage.capitalize()} stage"
            yield Curve(together if several else words.group, stage, term, words)


def _figure(look: Look, arrays: Arrays, which: Curve) -> Figure:
    def lines(term: str) -> dict[str, np.ndarray]:
        own = (arrays["stage"] == which.stage) & (arrays["term"] == term)
        points = np.stack([arrays["step"], arrays["value"]])
        return {split: points[:, own & (arrays["split"] == split)] for split in SPLITS}

    ceilings = lines(f"{which.term}{CEILING}")
    return curve(
        lines(which.term),
        unit=which.words.unit,
        kept_step=kept_step(look.metrics),
        ceilings=ceilings if any(points.size for points in ceilings.values()) else None,
        prepared=look.run.experiment.objective.pretrain_steps,
    )


def _heading(words: Term) -> str:
    return f"{words.title}: {words.note}" if words.note else words.title


def _note(kept: int | None) -> str:
    words = "Training values are means over the steps since the point before, with the weights as they were then."
    if kept is None:
        return words
    return (
        f"{words} The dashed line is step {kept:,}, of the lowest validation loss: its weights are those reported here."
    )
