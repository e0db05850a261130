"""New images, beside as many real ones."""

from __future__ import annotations

from markupsafe import Markup

from vaelab.plots import Tile, picture_png, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.pictures import PAGE, Picture, gap_for, small, strip

MOST, SIDE = 64, 60
"""Images, and CSS pixels, about, of one."""


class Samples(PicturePart):
    """Decoded draws of the prior beside held-out images."""

    section = "looks"
    order = 50
    title = "New images from the prior"

    def compute(self, look: Look) -> Arrays:
        """See Part. ``samples``: the mean of p(x|z) at draws of the prior, each under a real image's condition."""
        places = look.shuffled[: look.affords(MOST, 0.1, 9)]
        rows = look.rows[places]
        model = look.run.given(rows)
        samples = look.decode(model, look.draw(model, len(rows)))
        return {"rows": rows, "real": look.originals(places), "samples": samples}

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        names = " and ".join(condition.column for condition in look.conditions)
        like = f" Each sample has the {names} of the real image in the same place." if names else ""
        return html(
            """<div class="sides">
            {% for title, block in blocks.items() %}
            <div><h4>{{ title }}</h4>{{ picture(block, title ~ ".", kind="block") }}</div>
            {% endfor %}
            </div>
            {{ note("Samples are the mean of p(x|z) at codes z drawn from the prior, without pixel noise. Where"
            " they look unlike the real images, the prior puts codes where no image has its code, or the decoder lacks"
            " detail."
            ~ like) }}""",
            blocks=_blocks(look, arrays), like=like,
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        tiles = [
            Tile(block.pixels.repeat(int(block.scale), 0).repeat(int(block.scale), 1), title)
            for title, block in _blocks(look, arrays).items()
        ]
        return picture_png(sheet([("", tiles)], title=self.title, gap=32))


def _blocks(look: Look, arrays: Arrays) -> dict[str, Picture]:
    """Two squares of images, each of which takes half of the page."""
    pixels, scale = small(look, arrays["samples"][:1], SIDE)
    fitting = max(1, (PAGE // 2 - 8) // (scale * (pixels.shape[2] + gap_for(scale))))
    columns = min(fitting, max(1, int(len(arrays["rows"]) ** 0.5)))
    shown = {"Samples": arrays["samples"], "Real, held out": arrays["real"]}
    return {title: strip(look, images[: columns**2], SIDE, columns=columns) for title, images in shown.items()}
