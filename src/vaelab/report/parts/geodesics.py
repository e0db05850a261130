"""Straight lines between codes, and shortest curves by what the decoder makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab.inference import Bending, geodesics, log_magnification, pullback_metric
from vaelab.models import device_of
from vaelab.plots import Tile, picture_png, pixels_of, sheet
from vaelab.plots.field import field
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.parts.interpolation import anchor_and_others
from vaelab.report.pictures import strip, tile
from vaelab.report.words import number

NUM_IMAGES, POINTS_EACH, MOST_PAIRS, SIDE, GRID = 9, 4, 6, 80, 41
"""Images along each way, points of a curve from one to the next, pairs, CSS pixels, about, of one image, and points
along each side of the plane."""
_LEAST_STEPS = 60
PLANE = "How strongly images change over the plane, and the curves"


class Geodesics(PicturePart):
    """From one held-out image to others along the straight line and along the shortest curve that was found."""

    section = "varies"
    order = 37
    title = "Straight lines and geodesics"
    on_page = False
    only_for = "a model without conditions, and two or more measured images"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return len(look.rows) > 1 and not look.conditions

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            rows: (pair, 2), in the collection.
            images: (pair, 2, step, channel, height, width): decoded along the straight line, and along the curve.
            points: (pair, point, latent): of the curve, more closely.
            lengths, straight, chords: (pair,): of the curve, of the line, and from end to end, in the images.
            energies: (step, pair): while the curve was searched for.
            values: (2, step), where there are two latents: a grid over the central 99 % of the aggregate posterior.
            magnification: (step upward, step across): there, log sqrt(det G); else nothing.
        """
        how = Bending()
        pieces = 3 * (how.num_pieces + 1)  # a gradient costs about as much as three images
        afforded = look.affords(MOST_PAIRS * pieces * how.num_steps, 1.0, pieces * _LEAST_STEPS) // pieces
        num_pairs = max(1, min(MOST_PAIRS, afforded // how.num_steps))
        how = replace(how, num_steps=min(how.num_steps, afforded // num_pairs))
        anchor, others = anchor_and_others(look, num_pairs)
        device, loc = device_of(look.fixed), look.embedding.loc.astype(np.float32)
        left, right = (torch.from_numpy(loc[of]).to(device) for of in (np.full(len(others), anchor), others))
        found = geodesics(look.fixed, left, right, how, num_points=POINTS_EACH * (NUM_IMAGES - 1) + 1)
        weights = np.linspace(0, 1, NUM_IMAGES, dtype=np.float32)[:, None]
        lines = loc[anchor] + weights * (loc[others][:, None] - loc[anchor])
        codes = np.stack([lines, found.points[:, ::POINTS_EACH]], 1)
        images = look.decode(look.fixed, codes.reshape(-1, look.latent_dim))
        return {
            "rows": np.stack([np.full(len(others), look.rows[anchor]), look.rows[others]], 1),
            "images": images.reshape(*codes.shape[:-1], *images.shape[1:]),
            "points": found.points,
            "lengths": found.lengths,
            "straight": found.straight,
            "chords": found.chords,
            "energies": found.energies,
            **_plane(look),
        }

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        rows = [
            (_words(arrays, i), [strip(look, images, SIDE) for images in arrays["images"][i]])
            for i in range(len(arrays["rows"]))
        ]
        return html(
            """{{ note(how) }}
            {% for words, (line, curve) in rows %}
            <h4>{{ words }}</h4>{{ strip(line, "Along the straight line.") }}{{ strip(curve, "Along the curve.") }}
            {% endfor %}
            {% if figure %}{{ chart(figure, plane) }}{% endif %}
            """,
            how=_how(arrays), rows=rows, figure=_figure(arrays), plane=PLANE,
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        rows = []
        for i, ways in enumerate(arrays["images"]):
            names = (_words(arrays, i).replace(": ", "\n").replace("; ", "\n"), "")
            rows += [(name, [tile(look, x, side=SIDE) for x in way]) for name, way in zip(names, ways, strict=True)]
        figure = _figure(arrays)
        note = _how(arrays).replace(". ", ".\n")
        pictures = sheet(rows, title=self.title, note=note)
        if figure is None:
            return picture_png(pictures)
        return picture_png(sheet([("", [Tile(pictures), Tile(pixels_of(figure), f"\n\n{PLANE}")])]))


def _plane(look: Look) -> Arrays:
    """How strongly images change, over the plane of two latents."""
    if look.latent_dim != 2:
        return {"values": np.zeros((2, 0)), "magnification": np.zeros((0, 0))}
    low, high = look.embedding.aggregate_quantile(0.005), look.embedding.aggregate_quantile(0.995)
    side = int(look.affords(GRID**2, 0.3, 11**2) ** 0.5)
    across, upward = np.linspace(low, high, side).T
    z = np.stack([*np.meshgrid(across, upward)], -1).reshape(-1, 2).astype(np.float32)
    metric = pullback_metric(look.fixed, torch.from_numpy(z).to(device_of(look.fixed)))
    return {"values": np.stack([across, upward]), "magnification": log_magnification(metric).reshape(side, side)}


def _words(arrays: Arrays, i: int) -> str:
    line, curve = float(arrays["straight"][i]), float(arrays["lengths"][i])
    share = f"{curve / line:.2f} of it" if line else "both are 0"
    said = f"straight {number(line, digits=3)}; geodesic {number(curve, digits=3)}, {share}"
    return f"#{arrays['rows'][i, 0]} to #{arrays['rows'][i, 1]}: {said}"


def _how(arrays: Arrays) -> str:
    line, curve = arrays["straight"].sum(), arrays["lengths"].sum()
    share = f" All curves together have {curve / line:.0%} of the lines' length." if line else ""
    return (
        "Above, decoded at even steps along the straight line between two codes; below, along the shortest curve that "
        "was found near it. Lengths are of the way that the image goes: root mean squares over pixels, 1 being from "
        f"black to white.{share}"
    )


def _figure(arrays: Arrays) -> Figure | None:
    if not arrays["magnification"].size:
        return None
    values = np.where(np.isfinite(arrays["magnification"]), arrays["magnification"], np.nan)
    return field(arrays["values"], values, label="log magnification", axes=("z0", "z1"), curves=arrays["points"])
