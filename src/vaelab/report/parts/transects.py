"""Lines across a hole in the training set, image by image."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab.evaluation import hole
from vaelab.inference import embed
from vaelab.metrics.hole_encoder_share import hole_encoder_share
from vaelab.plots import Tile, picture_png, pixels_of, profile, sheet
from vaelab.plots.style import FIRST
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.pictures import Picture, strip
from vaelab.runs.hole import rivals

SIDE, UNIT, BEST = 64, "mean squared error of a pixel", "best code found"
"""CSS pixels, about, of one image; and what is drawn below the images."""


class Transects(PicturePart):
    """Images along each line across the hole, what the model makes of them, and the error below, the hole marked."""

    section = "good"
    order = 70
    title = "Across the hole"
    only_for = "a source whose plane may have a hole, with lines across it among the held-out images"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return look.run.experiment.data.source.hole is not None and len(self._rows(look)) > 0

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            rows: (image,), in the collection, line by line.
            lines: (image,), the name of the line that each lies on.
            position: (image,), its place there, from 0 to 1.
            inside: (image,), whether it lies in the hole.
            levels: (level,), what ``images`` holds from top to bottom; no best code where searching is dear.
            images: (level, image, channel, height, width).
            ways: (way,), what ``errors`` holds.
            errors: (way, image): mean squared error of a pixel.
        """
        run, rows, place = look.run, self._rows(look), look.run.experiment.data.source.hole
        assert place is not None
        table = run.dataset.collection.table.iloc[rows]
        model, x = run.given(rows), run.feed(rows).clone()
        codes = embed(model, x).loc
        shown = {"image": x.numpy(), "reconstruction": hole.decoded(model, codes)}
        if hole.affordable(run.model) >= len(rows):
            shown[BEST] = hole.decoded(model, hole.best_codes(model, x, codes, look.seed)[0])
        drawn = {name: images for name, images in {**shown, **rivals(run, rows)}.items() if name != "image"}
        return {
            "rows": rows,
            "lines": table[place.line].to_numpy(str),
            "position": table[place.position].to_numpy(float),
            "inside": table[place.inside].to_numpy(bool),
            "levels": np.array(list(shown)),
            "images": np.stack(list(shown.values())),
            "ways": np.array(list(drawn)),
            "errors": np.stack([hole.errors_of(shown["image"], images) for images in drawn.values()]),
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        lines = [(line, _grid(look, arrays, own), _chart(look, arrays, own)) for line, own in _each(arrays)]
        return html(
            """{{ note(words) }}
            {% for line, grid, figure in lines %}
            <h4>{{ line }}</h4>
            {% call strip(grid, "Images " ~ line ~ ".") %}{{ chart(figure, "Error " ~ line ~ ".") }}{% endcall %}
            {% endfor %}""",
            words=" ".join(_words(arrays)), lines=lines,
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        rows = []
        for line, own in _each(arrays):
            grid = _grid(look, arrays, own)
            times = max(1, int(grid.scale))
            rows += [("", [Tile(grid.pixels.repeat(times, 0).repeat(times, 1), line)])]
            rows += [("", [Tile(pixels_of(_chart(look, arrays, own), 1))])]
        return picture_png(sheet(rows, title=self.title, note="\n".join(_words(arrays))))

    def _rows(self, look: Look) -> np.ndarray:
        """(image,): the held-out rows that lie on a line, in its order."""
        table, place = look.run.dataset.collection.table, look.run.experiment.data.source.hole
        if place is None or place.line not in table:
            return np.zeros(0, int)
        rows = getattr(look.run.splits, look.split)
        rows = rows[table[place.line].notna().to_numpy()[rows]]
        own = table.iloc[rows]
        number = own[place.line].map({name: i for i, name in enumerate(own[place.line].unique())})
        return rows[np.lexsort((own[place.position], number))]


def _each(arrays: Arrays) -> list[tuple[str, np.ndarray]]:
    """Every line, and which images lie on it."""
    return [(str(line), arrays["lines"] == line) for line in dict.fromkeys(arrays["lines"].tolist())]


def _grid(look: Look, arrays: Arrays, own: np.ndarray) -> Picture:
    """The levels of one line below each other, the hole in a frame."""
    images, inside = arrays["images"][:, own], np.flatnonzero(arrays["inside"][own])
    count = images.shape[1]
    shown = strip(look, images.reshape(-1, *images.shape[2:]), SIDE, columns=count)
    gap = max(1, round(2 / shown.scale))
    pixels = np.pad(shown.pixels, ((gap, gap), (gap, gap), (0, 0)))
    if len(inside):
        step = (pixels.shape[1] - gap) // count
        left, right = inside[0] * step, (inside[-1] + 1) * step
        ink = (*(int(FIRST[i : i + 2], 16) for i in (1, 3, 5)), 255)
        for box in (np.s_[:gap, left : right + gap], np.s_[-gap:, left : right + gap],
                    np.s_[:, left : left + gap], np.s_[:, right : right + gap]):  # fmt: skip
            pixels[box] = ink
    return Picture(pixels, shown.scale)


def _chart(look: Look, arrays: Arrays, own: np.ndarray) -> Figure:
    lines = {str(way): errors[own] for way, errors in zip(arrays["ways"], arrays["errors"], strict=True)}
    return profile(lines, arrays["inside"][own], unit=UNIT, width=_grid(look, arrays, own).width)


def _words(arrays: Arrays) -> list[str]:
    """What is shown, the errors inside and outside, and who failed, a sentence each."""
    inside, ways = arrays["inside"], arrays["ways"].tolist()
    said = [f"From top to bottom: {', '.join(arrays['levels'].tolist())}; the hole is framed."]
    if inside.any() and not inside.all():
        for way, errors in zip(ways, arrays["errors"], strict=True):
            said.append(
                f"{way.capitalize()}: error {errors[inside].mean():.4f} inside, {errors[~inside].mean():.4f} outside."
            )
    if BEST not in ways:
        return [*said, "No codes were searched for without the encoder: that would take long."]
    own, best = (arrays["errors"][ways.index(way)] for way in ("reconstruction", BEST))
    who = hole.who_failed(hole_encoder_share(own, best, np.column_stack([inside, ~inside])))
    return [*said, *([f"Who failed on these lines: {who}."] if who else [])]
