"""The errors of the reconstructions, channel by channel."""

from __future__ import annotations

from markupsafe import Markup

from vaelab.report.look import Look
from vaelab.report.parts import Arrays, Part
from vaelab.report.scores import Table, chosen, error_table


class ChannelErrors(Part):
    """The errors of each channel alone."""

    section = "good"
    order = 40
    title = "Reconstruction, channel by channel"
    only_for = "images of several channels"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return len(look.channels) > 1

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        return error_table("Channel", _rows(look))


def _rows(look: Look) -> Table:
    scores = look.measured().scores
    return {
        name: {score.metric: score for score in chosen(scores, part=name, group="pixels")} for name in look.channels
    }
