"""What parts have in common that show the explanation that was made last."""

from __future__ import annotations

import textwrap
from abc import abstractmethod
from typing import ClassVar

import numpy as np
from markupsafe import Markup

from vaelab.plots import Row, picture_png, sheet
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts._base import Arrays, PicturePart
from vaelab.report.pictures import Picture
from vaelab.runs.explanations import read_series

EXPLAINED = "runs that were explained: vaelab explain RUN --label COLUMN --to CLASS"
SIDE = 72
"""CSS pixels, about, of an image."""
_ACROSS = 105
"""Characters in a line."""


def kept(look: Look) -> dict[str, np.ndarray] | None:
    """What was explained last, read once."""
    return look.once("explained", lambda: read_series(look.run))


def above(arrays: Arrays, *words: str) -> str:
    """Lines above a picture: the gate's warning where it was not passed, and words."""
    said = [arrays["warning"].item(), *words]
    return "\n".join(textwrap.fill(each, _ACROSS) for each in said if each)


class ExplainedPart(PicturePart):
    """Rows of pictures from the explanation that was made last."""

    section = "looks"
    on_page = False
    only_for = EXPLAINED
    words: ClassVar[str]
    """Above the pictures."""
    gap: ClassVar[int] = 6
    """Pixels between pictures."""

    def applies(self, look: Look) -> bool:
        """See Part."""
        return kept(look) is not None

    def compute(self, look: Look) -> Arrays:
        """See Part."""
        found = kept(look)
        assert found is not None
        return self.chosen(found) | {"warning": found["warning"]}

    @abstractmethod
    def chosen(self, found: Arrays) -> Arrays:
        """What is drawn, of all that was kept."""

    @abstractmethod
    def rows(self, look: Look, arrays: Arrays) -> list[Row]:
        """Pictures in rows, with their words."""

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        drawn, words = Picture(sheet(self.rows(look, arrays), gap=self.gap), 1), above(arrays, self.words)
        return html("{{ note(words) }}{{ strip(drawn, words) }}", drawn=drawn, words=words)

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        note = above(arrays, self.words)
        return picture_png(sheet(self.rows(look, arrays), title=self.title, note=note, gap=self.gap))
