"""The measured images in the plane of the code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

from vaelab.inference import Embedding
from vaelab.plots import Classes, Tile, atlas, class_panel, latent_scatter, picture_png, pixels_of, sheet, shrink
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.pictures import Picture, colour, scale_for
from vaelab.report.words import plural

SIDE = 32
"""Pixels of an image in its place."""
USUAL = ("label", "labels", "class", "target", "moa", "treatment", "phenotype", "process")
"""Columns that colour the points, if there are any."""
MOST_CLASSES = 20


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
        name = label_column(look.table, look.run.dataset.collection.factors)
        labels = labels_of(pd.Series(look.table[name])) if name else np.zeros(0)
        classes = isinstance(labels, Classes)
        return {
            "rows": look.rows,
            "points": points,
            "axes": np.array(axes),
            "shares": shares,
            "label": np.array(name),
            "labels": labels.codes if classes else labels,
            "names": np.array(labels.names if classes else [], np.str_),
            "images": shrink(look.x.numpy(), SIDE)[0],
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        labels, title = _labels(arrays), _title(arrays)
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


def label_column(table: pd.DataFrame, factors: Sequence[str] = ()) -> str:
    """The column to colour by, or an empty name.

    First a column with a usual name, then the first with 2 to 20 values that repeat, then the first ground-truth
    factor.

    >>> label_column(pd.DataFrame({"path": ["a", "b", "c", "d"], "plate": ["1", "1", "2", "2"]}))
    'plate'
    """
    lower = {str(name).lower(): str(name) for name in table.columns}
    for name in USUAL:
        if name in lower and table[lower[name]].nunique() > 1:
            return lower[name]
    for name in table.columns:
        values = table[name].nunique()
        whole = not pd.api.types.is_float_dtype(table[name])
        if whole and name not in ("split", "part") and 2 <= values <= min(MOST_CLASSES, len(table) // 2):
            return str(name)
    return next((name for name in factors if table[name].nunique() > 1), "")


def labels_of(values: pd.Series) -> Classes | np.ndarray:
    """Numbers where there are many different ones, else classes, of which rare ones beyond 19 are put together.

    >>> labels_of(pd.Series(["b", "a", "b"])).names
    ('b', 'a')
    """
    numeric = pd.api.types.is_numeric_dtype(values)
    if numeric and not pd.api.types.is_bool_dtype(values) and values.nunique() > MOST_CLASSES:
        return values.to_numpy(float)
    kinds = values.value_counts(dropna=True)
    ordered = sorted(kinds.index) if numeric else list(kinds.index)
    whole = numeric and all(float(kind).is_integer() for kind in ordered)
    names = [str(int(kind)) if whole else str(kind) for kind in ordered]
    place = {kind: i for i, kind in enumerate(ordered)}
    codes = np.array([place.get(value, -1) for value in values])
    if len(names) > MOST_CLASSES:
        names, codes = [*names[: MOST_CLASSES - 1], "other"], np.minimum(codes, MOST_CLASSES - 1)
    if (codes < 0).any():
        names, codes = [*names, "no label"], np.where(codes < 0, len(names), codes)
    return Classes(codes=codes, names=tuple(names))


def _labels(arrays: Arrays) -> Classes | np.ndarray | None:
    if not arrays["label"].item():
        return None
    names = tuple(arrays["names"].tolist())
    return Classes(codes=arrays["labels"], names=names) if names else arrays["labels"]


def _title(arrays: Arrays) -> tuple[str, str]:
    label = arrays["label"].item()
    return plural(len(arrays["points"]), "held-out image"), f", coloured by {label}" if label else ""


def _figure(arrays: Arrays):
    axes, label = arrays["axes"].tolist(), arrays["label"].item()
    return latent_scatter(arrays["points"], _labels(arrays), axes=(axes[0], axes[1]), label_name=label)


def _atlas(look: Look, arrays: Arrays) -> Picture:
    pixels = colour(look, arrays["images"])
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
