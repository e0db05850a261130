"""How far each latent moves each channel."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from vaelab.plots import picture_png, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.parts.traversal import OPEN, SIDE, Traversal
from vaelab.report.pictures import strip, tile
from vaelab.report.words import plural


class ChannelChanges(PicturePart):
    """How far each latent moves each channel on its walk, in numbers and in pictures."""

    section = "varies"
    order = 30
    title = "Which latent moves which channel"
    only_for = "images of several channels"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return len(look.channels) > 1

    def compute(self, look: Look) -> Arrays:
        """See Part. ``changes``: (walk, channel), in units of intensity."""
        walks = Traversal().arrays(look)
        return {
            "latents": walks["latents"],
            "channels": np.array(look.channels),
            "changes": np.ptp(walks["images"], axis=1).mean(axis=(-2, -1)),
            "images": walks["images"][:OPEN],
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        top = max(float(arrays["changes"].max()), 1e-9)
        rows = [
            [f"z{latent}", *((_bar(v, v / top), "n bar") for v in moved.tolist())]
            for latent, moved in zip(arrays["latents"], arrays["changes"], strict=True)
        ]
        walks = [
            (latent, [(name, strip(look, images, SIDE, c)) for c, name in enumerate(look.channels)])
            for latent, images in zip(arrays["latents"].tolist(), arrays["images"], strict=False)
        ]
        return html(
            """{% set words = "How far each latent moves each channel on its walk: largest minus smallest value of a"
            " pixel, averaged over pixels; 1 is the whole intensity range." %}
            {{ table(head, rows, words, "moves") }}
            {% if rest %}
            {% call fold(more) %}{{ table(head, rest, words ~ " The other latents.", "moves") }}{% endcall %}
            {% endif %}
            {{ note(words) }}
            {% call fold(each) %}
            {% for latent, channels in walks %}
            <h4>z{{ latent }}</h4>
            {% for name, shown in channels %}
            <div class="walk"><div class="walk-name"><span>{{ name }}</span></div>
            {{ strip(shown, "Latent z%s, channel %s." % (latent, name)) }}</div>
            {% endfor %}
            {% endfor %}
            {% endcall %}""",
            head=["Latent", *((name, "n") for name in look.channels)],
            rows=rows[:OPEN], rest=rows[OPEN:], more=plural(len(rows) - OPEN, "more latent"), walks=walks,
            each=f"{plural(len(walks), 'latent')}, channel by channel",
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        rows = [
            (f"z{latent}, {name}: {moved[c]:.3f}", [tile(look, image, side=96, channel=c) for image in images])
            for latent, moved, images in zip(arrays["latents"], arrays["changes"], arrays["images"], strict=False)
            for c, name in enumerate(look.channels)
        ]
        return picture_png(sheet(rows, title=self.title))


def _bar(value: float, share: float) -> Markup:
    return html('<span style="--share:{{ share }}">{{ value }}</span>', share=f"{share:.2f}", value=f"{value:.3f}")
