"""The same code decoded under each category of a condition."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from vaelab.data.conditions import Condition, as_words
from vaelab.plots import Row, Tile, picture_png, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.pictures import GAP, PAGE, Picture, small, tile

MOST_CATEGORIES, NUM_IMAGES, NUM_NEW, LARGEST = 10, 6, 4, 96
"""Categories, held-out images and new codes, and CSS pixels of one image at most."""


class Conditions(PicturePart):
    """Held-out images and new codes under every category of the first condition that has several."""

    section = "looks"
    order = 30
    title = "The same image under another condition"
    only_for = "runs under a condition of several categories"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return any(len(condition.categories) > 1 for condition in look.conditions)

    def compute(self, look: Look) -> Arrays:
        """See Part. ``images`` is (image, category, channel, height, width): each image's code, the image's other
        conditions kept; ``samples`` likewise: draws of the prior, each under all categories."""
        condition = _condition(look)
        frequent = set(look.by_frequency(condition)[:MOST_CATEGORIES])
        categories = [category for category in condition.categories if category in frequent]
        count = look.affords(NUM_IMAGES, 0.2 / len(categories), 2)
        places, new = look.shuffled[:count], look.draw(look.fixed, NUM_NEW)
        table = look.table.iloc[places]

        def under(category: str, codes: np.ndarray) -> np.ndarray:
            others = table.iloc[np.arange(len(codes)) % count].assign(**{condition.column: category})
            return look.decode(look.run.given_table(others), codes)

        codes = look.embedding.loc[places]
        return {
            "rows": look.rows[places],
            "categories": np.array(categories),
            "own": np.array(list(as_words(table[condition.column]))),
            "originals": look.originals(places),
            "images": np.stack([under(category, codes) for category in categories], axis=1),
            "samples": np.stack([under(category, new) for category in categories], axis=1),
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        condition, side = _condition(look), _side(arrays)

        def shown(image: np.ndarray) -> Picture:
            pixels, scale = small(look, image[None], side)
            return Picture(pixels[0], scale)

        return html(
            _TEMPLATE,
            column=condition.column,
            categories=arrays["categories"].tolist(),
            total=len(condition.categories),
            images=[
                (shown(original), own, [shown(image) for image in row])
                for original, own, row in zip(arrays["originals"], arrays["own"], arrays["images"], strict=True)
            ],
            samples=[[shown(image) for image in row] for row in arrays["samples"]],
        )

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        categories = arrays["categories"].tolist()
        rows: list[Row] = []
        for number, own, original, images in zip(
            arrays["rows"], arrays["own"], arrays["originals"], arrays["images"], strict=True
        ):
            tiles = [tile(look, image, name) for image, name in zip(images, categories, strict=True)]
            rows.append((f"#{number}, {own}", [tile(look, original, "original"), *tiles]))
        nothing = Tile(np.zeros((1, 1, 4), np.uint8))
        for i, images in enumerate(arrays["samples"]):
            tiles = [tile(look, image, name) for image, name in zip(images, categories, strict=True)]
            rows.append((f"code {i + 1}", [nothing, *tiles]))
        return picture_png(sheet(rows, title=self.title, note=f"Each code under every {_condition(look).column}."))


_TEMPLATE = """
{% macro row_of(name, row, own="") %}
<tr><th scope="row">{{ name }}</th>
{% for shown in row %}
{% set category = categories[loop.index0] %}
{% set alt = "Under " ~ column ~ " " ~ category ~ "." %}
<td{% if category == own %} class="own"{% endif %}>{{ picture(shown, alt, kind="cell") }}</td>
{% endfor %}
</tr>
{% endmacro %}
{% macro rows_of(caption, first) %}
{% set rows = caller() %}
{% call scroll(caption) %}
<table class="swaps"><caption class="unseen">{{ caption }}</caption>
<thead><tr><th scope="col">{{ first }}</th>
{% for name in categories %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead>
<tbody>{{ rows }}</tbody></table>
{% endcall %}
{% endmacro %}
{% set cut = " Shown are the %s most frequent of %s categories." % (categories|length, "{:,}".format(total)) %}
{{ note("Each image is encoded under its own " ~ column ~ " (framed), and its code decoded under every one. What"
    " changes along a row is what the model attributes to the condition; what stays is in the code."
    ~ (cut if categories|length < total else "")) }}
{% call rows_of("The same image under every " ~ column, "Original") %}
{% for original, own, row in images %}{{ row_of(picture(original, "Original.", kind="cell"), row, own) }}{% endfor %}
{% endcall %}
<h3>New images under each condition</h3>
{{ note("Each row is one code drawn from the prior, decoded under every " ~ column ~ ".") }}
{% call rows_of("Samples under every " ~ column, "") %}
{% for row in samples %}{{ row_of("Code %s" % loop.index, row) }}{% endfor %}
{% endcall %}
"""


def _condition(look: Look) -> Condition:
    return next(condition for condition in look.conditions if len(condition.categories) > 1)


def _side(arrays: Arrays) -> int:
    """CSS pixels, about, of one image, so that a row fits the page."""
    return min(LARGEST, PAGE // (len(arrays["categories"]) + 1) - 2 * GAP)
