"""The first pairs of originals and reconstructions, channel by channel."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from vaelab.plots import Row, picture_png, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.pairs import SIDE
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.parts.reconstructions import Reconstructions
from vaelab.report.pictures import per_row, strip, tile


class Channels(PicturePart):
    """Each channel alone, in grey: held-out images above their reconstructions."""

    section = "looks"
    order = 20
    only_for = "images of several channels"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return len(look.channels) > 1

    def compute(self, look: Look) -> Arrays:
        """The first row of `Reconstructions`, with the channels' names."""
        found, count = Reconstructions().arrays(look), per_row(look.image_shape, SIDE)
        return {
            "channels": np.array(look.channels),
            "rows": found["rows"][:count],
            "levels": found["levels"],
            "images": found["images"][:, :count],
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        images = np.concatenate(arrays["images"])
        strips = [
            (name, strip(look, images, SIDE, channel, columns=len(arrays["rows"])))
            for channel, name in enumerate(look.channels)
        ]
        return html(
            """{% call fold("Each of the " ~ strips|length ~ " channels alone") %}
            {% for name, shown in strips %}
            {% set alt = "Channel " ~ name ~ ": held-out images above their reconstructions." %}
            <h4>{{ name }}</h4>{% call scroll(alt) %}{{ picture(shown, alt, kind="strip") }}{% endcall %}
            {% endfor %}
            {% endcall %}""",
            strips=strips,
        )

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        rows: list[Row] = []
        for channel, name in enumerate(look.channels):
            for level, images in zip(arrays["levels"], arrays["images"], strict=True):
                rows.append((f"{name}, {level}", [tile(look, image, channel=channel) for image in images]))
        return picture_png(sheet(rows, title="Each channel alone"))
