"""The measured images in the plane of the code."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup

from vaelab.inference import Embedding
from vaelab.plots import Classes, Tile, atlas, class_panel, latent_scatter, picture_png, pixels_of, sheet, shrink
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.pictures import Picture, colour, scale_for
from vaelab.report.table import labels_of
from vaelab.report.words import plural

SIDE = 32
"""Pixels of an image in its place."""


class Plane(PicturePart):
    """All measured images as points of a plane, coloured by a column of the table, and as pictures in their places."""

    section = "varies"
    order = 40
    title = "All images in one plane"
    only_for = "two or more measured images"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return len(look.rows) > 1

    def compute(self, look: Look) -> Arrays:
        """See Part. ``labels``: numbers, or for each point its place among ``names``; none without a column."""
        points, axes, shares = project(look.embedding)
        return {
            "rows": look.rows,
            "points": points,
            "axes": np.array(axes),
            "shares": shares,
            **known_labels(look),
            "images": shrink(look.x.numpy(), SIDE)[0],
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        labels, title = labels_in(arrays), _title(arrays)
        legend = []
        if isinstance(labels, Classes):
            counts = np.bincount(labels.codes, minlength=len(labels.names)).tolist()
            figures = [class_panel(arrays["points"], labels, code) for code in range(len(labels.names))]
            words = [f"Where {name} lies: {plural(n, 'image')}." for name, n in zip(labels.names, counts, strict=True)]
            legend = list(zip(labels.names, counts, words, figures, strict=True))
        return html(
            """{{ note(how) }}
            <div class="planes">
            {{ chart(figure, "%s in the plane of %s and %s%s." % (count, axes[0], axes[1], by), count ~ by) }}
            <div class="chart"><p class="cap"><b>The same square of the plane, in images</b></p>
            {{ picture(atlas, "The same plane with held-out images in their places.", kind="map") }}</div>
            </div>
            {% if legend %}
            <div class="panels">
            {% for name, count, words, panel in legend %}
            {{ chart(panel, words, name, "{:,}".format(count)) }}
            {% endfor %}
            </div>
            {% endif %}
            {{ note("In the right picture each cell shows the held-out image nearest its middle; cells without images"
            " are empty.") }}""",
            how=_how(look.latent_dim, arrays["shares"]), figure=_figure(arrays), axes=arrays["axes"].tolist(),
            count=title[0], by=title[1], atlas=_atlas(look, arrays), legend=legend,
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        places = _atlas(look, arrays).pixels
        times = max(1, round(640 / len(places)))
        tiles = [
            Tile(pixels_of(_figure(arrays)), "".join(_title(arrays))),
            Tile(places.repeat(times, 0).repeat(times, 1), "The same square, in images"),
        ]
        return picture_png(sheet([("", tiles)], title=self.title, gap=32))


def project(embedding: Embedding) -> tuple[np.ndarray, tuple[str, str], np.ndarray]:
    """Points of the plane, what its axes are, and their shares of the variance where they are principal components."""
    loc = embedding.loc.astype(np.float64)
    if embedding.latent_dim == 1:
        return np.stack([loc[:, 0], embedding.scale[:, 0]], axis=1), ("z0", "scale of z0"), np.zeros(0)
    if embedding.latent_dim == 2:
        return loc, ("z0", "z1"), np.zeros(0)
    centered = loc - loc.mean(0)
    _, sizes, directions = np.linalg.svd(centered, full_matrices=False)
    shares = (sizes**2 / max(float((sizes**2).sum()), 1e-30))[:2]
    first = directions[:2] * np.sign(directions[np.arange(2), np.abs(directions[:2]).argmax(1)])[:, None]
    return centered @ first.T, (f"component 1 ({shares[0]:.0%})", f"component 2 ({shares[1]:.0%})"), shares


def known_labels(look: Look, places: np.ndarray | slice = slice(None)) -> Arrays:
    """What colours the points of these measured images: ``labels``, ``names`` and the column ``label``, as above."""
    name = look.label(*look.run.dataset.collection.factors)
    labels = labels_of(pd.Series(look.table[name].iloc[places])) if name else np.zeros(0)
    classes = isinstance(labels, Classes)
    return {
        "label": np.array(name),
        "labels": labels.codes if classes else labels,
        "names": np.array(labels.names if classes else [], np.str_),
    }


def labels_in(arrays: Arrays) -> Classes | np.ndarray | None:
    """What `known_labels` gave, as plots take it; None without a column."""
    if not arrays["label"].item():
        return None
    names = tuple(arrays["names"].tolist())
    return Classes(codes=arrays["labels"], names=names) if names else arrays["labels"]


def _title(arrays: Arrays) -> tuple[str, str]:
    label = arrays["label"].item()
    return plural(len(arrays["points"]), "held-out image"), f", coloured by {label}" if label else ""


def _figure(arrays: Arrays):
    axes, label = arrays["axes"].tolist(), arrays["label"].item()
    return latent_scatter(arrays["points"], labels_in(arrays), axes=(axes[0], axes[1]), label_name=label)


def _atlas(look: Look, arrays: Arrays) -> Picture:
    pixels = colour(look.shade, arrays["images"])
    return Picture(atlas(arrays["points"], pixels), int(scale_for(arrays["images"].shape, SIDE)))


def _how(latent_dim: int, shares: np.ndarray) -> str:
    if latent_dim == 1:
        return "The posterior mean of the one latent, against the posterior's scale."
    if latent_dim == 2:
        return "The two latents themselves: the posterior mean of each held-out image."
    return (
        f"The posterior mean of each held-out image, projected from {latent_dim} latents to the first two principal "
        f"components, which hold {shares.sum():.0%} of the variance. Images that are near each other here may be far "
        "apart in the code."
    )
