"""What the words of a report mean."""

from __future__ import annotations

from markupsafe import Markup

from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, Part
from vaelab.report.words import duration

MEANINGS = {
    "nat": "the unit of information with the natural logarithm; 1 nat is 1.443 bits",
    "rate": "KL(q(z|x) || p(z)): nats of information that the code holds about its image",
    "distortion": "minus the expected log p(x|z): nats still needed to draw the image, given its code",
    "ELBO": "minus distortion, minus rate: a lower bound on log p(x), so higher is better",
    "mutual information": "nats that a code tells of which image it belongs to; the rate is never below it",
    "total correlation": "nats that latents tell of each other, over all images; 0 where they are independent",
    "active latent": "one whose posterior mean varies over images by more than 0.01 (Burda et al. 2016)",
    "held out": "never used to fit weights",
    "95 % interval": "where the mean over such images would lie; it holds the choice of images, not the choice of seed",
}


class Words(Part):
    """What the words mean, and which files hold the rest."""

    section = "made"
    order = 90
    title = "Words"

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        return html(
            """<dl>{% for word, meaning in meanings.items() %}<dt>{{ word }}</dt><dd>{{ meaning }}</dd>{% endfor %}</dl>
            {{ note("The run's folder holds experiment.json (all settings, exact), the weights, metrics.csv and"
            " environment.json. What was measured lies in its results/: scores.csv, and per_image.csv with one row per"
            " measured image. Computing this report took %s." % took) }}""",
            meanings=MEANINGS, took=duration(look.seconds),
        )  # fmt: skip
