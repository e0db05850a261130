"""Each latent moved, the others held."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from vaelab.inference import traverse
from vaelab.plots import picture_png, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.pictures import strip, tile
from vaelab.report.words import MINUS, plural

NUM_WALKS, NUM_STEPS, FEWEST_STEPS = 48, 15, 7
"""Latents and steps where drawing is cheap; where it is dear, fewer latents are walked first, then fewer steps."""
OPEN, SIDE = 12, 58
"""Latents in plain view (the next ones are folded away), and CSS pixels, about, of one image."""


class Traversal(PicturePart):
    """Each latent moved across the aggregate posterior, those first that carry most."""

    section = "varies"
    order = 20
    title = "One latent at a time"

    def compute(self, look: Look) -> Arrays:
        """See Part, and `vaelab.inference.Traversal` for what the arrays hold."""
        num_images = look.affords(NUM_WALKS * NUM_STEPS, 0.3, 2 * FEWEST_STEPS)
        num_walks = min(look.latent_dim, NUM_WALKS, max(num_images // NUM_STEPS, 4))
        num_steps = int(np.clip(num_images // num_walks, FEWEST_STEPS, NUM_STEPS))
        walks = traverse(
            look.fixed, look.embedding, num_steps,
            latents=look.by_importance[:num_walks].tolist(), batch_size=look.batch_size,
        )  # fmt: skip
        return {name: np.asarray(value) for name, value in vars(walks).items()}

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        walks = [_Walk(look, arrays, i) for i in range(len(arrays["latents"]))]
        hidden = look.latent_dim - len(walks)
        return html(
            _TEMPLATE,
            words=_words(look, arrays),
            open=walks[:OPEN],
            rest=walks[OPEN:],
            more=f"{plural(len(walks) - OPEN, 'more latent')} that {_carry(len(walks) - OPEN)} less",
            hidden=f"{plural(hidden, 'latent')} that {_carry(hidden)} still less not shown." if hidden else "",
        )

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        walks = [_Walk(look, arrays, i) for i in range(len(arrays["latents"]))]
        rows = [(walk.words, [tile(look, image, side=96) for image in walk.images]) for walk in walks]
        return picture_png(sheet(rows, title=self.title))


class _Walk:
    """One latent's row."""

    def __init__(self, look: Look, arrays: Arrays, i: int):
        self.latent, self.images = int(arrays["latents"][i]), arrays["images"][i]
        self.low, self.high = (f"{v:+.2f}".replace("-", MINUS) for v in arrays["values"][i][[0, -1]])
        rates = look.latent_rates
        carried = "" if rates is None else f"{rates[self.latent]:.2f} nats"
        self.carried = carried + ("" if look.active[self.latent] else ", not active")
        self.shown = strip(look, self.images, SIDE)
        self.words = f"z{self.latent}  {self.carried}\n{self.low} to {self.high}"


_TEMPLATE = """
{% macro row(walk) %}
<div class="walk"><div class="walk-name"><b>z{{ walk.latent }}</b> <span>{{ walk.carried }}</span></div>
{% call strip(walk.shown, "Latent z%s from %s to %s." % (walk.latent, walk.low, walk.high)) %}
<div class="ends"><span>{{ walk.low }}</span><span>{{ walk.high }}</span></div>
{% endcall %}
</div>
{% endmacro %}
{{ note(words) }}
{% for walk in open %}{{ row(walk) }}{% endfor %}
{% if rest %}
{% call fold(more) %}{% for walk in rest %}{{ row(walk) }}{% endfor %}{% endcall %}
{% endif %}
{{ note(hidden) if hidden }}
"""


def _words(look: Look, arrays: Arrays) -> str:
    num_steps, coverage = arrays["values"].shape[1], float(arrays["coverage"])
    words = (
        f"Each row moves one latent in {num_steps} even steps across the central {coverage:.0%} of where held-out "
        "images lie on it (the aggregate posterior), the other latents held at their means. The latents that "
        f"{'vary' if look.latent_rates is None else 'carry'} most come first."
    )
    if look.latent_rates is None:
        words += " Prior or posterior doesn't factorise, so the rate cannot be told apart by latent."
    if not look.conditions:
        return words
    return (
        f"{words} All are decoded under one condition, {look.usual_words}: the training images' most frequent "
        "categories and mean numbers."
    )


def _carry(count: int) -> str:
    return "carries" if count == 1 else "carry"
