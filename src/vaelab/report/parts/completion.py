"""The hidden half of images, completed."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from vaelab.inference import complete
from vaelab.plots import picture_png, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.parts.infer import NUM_IMAGES, levels, strips

NUM_DRAWS, MOST_TRAINING = 3, 10_000


class Completion(PicturePart):
    """Held-out images inferred from their left half and drawn whole, with the encoder and the nearest image beside."""

    section = "looks"
    order = 36
    title = "Completed from the left half"
    on_page = False

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            rows: (image,), in the collection.
            levels: (level,), what ``images`` holds from top to bottom.
            images: (level, image, channel, height, width).
            errors: (way, image): mean squared error of the hidden pixels, inferred, by the encoder, nearest image.
        """
        places = look.shuffled[:NUM_IMAGES]
        rows, run = look.rows[places], look.run
        train = np.random.default_rng(look.seed).permutation(run.splits.train)[:MOST_TRAINING]
        done = complete(
            run.given(rows), look.x[places], "left",
            training_images=run.feed.batches(np.sort(train)), num_draws=NUM_DRAWS, seed=look.seed,
        )  # fmt: skip
        seen = done.images * done.visible
        draws = list(done.draws.swapaxes(0, 1))
        names = [
            "image",
            "what is seen",
            "inferred",
            *(f"draw {i + 1}" for i in range(NUM_DRAWS)),
            "by the encoder, half black",
            "nearest training image",
        ]
        ways = done.ways
        return {
            "rows": rows,
            "levels": np.array(names),
            "images": np.stack([done.images, seen, ways["inferred"], *draws, ways["encoder"], ways["nearest"]]),
            "errors": np.stack([done.errors()[way] for way in ("inferred", "encoder", "nearest")]),
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        return html("""{{ strips }}{{ note(words) }}""", strips=strips(look, arrays), words=_words(arrays))

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        return picture_png(sheet(levels(look, arrays), title=self.title, note=_words(arrays)))


def _words(arrays: Arrays) -> str:
    inferred, encoder, nearest = arrays["errors"].mean(1)
    return (
        f"Mean squared error of the hidden pixels: {inferred:.4f} inferred, {encoder:.4f} by the encoder, "
        f"{nearest:.4f} by the nearest training image."
    )
