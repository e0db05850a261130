"""How far an explanation drags other columns of the table along."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab.plots import Dot, Tile, dot_rows, picture_png, pixels_of, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.parts._explained import above
from vaelab.runs.confounded import read_confounders
from vaelab.runs.explanations import read_warning


class Confounders(PicturePart):
    """How far other columns, such as the plate, move with the series of a classifier, and with those by balanced data.

    Of the explanation with confounders that was made last.
    """

    section = "looks"
    order = 63
    title = "Does it follow something else?"
    on_page = False
    only_for = (
        "runs that were explained with confounders: vaelab explain RUN --label COLUMN --to CLASS --confounders all"
    )

    def applies(self, look: Look) -> bool:
        """See Part."""
        return read_confounders(look.run) is not None

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            explained: What was explained, the folder's name.
            warning: The gate's; empty where it was passed.
            verdicts: (column,): what is to be said of every column that was asked for.
            columns: (shown,): those for which there are numbers.
            method: Of whose series they are.
            moved, baseline: (shown, 3): how far each moves with the series, and with those of a classifier that is
                trained on balanced data, 0 to 1; the value and the ends of its 95 % interval.
        """
        found = read_confounders(look.run)
        assert found is not None
        name, table = found
        best = table[table["best"]]
        shown = list(dict.fromkeys(best["column"]))
        numbers = best.set_index(["measure", "column"])[["value", "low", "high"]]
        verdicts = table[table["verdict"].notna() & (table["best"] | table["method"].isna())]
        return {
            "explained": np.array(name),
            "warning": np.array(read_warning(look.run.folder / "explanations" / name)),
            "verdicts": np.array(verdicts["verdict"].tolist(), np.str_),
            "columns": np.array(shown, np.str_),
            "method": np.array(best["method"].iloc[0] if len(best) else ""),
            "moved": _numbers(numbers, "moved", shown),
            "baseline": _numbers(numbers, "baseline_moved", shown),
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        chart = chart_of(arrays) if len(arrays["columns"]) else None
        return html(
            """<ul>{% for said in verdicts %}<li>{{ said }}.</li>{% endfor %}</ul>
            {% if figure %}{{ chart(figure, alt) }}{% endif %}{{ note(words) }}""",
            verdicts=arrays["verdicts"].tolist(), figure=chart, alt=self.title, words=above(arrays, *_words(arrays)),
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        tiles = [Tile(pixels_of(chart_of(arrays), 2))] if len(arrays["columns"]) else []
        said = [f"{each}." for each in arrays["verdicts"].tolist()]
        return picture_png(sheet([("", tiles)], title=self.title, note=above(arrays, *said, *_words(arrays))))


def chart_of(arrays: Arrays) -> Figure:
    """A dot for each column, and below it a hollow one by balanced data."""
    rows = []
    for name, own, beside in zip(arrays["columns"].tolist(), arrays["moved"], arrays["baseline"], strict=True):
        rows.append(Dot(name, float(own[0]), _ends(own)))
        rows.append(Dot("by balanced data", float(beside[0]), _ends(beside), kind="beside"))
    return dot_rows(rows, label="total variation distance of the oracle's answers")


def _ends(row: np.ndarray) -> tuple[float, float] | None:
    return (float(row[1]), float(row[2])) if np.isfinite(row).all() else None


def _numbers(numbers, measure: str, columns: list[str]) -> np.ndarray:
    return np.array([numbers.loc[(measure, name)].to_numpy(float) for name in columns]).reshape(-1, 3)


def _words(arrays: Arrays) -> list[str]:
    lines = [f"Explained: {arrays['explained'].item()}."]
    if len(arrays["columns"]):
        named = arrays["method"].item().replace("_", " ")
        lines.append(
            f"How far an oracle of each column changes its mind between both ends of a series, by {named}: 0 is not at "
            "all, 1 is wholly."
        )
        lines.append("Hollow: by a classifier that learnt from data in which the column says nothing of the class.")
    return lines
