"""A page on a classifier of a run's images: how good it is, whether it is as sure as it is right, what it confuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from vaelab import files, plots
from vaelab.metrics import Score
from vaelab.metrics._calibration import answers, calibration, confusion
from vaelab.metrics.calibration_error import BY_CHANCE
from vaelab.report.html import html, page
from vaelab.report.scores import summary_of, words_of
from vaelab.report.words import interval_of, number, plural, value_of
from vaelab.runs.classify import Classified

_HEAD = ["Measure", ("Value", "n"), "95 % interval", "By chance", "Unit"]
_MOST_PARTS = 30


class Chart(NamedTuple):
    """A picture under its heading."""

    heading: str
    words: str
    sheet: Figure
    alt: str


def write_page(found: Classified) -> None:
    """Writes one HTML file beside the classifier, with its name.

    Raises:
        InputError: The place cannot be written.
    """
    facts, (learnt, calibrated, judged) = found.predictor.facts, found.counts
    kind = f"{len(facts.classes)} classes" if facts.classes else "a number"
    by = f"; no {facts.group} is on both sides" if facts.group else ""
    middle = f", calibrated with {plural(calibrated, 'validation image')}" if calibrated else ""
    lede = (
        f"A small convolutional network that learnt from {plural(learnt, 'training image')}{middle}, and is judged by "
        f"{plural(judged, f'{found.part} image')}{by}."
    )
    over = f"{facts.group}s" if facts.group else "images"
    lead = f"Intervals are over {over}: they say how far a number would move with others of the same kind."
    values = {
        "folder": found.path.parents[1].resolve().name,
        "column": facts.column,
        "kind": kind,
        "kept": ", ".join(path.name for path in found.kept.values()),
        "lede": lede,
        "notes": [said[0].upper() + said[1:] for said in found.notes],
        "lead": lead,
        "head": _HEAD,
        "rows": [_row(score) for score in found.scores if not score.part],
        "charts": list(_charts(found)),
    }
    files.write(found.path.with_suffix(".html"), page("classifier.html", values))


def _row(score: Score) -> list:
    what = html(
        "<span>{{ title }}</span><small>{{ said|prose }}</small>",
        title=words_of(score.metric).title,
        said=summary_of(score.metric) + f" No number: {score.reason}." * bool(score.reason),
    )
    chance = number(score.null, digits=3) if score.null is not None else "\N{EN DASH}"
    ends = interval_of(score) or "\N{EN DASH}"
    return [what, (value_of(score), "n value"), (ends, "range"), (chance, "range"), (score.unit, "unit")]


def _charts(found: Classified) -> Iterator[Chart]:
    facts, arrays = found.predictor.facts, found.arrays
    if not facts.classes:
        known, told = arrays["known_numbers"], arrays["predicted_numbers"]
        words = "A dot is an image; on the line it is predicted rightly."
        sheet = plots.predicted(known, told, name=facts.column)
        yield Chart("Predicted against known", words, sheet, f"{facts.column} as predicted against what it is.")
        return
    sure, right = answers(arrays["class_probabilities"], arrays["known_classes"])
    curve = calibration(sure, right, arrays.get("groups"))
    sheet = plots.reliability(curve.confidences, curve.shares, curve.intervals, sure)
    alt = "Share of images told rightly against how sure the classifier was."
    yield Chart("Is it right as often as it is sure?", _calibrated(found), sheet, alt)
    counts = confusion(arrays["known_classes"], arrays["image_classes"], len(facts.classes))
    sheet = plots.confusion(counts, facts.classes)
    yield Chart("What it takes for what", confused(found), sheet, "Share of each class's images told as each class.")
    own = [score for score in found.scores if score.metric == "balanced_accuracy" and score.part][:_MOST_PARTS]
    rows = [plots.Dot(score.part, score.value, score.interval) for score in own]
    words = "The share of its images that are told rightly, with the 95 % interval."
    words += f" The first {_MOST_PARTS}; all stand in the table beside this page." * (len(facts.classes) > _MOST_PARTS)
    sheet = plots.dot_rows(rows, label="share of its images told rightly")
    yield Chart("Class by class", words, sheet, words)


def _calibrated(found: Classified) -> str:
    """What the calibration error and its temperature say, in words."""
    scores = {score.part: score for score in found.scores if score.metric == "calibration_error"}
    value, chance = scores[""], scores.get(BY_CHANCE)
    if chance is None or chance.interval is None:
        return ""
    high = chance.interval[1]
    verdict = "no more than" if value.value <= high else "more than"
    words = (
        "Each dot is a tenth of the range of its certainty, with the 95 % interval of the share; on the line it is "
        f"right as often as it is sure. The mean distance from the line is {value_of(value)}, {verdict} a classifier "
        f"whose probabilities are all true scores on so few images: {value_of(chance)}, up to {number(high, digits=2)}."
    )
    if found.uncalibrated is None:
        return words
    temperature = float(found.predictor.temperature)
    was = "too sure" if temperature > 1 else "not sure enough"
    was = was if abs(np.log(temperature)) > 0.1 else "nearly as sure as it should be"
    return (
        f"{words} The network was {was}: its answers are divided by a temperature of {number(temperature, digits=3)}, "
        f"without which the distance is {number(found.uncalibrated.value, digits=2)}."
    )


def confused(found: Classified) -> str:
    """The pairs of classes that are confused most often, in words; empty for a number."""
    facts, arrays = found.predictor.facts, found.arrays
    if not facts.classes:
        return ""
    counts = confusion(arrays["known_classes"], arrays["image_classes"], len(facts.classes))
    wrong = counts * (1 - np.eye(len(counts), dtype=int))
    if not wrong.any():
        return "No image of a known class is taken for another."
    most = np.argsort(-wrong, axis=None, kind="stable")[:3]
    pairs = (np.unravel_index(place, wrong.shape) for place in most if wrong.flat[place])
    said = [
        f"{facts.classes[row]!r} for {facts.classes[column]!r} ({wrong[row, column]:,} of {counts[row].sum():,})"
        for row, column in pairs
    ]
    return f"Most often it takes {', '.join(said)}."
