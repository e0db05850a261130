"""A page on what a classifier's decision looks like: whether to believe it, the series, where they differ, how good."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from vaelab import files
from vaelab.plots import Row, Tile, lines, sheet, shrink
from vaelab.report.confounded import confounded
from vaelab.report.html import html, page
from vaelab.report.look import Shade
from vaelab.report.parts.exaggeration import said_of
from vaelab.report.parts.saliency import grey
from vaelab.report.pictures import Picture, colour, scale_for
from vaelab.report.scores import summary_of, words_of
from vaelab.report.words import interval_of, number, plural, value_of
from vaelab.runs.confounded import Confounder
from vaelab.runs.explaining import Explanation

SIDE, MOST_SHOWN = 64, 8
"""CSS pixels, about, of an image; images whose series stand on the page."""


class Shown(NamedTuple):
    """One image's series by every method, or its maps."""

    heading: str
    drawn: Picture
    alt: str


def write_explanation(found: Explanation, confounders: Sequence[Confounder] = ()) -> Path:
    """Writes one HTML file beside the series, and says where.

    Args:
        found: The explanation.
        confounders: What other columns it drags along, where that was asked.

    Raises:
        InputError: The place cannot be written.
    """
    column, explained = found.predictor.facts.column, found.explained
    what = f"{column} = {found.to}" if found.to else column
    gate = [score for score in (found.fidelity.agreement, found.fidelity.correlation) if score]
    low, high = (number(float(end), digits=2) for end in (explained.targets.min(), explained.targets.max()))
    values = {
        "folder": found.run.called,
        "what": what,
        "warning": found.fidelity.warning,
        "notes": [note for note in found.notes if note != found.fidelity.warning],
        "gate": [
            [score.metric.capitalize(), (value_of(score), "n value"), (interval_of(score) or "\N{EN DASH}", "range")]
            for score in gate
        ],
        "lede": (
            f"{plural(len(found.rows), 'image')}, each as the classifier would have it from {low} to {high}, drawn by "
            "the model."
        ),
        "tables": _tables(found),
        "curves": _curves(found),
        "best": found.best.replace("_", " "),
        "shown": [_shown(found, place) for place in range(min(MOST_SHOWN, len(found.rows)))],
        "deletion": _deletion(found),
        "saliency": _maps(found),
        "confounders": confounded(confounders, found.best) if confounders else None,
    }
    path = found.folder / "page.html"
    files.write(path, page("explanation.html", values))
    return path


def _tables(found: Explanation) -> tuple[list, list[list]]:
    """Head and rows: a metric in each, a column for each method."""
    methods = list(found.explained.series)
    names = dict.fromkeys(s.metric for measured in found.measured.values() for s in measured.scores)
    rows = []
    for metric in names:
        way = {"higher": " \N{UPWARDS ARROW}", "lower": " \N{DOWNWARDS ARROW}"}.get(words_of(metric).better, "")
        title = html(
            "<span>{{ title }}</span><small>{{ said|prose }}</small>",
            title=words_of(metric).title + way, said=summary_of(metric),
        )  # fmt: skip
        cells = []
        for method in methods:
            score = found.measured[method].score(metric)
            value = html(
                "<b>{{ value }}</b><small>{{ ends }}</small>",
                value=value_of(score), ends=interval_of(score) or "",
            ) if score else "\N{EN DASH}"  # fmt: skip
            cells.append((value, "n"))
        rows.append([title, *cells])
    took = [(f"{found.explained.series[m].seconds / len(found.rows):.2g}", "n") for m in methods]
    rows.append([html("<span>Seconds</span><small>Of one image, all its steps.</small>"), *took])
    head = ["Measure"]
    head += [
        (name.replace("_", " ") + " (baseline)" * found.explained.series[name].is_baseline, "n") for name in methods
    ]
    return head, rows


def _shown(found: Explanation, place: int) -> Shown:
    """The image, its reconstruction and the steps, what the classifier says above each; a row for each method."""
    explained = found.explained
    first = [explained.images[place], explained.reconstructions[place]]
    rows, heard = [], []
    for name, series in explained.series.items():
        said = [explained.said[place], explained.said_of_reconstructions[place], *series.said[place]]
        words = [said_of(float(value)) for value in said]
        tiles = map(Tile, _pixels(found, np.stack([*first, *series.images[place]])), words)
        rows.append((name.replace("_", " "), [*tiles]))
        heard.append(f"{name}: {' '.join(words)}")
    near = found.run.feed(found.nearest[place]).numpy(force=True)
    blank = np.full_like(rows[0][1][0].pixels, 255)
    rows.append(("nearest real", [Tile(blank), Tile(blank), *map(Tile, _pixels(found, near))]))
    alt = f"The image, its reconstruction and the steps of each method; f is, by {'; '.join(heard)}."
    return Shown(_heading(found, place), Picture(sheet(rows, gap=3), 1), alt)


def _maps(found: Explanation) -> Shown:
    """How much pixels matter beside the image, white where most, each map on a scale of its own; a row for each."""
    rows: list[Row] = []
    names = ["image", *found.saliency]
    for place in range(min(MOST_SHOWN, len(found.rows))):
        pixels = [_pixels(found, found.explained.images[place][None])[0]]
        pixels += [grey(maps[place].sum(0), pixels[0].shape[0]) for maps in found.saliency.values()]
        words = [name.replace("_", "\n") for name in names] if not place else [""] * len(names)
        rows.append((f"#{found.rows[place]}", [*map(Tile, pixels, words)]))
    alt = f"Maps of which pixels matter: {', '.join(name.replace('_', ' ') for name in found.saliency)}."
    return Shown("", Picture(sheet(rows, gap=12), 1), alt)


def _curves(found: Explanation) -> tuple[Figure, str]:
    """What the classifier says of the steps, in the mean over images, against what was wanted."""
    wanted = found.explained.targets.mean(0)
    named = {name: np.stack([wanted, each.said.mean(0)]) for name, each in found.explained.series.items()}
    named = {name.replace("_", " "): curve for name, curve in named.items()} | {"as wanted": np.stack([wanted, wanted])}
    alt = "What the classifier says of the steps against what was wanted of it, by method, in the mean over images."
    return lines(named, unit="what it says, mean", across="what was wanted"), alt


def _deletion(found: Explanation) -> tuple[Figure, str, list[list]] | None:
    """What the classifier says as salient pixels go, beside random ones: the curves, in words, and the areas."""
    if not found.curves:
        return None
    drawn, rows = {}, []
    for name, curves in found.curves.items():
        drawn[name.replace("_", " ")] = np.stack([curves.shares, curves.probability[0]])
        score = curves.measured.score("deletion_area", "probability")
        assert score is not None
        rows.append([name.replace("_", " "), (value_of(score), "n value"), (interval_of(score) or "", "range")])
    first = next(iter(found.curves.values()))
    drawn["random pixels"] = np.stack([first.shares, first.probability[1]])
    alt = "The probability of the image's class as more and more pixels go, by each saliency and at random."
    return lines(drawn, unit="probability of its class", across="share of pixels gone"), alt, rows


def _heading(found: Explanation, place: int) -> str:
    return f"#{found.rows[place]}, {found.predictor.facts.column} {found.known[place] or 'not known'}"


def _pixels(found: Explanation, images: np.ndarray) -> np.ndarray:
    """(image, height, width, 3) uint8, about as wide as is shown."""
    shade = Shade.of(found.run, found.explained.images)
    shrunk, _ = shrink(images, int(1.125 * SIDE))
    return _enlarged(colour(shade, shrunk), shrunk.shape)


def _enlarged(pixels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    scale = max(1, int(scale_for((1, *shape[-2:]), SIDE)))
    return pixels.repeat(scale, 1).repeat(scale, 2)
