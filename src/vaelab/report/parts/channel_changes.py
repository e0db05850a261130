"""How far each latent moves each channel."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from vaelab.evaluation import moves
from vaelab.metrics.latent_effect import latent_effect
from vaelab.plots import picture_png, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.parts.traversal import OPEN, SIDE, Traversal
from vaelab.report.pictures import strip, tile
from vaelab.report.words import plural


class ChannelChanges(PicturePart):
    """How far each latent moves each channel, in numbers with intervals, and in pictures of its walk."""

    section = "varies"
    order = 30
    title = "Which latent moves which channel"
    only_for = "images of several channels"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return len(look.channels) > 1

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            latents: (walk,), as those of `traversal`.
            parts: (part,): the image, then each channel.
            effects: (walk, part), in units of intensity, as `latent_effect` says.
            low, high: (walk, part), the ends of their 95 % intervals; not a number where there is one image alone.
            count: Of how many images they come.
            images: (walk, step, channel, height, width), of the first walks.
        """
        walks = Traversal().arrays(look)
        latents = walks["latents"].tolist()
        model = look.run.given(look.rows).stages()[look.stages[-1]]
        found = moves.latent_moves(model, look.embedding, latents, seed=look.seed)
        scores = latent_effect(found, look.channels)[1:]
        shape = len(latents), 1 + len(look.channels)
        ends = np.array([score.interval or (np.nan, np.nan) for score in scores]).reshape(*shape, 2)
        return {
            "latents": walks["latents"],
            "parts": np.array(["image", *look.channels]),
            "effects": np.array([score.value for score in scores]).reshape(shape),
            "low": ends[..., 0],
            "high": ends[..., 1],
            "count": np.array(len(found)),
            "images": walks["images"][:OPEN],
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        top = max(float(np.nanmax(arrays["effects"], initial=0)), 1e-9)
        rows = [
            [f"z{latent}", *((_bar(value, low, high, top), "n bar") for value, low, high in zip(*numbers, strict=True))]
            for latent, *numbers in zip(arrays["latents"], *_numbers(arrays), strict=True)
        ]
        walks = [
            (latent, [(name, strip(look, images, SIDE, c)) for c, name in enumerate(look.channels)])
            for latent, images in zip(arrays["latents"].tolist(), arrays["images"], strict=False)
        ]
        return html(
            """{{ table(head, rows, words, "moves") }}
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
            words=_words(arrays), head=["Latent", *((name, "n") for name in arrays["parts"].tolist())],
            rows=rows[:OPEN], rest=rows[OPEN:], more=plural(len(rows) - OPEN, "more latent"), walks=walks,
            each=f"{plural(len(walks), 'latent')}, channel by channel",
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        rows = [
            (f"z{latent}, {name}\n{_said(value, low, high)}", [tile(look, x, side=96, channel=c) for x in images])
            for latent, images, *numbers in zip(arrays["latents"], arrays["images"], *_numbers(arrays), strict=False)
            for c, (name, value, low, high) in enumerate(zip(look.channels, *(row[1:] for row in numbers), strict=True))
        ]
        return picture_png(sheet(rows, title=self.title, note=_words(arrays).replace(". ", ".\n")))


def _numbers(arrays: Arrays) -> list[np.ndarray]:
    return [arrays[name] for name in ("effects", "low", "high")]


def _words(arrays: Arrays) -> str:
    return (
        "How far the image, and each channel of it, moves as one latent crosses the central 95 % of where codes lie "
        "and the others stay: root mean square over pixels, in the mean over "
        f"{plural(int(arrays['count']), 'held-out image')}; 1 is from black to white. With 95 % intervals over images."
    )


def _said(value: float, low: float, high: float) -> str:
    return f"{value:.3f}" + (f" ({low:.3f} to {high:.3f})" if np.isfinite(low) else "")


def _bar(value: float, low: float, high: float, top: float) -> Markup:
    interval = f"{low:.3f} to {high:.3f}" if np.isfinite(low) else ""
    return html(
        """<span style="--share:{{ share }}">{{ value }}</span>
        {%- if interval %}<small>{{ interval }}</small>{% endif %}""",
        share=f"{value / top:.2f}", value=f"{value:.3f}", interval=interval,
    )  # fmt: skip
