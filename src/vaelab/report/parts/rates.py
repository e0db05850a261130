"""The rate of every latent."""

from __future__ import annotations

from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab.plots import png, rate_bars
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.words import plural

WIDE_FROM = 18
"""Latents above which their bars take the whole width."""


class Rates(PicturePart):
    """What each latent carries, and which are active."""

    section = "varies"
    order = 10
    title = "What each latent carries"
    only_for = "models whose posterior and prior factorise"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return look.latent_rates is not None

    def compute(self, look: Look) -> Arrays:
        """See Part."""
        assert look.latent_rates is not None
        return {"rates": look.latent_rates, "active": look.active}

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        return html(
            """{% set alt = "The rate of every latent in nats per image, largest first." %}
            {{ chart(figure, alt, title, "largest first", kind) }}
            {{ note("Blue: active, which means that its posterior mean varies over images (variance above 0.01)."
            " Grey: not active.") }}""",
            figure=_figure(arrays), title=_title(arrays), kind="wide" if len(arrays["rates"]) > WIDE_FROM else "",
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        return png(_figure(arrays), title=_title(arrays))


def _figure(arrays: Arrays) -> Figure:
    count = len(arrays["rates"])
    return rate_bars(arrays["rates"], arrays["active"], width=880 if count > WIDE_FROM else max(300, 150 + 20 * count))


def _title(arrays: Arrays) -> str:
    return f"{int(arrays['active'].sum())} of {plural(len(arrays['rates']), 'latent')} active"
