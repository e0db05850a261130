"""The images all over a plane of the latent space."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from vaelab.plots import Tile, image_grid, picture_png, sheet, shrink
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.pictures import PAGE, Picture, colour

MOST_SIDE, FEWEST_SIDE = 20, 5
"""Images along each axis."""


class Manifold(PicturePart):
    """Decoded images on a grid of the two latents that carry most, the others held at their means."""

    section = "varies"
    order = 38
    title = "The plane of the two latents that carry most"
    only_for = "two or more latents"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return look.latent_dim > 1

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            latents: (2,), which they are: across, and upward.
            values: (2, step), of each: quantiles of the aggregate posterior, from 2.5 to 97.5 %.
            images: (step upward, step across, channel, height, width), from the top.
        """
        side = int(look.affords(MOST_SIDE**2, 0.2, FEWEST_SIDE**2) ** 0.5)
        latents, codes = look.by_importance[:2], look.embedding
        shares = np.linspace(0.025, 0.975, side)
        values = np.stack([codes.aggregate_quantile(float(share))[latents] for share in shares], axis=1)
        z = np.broadcast_to(codes.loc.mean(0), (side, side, look.latent_dim)).copy()
        z[..., latents[0]], z[..., latents[1]] = values[0][None, :], values[1][::-1, None]
        images = look.decode(look.fixed, z.reshape(-1, look.latent_dim))
        return {"latents": latents, "values": values, "images": images.reshape(side, side, *images.shape[1:])}

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        across, upward = arrays["latents"].tolist()
        others = ", the others at their means" if look.latent_dim > 2 else ""
        return html(
            """{{ note("Latent z%s grows to the right, z%s upward, in steps that hold equally many held-out images,"
            " over the central 95 %% of each%s." % (across, upward, others)) }}
            {{ picture(grid, "Decoded images on a grid of z%s and z%s." % (across, upward), kind="block") }}""",
            across=across, upward=upward, others=others, grid=_grid(look, arrays),
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        grid, (across, upward) = _grid(look, arrays), arrays["latents"].tolist()
        pixels = grid.pixels.repeat(int(grid.scale), 0).repeat(int(grid.scale), 1) if grid.scale > 1 else grid.pixels
        ends = [f"{values[0]:.2f} to {values[-1]:.2f}" for values in arrays["values"]]
        note = f"z{across} to the right ({ends[0]}), z{upward} upward ({ends[1]})"
        return picture_png(sheet([("", [Tile(pixels)])], title=self.title, note=note))


def _grid(look: Look, arrays: Arrays) -> Picture:
    images = arrays["images"]
    side = len(images)
    shrunk, _ = shrink(images.reshape(-1, *images.shape[2:]), max(8, PAGE // side))
    pixels = image_grid(colour(look.shade, shrunk), side, gap=1)
    return Picture(pixels, max(1, PAGE // pixels.shape[1]))
