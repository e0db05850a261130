"""From codes to the plane of ground truth."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab.metrics.probe_r2 import Probe, predicted_from_others
from vaelab.plots import Tile, picture_png, pixels_of, sheet
from vaelab.plots.arrows import arrows
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.words import number, plural

MOST_ARROWS, FEWEST, NUM_NEIGHBOURS = 400, 20, 10
PROBES: dict[Probe, str] = {
    "linear": "by linear regression",
    "neighbours": f"by the {NUM_NEIGHBOURS} nearest codes",
}


class TruthMap(PicturePart):
    """Where each held-out image truly lies on the plane of two known factors, and where its code says it does."""

    section = "varies"
    order = 44
    title = "From codes to the true plane"
    only_for = "collections with two known factors, and 20 or more measured images"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return len(_factors(look)) > 1 and len(look.rows) >= FEWEST

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            rows: (image,), in the collection.
            factors: (2,): their names.
            truth: (image, 2).
            probes: (probe,): how factors were read off the codes.
            predicted: (probe, image, 2): each image by a probe that was fitted without its fifth of the images.
            r2: (probe, 2): of the prediction of each factor.
        """
        names, codes = _factors(look)[:2], look.embedding.loc.astype(np.float64)
        truth = look.table[names].to_numpy(np.float64)
        predicted = np.stack([predicted_from_others(codes, truth, probe, NUM_NEIGHBOURS, None) for probe in PROBES])
        errors = np.square(predicted - truth).sum(1)
        return {
            "rows": look.rows,
            "factors": np.array(names),
            "truth": truth,
            "probes": np.array(list(PROBES)),
            "predicted": predicted,
            "r2": 1 - errors / np.square(truth - truth.mean(0)).sum(0),
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        charts = [(_figure(look, arrays, i), _title(arrays, i)) for i in range(len(arrays["probes"]))]
        return html(
            """{{ note(how) }}<div class="planes">
            {% for figure, title in charts %}{{ chart(figure, "From truth to prediction " ~ title, title) }}{% endfor %}
            </div>""",
            how=_how(arrays), charts=charts,
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        tiles = [Tile(pixels_of(_figure(look, arrays, i)), _title(arrays, i)) for i in range(len(arrays["probes"]))]
        return picture_png(sheet([("", tiles)], title=self.title, note=_how(arrays).replace(". ", ".\n"), gap=32))


def _factors(look: Look) -> list[str]:
    """Those known factors that are there for all measured images, and vary."""
    found = {name: np.asarray(look.table[name], np.float64) for name in look.run.dataset.collection.factors}
    return [name for name, values in found.items() if np.isfinite(values).all() and np.ptp(values) > 0]


def _title(arrays: Arrays, i: int) -> str:
    said = ", ".join(
        f"R^2 of {name} {number(float(value), digits=3)}"
        for name, value in zip(arrays["factors"].tolist(), arrays["r2"][i], strict=True)
    )
    return f"{PROBES[arrays['probes'][i].item()]}: {said}"


def _how(arrays: Arrays) -> str:
    shown = min(MOST_ARROWS, len(arrays["rows"]))
    return (
        f"Each arrow goes from where a held-out image truly lies to where its code says it does, read off the codes of "
        f"the other images. {plural(shown, 'image')} of {len(arrays['rows']):,} drawn, longer arrows darker."
    )


def _figure(look: Look, arrays: Arrays, i: int) -> Figure:
    some = look.shuffled[:MOST_ARROWS]
    across, upward = arrays["factors"].tolist()
    return arrows(arrays["truth"][some], arrays["predicted"][i][some], axes=(across, upward))
