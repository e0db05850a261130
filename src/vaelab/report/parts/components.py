"""What each component of a mixture prior draws."""

from __future__ import annotations

import numpy as np
import torch
from markupsafe import Markup
from torch.distributions import MixtureSameFamily

from vaelab.distributions.mixture import responsibilities
from vaelab.models import device_of, local_randomness
from vaelab.plots import picture_png, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.pictures import strip, tile
from vaelab.report.words import number, plural

MOST_COMPONENTS, NUM_SAMPLES, SIDE = 20, 12, 58
"""Components and samples of each at most, and CSS pixels, about, of one."""


class Components(PicturePart):
    """Samples of each component of the prior, the heaviest first."""

    section = "looks"
    order = 60
    title = "Each component of the prior"
    only_for = "models whose prior has clusters"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return look.run.model.has_clusters

    def compute(self, look: Look) -> Arrays:
        """See Part. ``counts``: measured images whose posterior's mean comes from a component most probably;
        ``samples``: (component, sample, channel, height, width), the mean of p(x|z) at draws of it."""
        model = look.fixed
        prior, device = model.prior, device_of(model)
        assert isinstance(prior, MixtureSameFamily)
        parts = prior.component_distribution
        with torch.no_grad(), local_randomness(look.seed, device):
            weights = prior.mixture_distribution.probs.numpy(force=True)
            numbers = np.argsort(-weights, kind="stable")[:MOST_COMPONENTS]
            nearest = responsibilities(prior, torch.from_numpy(look.embedding.loc).to(device)).argmax(1)
            count = look.affords(NUM_SAMPLES, 0.3 / len(numbers), 4)
            z = parts.sample(torch.Size([NUM_SAMPLES])).transpose(0, 1).numpy(force=True)[numbers, :count]
        drawn = look.decode(model, z.reshape(-1, z.shape[2]))
        return {
            "numbers": numbers,
            "weights": weights[numbers],
            "counts": np.bincount(nearest.numpy(force=True), minlength=len(weights))[numbers],
            "samples": drawn.reshape(len(numbers), count, *drawn.shape[1:]),
            "total": np.array(len(weights)),
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        strips = [strip(look, samples, SIDE) for samples in arrays["samples"]]
        hidden = int(arrays["total"]) - len(strips)
        return html(
            """{{ note("Each row shows samples of one Gaussian of the prior, the heaviest first. Beside it: its weight,"
            " which is its probability, and how many held-out images have a code that it explains best."
            ~ (" All under " ~ usual ~ "." if usual else "")) }}
            {% for number, words, shown in rows %}
            <div class="walk component">
            <div class="walk-name"><b>Component {{ number }}</b> <span>{{ words }}</span></div>
            {{ strip(shown, "Samples of component %s." % number) }}</div>
            {% endfor %}
            {{ note(hidden) if hidden }}""",
            usual=look.usual_words,
            rows=zip(arrays["numbers"].tolist(), _words(arrays), strips, strict=True),
            hidden=f"{plural(hidden, 'lighter component')} not shown." if hidden > 0 else "",
        )

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        names = zip(arrays["numbers"].tolist(), _words(arrays), arrays["samples"], strict=True)
        rows = [(f"component {number}\n{words}", [tile(look, x) for x in samples]) for number, words, samples in names]
        return picture_png(sheet(rows, title=self.title))


def _words(arrays: Arrays) -> list[str]:
    """Weight and images of each component."""
    both = zip(arrays["weights"], arrays["counts"], strict=True)
    return [f"{number(100 * float(weight), digits=2)} %, {plural(int(count), 'image')}" for weight, count in both]
