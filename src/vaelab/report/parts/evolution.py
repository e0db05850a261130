"""How the codes came about while the model was trained."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab.data.columns import label_column
from vaelab.data.conditions import matching
from vaelab.evaluation.alignment import procrustes
from vaelab.evaluation.drift import SETTLED, drift, kept_in_the_end, settled_step
from vaelab.plots import Classes, Tile, lines, panels, picture_png, pixels_of, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.table import labels_of
from vaelab.runs.codes import CodeSeries, read_codes

MOST_PANELS, MOST_POINTS = 8, 300


class Evolution(PicturePart):
    """The codes of the same held-out images at snapshots of the training, turned to lie on the last.

    Below, how many of their neighbours stay to the end and, where images of a class came later, how far that moved the
    others.
    """

    section = "varies"
    order = 45
    title = "How the codes came about"
    only_for = "runs that kept codes while they were trained, as watching.codes_every says"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return _series(look) is not None

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            steps, rows: (snapshot,), and (image,) in the collection.
            kept: (snapshot,), the share of an image's 10 nearest that are among those of the last snapshot; where
                images came later, of the others, and ``kept_later`` of these.
            later: (image,), True for images that came later.
            settled: From which step on it stays above 0.7; -1: it does not.
            since: Only where images came later: the snapshot from which the others' drift is counted.
            left, kl: (snapshot,), that drift: `vaelab.evaluation.drift`.
            shown, points: (panel,) steps, and (panel, point, 2), turned by Procrustes, not scaled.
            label, labels, names: As those of the plane, of each point.
        """
        series = _series(look)
        assert series is not None
        whole = look.run.dataset.collection.table
        table = whole.iloc[series.rows].reset_index(drop=True)
        old, is_later = series, np.zeros(len(table), bool)
        if (training := look.run.experiment.training).later:
            is_later = matching(whole, training.later, "training.later")[series.rows]
            is_later &= not is_later.all()  # else there are no others
            old = series.of(~is_later)
        kept = kept_in_the_end(old.loc)
        settled = settled_step(series.steps, kept)
        found: Arrays = {"steps": series.steps, "rows": series.rows, "kept": kept, "later": is_later}
        found["settled"] = np.array(-1 if settled is None else settled)
        if is_later.any():
            since = int(np.searchsorted(series.steps, training.later_step or series.steps[0], "right")) - 1
            found |= {"since": np.array(max(since, 0))} | drift(old.loc, old.scale, max(since, 0))
            found["kept_later"] = kept_in_the_end(series.of(is_later).loc)
        return found | _points(look, series, table, training.later_step if is_later.any() else None)

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        return html(
            """{{ note(how) }}
            {{ chart(scatter, "Codes at steps " ~ steps ~ ".", kind="wide") }}
            {{ note(said) }}
            <div class="charts">
            {% for title, figure in charts %}
            {{ chart(figure, title ~ " against the optimiser step.", title) }}
            {% endfor %}
            </div>""",
            how=_how(arrays), scatter=_scatter(arrays), steps=", ".join(map(str, arrays["shown"].tolist())),
            charts=_charts(look, arrays), said=_said(look, arrays),
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        charts = sheet([("", [Tile(pixels_of(figure), title) for title, figure in _charts(look, arrays)])], gap=24)
        rows = [("", [Tile(pixels_of(_scatter(arrays)))]), ("", [Tile(charts)])]
        note = f"{_how(arrays)}\n{_said(look, arrays)}".replace(". ", ".\n")
        return picture_png(sheet(rows, title=self.title, note=note))


def _series(look: Look) -> CodeSeries | None:
    return look.once("codes while training", lambda: read_codes(look.run))


def _points(look: Look, series: CodeSeries, table: pd.DataFrame, later_step: int | None) -> Arrays:
    """Some of the images at some of the snapshots, in the plane of the last one's two main components."""
    shown = np.unique(np.linspace(0, len(series.steps) - 1, MOST_PANELS).round().astype(int))
    if later_step is not None and later_step in series.steps:
        place = int(np.searchsorted(series.steps, later_step))
        shown[np.abs(shown - place).argmin()] = place
    some = np.sort(np.random.default_rng(look.seed).permutation(len(series.rows))[:MOST_POINTS])
    last = series.loc[-1].astype(np.float64)
    middle = last.mean(0)
    directions = (
        np.linalg.svd(last - middle, full_matrices=False)[2][:2] if last.shape[1] > 2 else np.eye(last.shape[1])
    )
    turned = [procrustes(series.loc[i], last, scaled=False)[0][some] for i in shown]
    points = (np.stack(turned) - middle) @ directions.T
    if points.shape[2] < 2:
        points = np.concatenate([points, series.scale[shown][:, some]], axis=2)
    name = look.asked_label or label_column(table, look.run.dataset.collection.factors)
    labels = labels_of(pd.Series(table[name])) if name else np.zeros(0)
    classes = isinstance(labels, Classes)
    return {
        "shown": series.steps[shown],
        "points": points,
        "label": np.array(name),
        "labels": (labels.codes if classes else labels)[some] if name else np.zeros(0),
        "names": np.array(labels.names if classes else [], np.str_),
    }


def _scatter(arrays: Arrays) -> Figure:
    names, labels = tuple(arrays["names"].tolist()), None
    if arrays["label"].item():
        labels = Classes(codes=arrays["labels"], names=names) if names else arrays["labels"]
    return panels(arrays["points"], [f"step {step:,}" for step in arrays["shown"].tolist()], labels)


def _charts(look: Look, arrays: Arrays) -> list[tuple[str, Figure]]:
    later, at = "since" in arrays, look.run.experiment.training.later_step
    mark = {"mark": at, "marked": f"{_words(look)} comes in"} if later and at else {}
    # The last snapshot is the end itself.
    kept = np.stack([arrays["steps"], arrays["kept"]])[:, :-1]
    named = {"the others" if later else "": kept}
    if later:
        named[_words(look)] = np.stack([arrays["steps"], arrays["kept_later"]])[:, :-1]
    found = [("Neighbours that stay to the end", lines(named, unit="share of 10 nearest", level=SETTLED, **mark))]
    if later:
        own = arrays["steps"] >= arrays["steps"][arrays["since"]]
        steps = arrays["steps"][own]
        for title, name, unit in (
            ("The others' arrangement, moved since then", "left", "share of variance left"),
            ("The others' posteriors, moved since then", "kl", "KL, nats per image"),
        ):
            found.append((title, lines({"": np.stack([steps, arrays[name][own]])}, unit=unit, **mark)))
    return found


def _words(look: Look) -> str:
    return ", ".join(look.run.experiment.training.later)


def _how(arrays: Arrays) -> str:
    return (
        f"The same {len(arrays['rows']):,} held-out images at each step ({arrays['points'].shape[1]:,} are drawn). "
        "The codes of each step are turned, mirrored and shifted, not scaled, to lie on the last (Procrustes); of more "
        "than two latents the two main components of the last are shown."
    )


def _said(look: Look, arrays: Arrays) -> str:
    settled, later, at = int(arrays["settled"]), "since" in arrays, look.run.experiment.training.later_step
    whose = "The neighbourhoods of the others" if later else "Neighbourhoods"
    said = f"{whose} do not settle before the end: {SETTLED:.0%} of the 10 nearest would have to stay. "
    if settled >= 0:
        said = (
            f"{whose} have settled at step {settled:,}: from there on at least {SETTLED:.0%} of the 10 nearest stay. "
        )
        if later and at and settled > at:
            said += f"That is {settled - at:,} steps after {_words(look)} came in. "
    if later:
        said += (
            f"Since step {arrays['steps'][arrays['since']]:,}, {arrays['left'][-1]:.1%} of the others' arrangement has "
            f"changed (Procrustes), and their posteriors have moved by {arrays['kl'][-1]:.2f} nats per image (KL of "
            "now from then, axes as they are)."
        )
    return said.strip()
