"""Maps of the codes in two dimensions, beside maps of the images themselves."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab.evaluation import neighbourhood, project, projections
from vaelab.plots import Tile, latent_scatter, picture_png, pixels_of, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.parts.plane import known_labels, labels_in
from vaelab.report.words import number, plural

MOST, FEWEST = 1000, 12
"""Images: t-SNE and UMAP take long, and neighbours need some."""
MEASURES = ("trustworthiness", "continuity", "area under R_NX")


class Projections(PicturePart):
    """PCA, t-SNE and UMAP of the codes and of the pixels, each with how far neighbours stay neighbours."""

    section = "varies"
    order = 42
    title = "Maps of the codes and of the images"
    on_page = False
    only_for = "12 or more measured images"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return len(look.rows) >= FEWEST

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            rows: (image,), in the collection.
            methods: (method,), those that are installed.
            of: (2,): what was mapped, codes and pixels.
            points: (of, method, image, 2).
            scores: (of, method, 2, measure): against the codes and against the pixels.
            code_scores: (measure,): of the whole code against the pixels.
            measures: (measure,): what these are.
            label, labels, names: as of `plane`.
        """
        places = np.sort(look.shuffled[:MOST])
        spaces = look.embedding.loc[places], look.originals(places).reshape(len(places), -1)
        methods = projections()
        points = np.stack([[project(space, name, look.seed) for name in methods] for space in spaces])
        scores = [[[_values(each, known) for known in spaces] for each in of] for of in points]
        return {
            "rows": look.rows[places],
            "methods": np.array(methods),
            "of": np.array(["codes", "pixels"]),
            "points": points,
            "scores": np.array(scores),
            "code_scores": np.array(_values(*spaces)),
            "measures": np.array(MEASURES),
            **known_labels(look, places),
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        charts = [
            (_figure(arrays, of, method), f"{name} of the {space}", _said(arrays, of, method))
            for of, space in enumerate(arrays["of"].tolist())
            for method, name in enumerate(arrays["methods"].tolist())
        ]
        return html(
            """{{ note(how) }}<div class="planes">
            {% for figure, name, said in charts %}{{ chart(figure, name ~ ". " ~ said, name, said) }}{% endfor %}
            </div>""",
            how=_how(look, arrays), charts=charts,
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        rows = []
        for of, space in enumerate(arrays["of"].tolist()):
            words = [f"{name}\n{_said(arrays, of, i)}" for i, name in enumerate(arrays["methods"].tolist())]
            drawn = [pixels_of(_figure(arrays, of, i)) for i in range(len(words))]
            rows.append((f"of the\n{space}", [Tile(*each) for each in zip(drawn, words, strict=True)]))
        return picture_png(sheet(rows, title=self.title, note=_how(look, arrays), gap=24))


def _values(points: np.ndarray, known: np.ndarray) -> list[float]:
    return [score.value for score in neighbourhood(points, known)]


def _said(arrays: Arrays, of: int, method: int) -> str:
    """The three scores, against the codes where those were mapped, and against the pixels."""
    to_codes, to_pixels = (_three(values) for values in arrays["scores"][of, method])
    lines = [f"against the pixels: {to_pixels}"]
    return "\n".join([f"against the codes: {to_codes}", *lines] if of == 0 else lines)


def _three(values: np.ndarray) -> str:
    return ", ".join(number(float(value), digits=3) for value in values)


def _how(look: Look, arrays: Arrays) -> str:
    label = arrays["label"].item()
    lines = [
        f"{plural(len(arrays['rows']), 'held-out image')}{f', coloured by {label}' if label else ''}.",
        f"Numbers: {', '.join(MEASURES)}; 1 is perfect, and chance about 0.5, 0.5 and 0.",
        f"The whole code of {plural(look.latent_dim, 'latent')} against the pixels: {_three(arrays['code_scores'])}.",
    ]
    if "UMAP" not in arrays["methods"]:
        lines.append("UMAP is not installed: pip install 'vaelab[umap]'.")
    return "\n".join(lines)


def _figure(arrays: Arrays, of: int, method: int) -> Figure:
    name, label = arrays["methods"][method].item(), arrays["label"].item()
    axes = (f"{name} 1", f"{name} 2")
    return latent_scatter(arrays["points"][of, method], labels_in(arrays), axes=axes, label_name=label, size=400)
