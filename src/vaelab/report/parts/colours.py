"""How pictures are coloured."""

from __future__ import annotations

from markupsafe import Markup

from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, Part
from vaelab.report.pictures import colour_words


class Colours(Part):
    """The colour of each channel, and the scale of brightness that holds for all pictures."""

    section = "looks"
    order = 90

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        return html("{{ note(words) }}", words=colour_words(look))
