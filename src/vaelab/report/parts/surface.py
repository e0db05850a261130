"""The loss of single images over a plane of two latents."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab.models import Model, device_of, evaluating
from vaelab.plots import Tile, picture_png, pixels_of, sheet
from vaelab.plots.field import field
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.pictures import tile
from vaelab.report.words import number

NUM_IMAGES, MOST_SIDE, FEWEST_SIDE, NEAR = 2, 41, 13, 5.0
"""Images, points along each side of a plane, and the half width of the near view, in standard deviations."""
LEVELS = (0, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Nats above the least at which colours change; beyond, powers of ten."""


class Surface(PicturePart):
    """What single held-out images would cost at other codes, in nats, over the two latents that carry most."""

    section = "varies"
    order = 43
    title = "The loss around the posterior"
    on_page = False
    only_for = "two or more latents"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return look.latent_dim > 1

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            rows: (image,), in the collection.
            latents: (2,), which they are: across, and upward.
            values: (image, view, 2, step): the grid: 5 standard deviations of the posterior around its mean, and the
                central 99 % of the aggregate posterior.
            distortions: (image, view, step upward, step across): -log p(x|z), nats.
            prior: of the same shape: -log p(z), nats.
            loc, scale: (image, 2): the encoder's posterior on the plane.
            best: (image, view, 2): where the sum of both is least on the grid.
            images, reconstructions: (image, channel, height, width).
        """
        places, latents, codes = look.shuffled[:NUM_IMAGES], look.by_importance[:2], look.embedding
        side = int(look.affords(2 * len(places) * MOST_SIDE**2, 0.6, 2 * len(places) * FEWEST_SIDE**2) ** 0.5)
        side = max(FEWEST_SIDE, int(side / (2 * len(places)) ** 0.5)) // 2 * 2 + 1
        wide = [codes.aggregate_quantile(share)[latents] for share in (0.005, 0.995)]
        seen = [self._image(look, int(place), latents, wide, side) for place in places]
        distortions, prior = (np.array([[getattr(view, name) for view in each] for each in seen])
                              for name in ("distortions", "prior"))  # fmt: skip
        return {
            "rows": look.rows[places],
            "latents": latents,
            "values": np.array([[view.values for view in views] for views in seen]),
            "distortions": distortions,
            "prior": prior,
            "loc": codes.loc[places][:, latents],
            "scale": codes.scale[places][:, latents],
            "best": np.array([[view.best for view in views] for views in seen]),
            "images": look.originals(places),
            "reconstructions": look.reconstruct(places),
        }

    def _image(self, look: Look, place: int, latents: np.ndarray, wide: list, side: int) -> list[_View]:
        loc, scale = look.embedding.loc[place], look.embedding.scale[place]
        model = look.run.given(look.rows[place : place + 1])
        near = [loc[latents] + sign * NEAR * scale[latents] for sign in (-1, 1)]
        x = torch.from_numpy(look.originals(np.array([place]))).to(device_of(model))
        return [
            _view(model, x, loc, latents, np.linspace(ends[0], ends[1], side).T, look.batch_size)
            for ends in (near, wide)
        ]

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        charts = [
            (_figure(arrays, i, view), f"#{arrays['rows'][i]}, {name}") for i, view, name in _views(arrays)
        ]  # fmt: skip
        return html(
            """{{ note(how) }}<div class="planes">
            {% for figure, name in charts %}{{ chart(figure, "The loss around image " ~ name, name) }}{% endfor %}
            </div>""",
            how=_how(look, arrays), charts=charts,
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        rows: list[tuple[str, list[Tile]]] = [("", []) for _ in arrays["rows"]]
        for i, view, name in _views(arrays):
            if view == 0:
                pair = (arrays["images"][i], arrays["reconstructions"][i])
                rows[i][1].extend(
                    tile(look, x, w) for x, w in zip(pair, (f"#{arrays['rows'][i]}", "decoded"), strict=True)
                )
            rows[i][1].append(Tile(pixels_of(_figure(arrays, i, view)), name))
        return picture_png(sheet(rows, title=self.title, note=_how(look, arrays).replace(". ", ".\n"), gap=20))


class _View(NamedTuple):
    values: np.ndarray
    distortions: np.ndarray
    prior: np.ndarray
    best: np.ndarray


def _view(model: Model, x: torch.Tensor, loc: np.ndarray, latents: np.ndarray, values: np.ndarray, size: int) -> _View:
    """The loss of one image on a grid (2, step) of two latents, the others at its posterior's mean."""
    side = values.shape[1]
    z = np.broadcast_to(loc, (side, side, len(loc))).astype(np.float32)
    z[..., latents[0]], z[..., latents[1]] = values[0][None, :], values[1][:, None]
    found = []
    with evaluating(model):
        for some in torch.from_numpy(z.reshape(-1, len(loc))).to(x.device).split(size):
            log_probs = model.decode(some).log_prob(x.expand(len(some), *x.shape[1:])), model.prior.log_prob(some)
            found.append(torch.stack(log_probs).double().cpu().numpy())
    distortions, prior = -np.concatenate(found, 1).reshape(2, side, side)
    up, right = np.unravel_index(np.argmin(distortions + prior), (side, side))
    return _View(values, distortions, prior, np.array([values[0, right], values[1, up]]))


def _views(arrays: Arrays):
    for i in range(len(arrays["rows"])):
        yield i, 0, f"{NEAR:g} standard deviations around"
        yield i, 1, "where 99 % of the images lie"


def _how(look: Look, arrays: Arrays) -> str:
    across, upward = arrays["latents"].tolist()
    others = ", the others at the posterior's mean" if look.latent_dim > 2 else ""
    gaps = [
        f"#{row} {number(float(_total(arrays, i, 0)[_middle(arrays)] - _total(arrays, i, 0).min()), digits=2)}"
        for i, row in enumerate(arrays["rows"])
    ]
    return (
        f"{MINUS_LOG} in nats above its least on the plane of z{across} and z{upward}{others}. The outline holds two "
        "standard deviations of the encoder's posterior; where that is right, its edge is some 2 nats above the least. "
        f"At the encoder's mean, above the best point near it: {', '.join(gaps)} nats."
    )


MINUS_LOG = "-log p(x|z) - log p(z)"


def _total(arrays: Arrays, i: int, view: int) -> np.ndarray:
    return arrays["distortions"][i, view] + arrays["prior"][i, view]


def _middle(arrays: Arrays) -> tuple[int, int]:
    middle = arrays["values"].shape[-1] // 2
    return middle, middle


def _figure(arrays: Arrays, i: int, view: int) -> Figure:
    total, latents = _total(arrays, i, view), arrays["latents"].tolist()
    total = total - total.min()
    top = float(np.nanmax(total))
    levels = [*(level for level in LEVELS if level < top), *(10.0**k for k in range(4, 9) if 10.0**k < top)]
    return field(
        arrays["values"][i, view], total, label="nats above the least", axes=(f"z{latents[0]}", f"z{latents[1]}"),
        levels=levels if len(levels) > 2 else None, ellipse=(arrays["loc"][i], 2 * arrays["scale"][i]),
        marks={"encoder's mean": arrays["loc"][i], "best": arrays["best"][i, view]}, size=330,
    )  # fmt: skip
