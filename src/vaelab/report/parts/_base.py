"""The contract of every part of a report."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy as np
from markupsafe import Markup

from vaelab.report.look import Look

Arrays = dict[str, np.ndarray]
"""By name."""
Section = Literal["good", "looks", "varies", "odd", "made"]
"""The scientist's question that a part answers."""


class Part(ABC):
    """One part of a report: what it computes, how that is drawn, and where it stands.

    The first sentence of a member's docstring says what it shows.
    """

    section: ClassVar[Section]
    """In which section it stands."""
    order: ClassVar[int]
    """Its place there: lower comes first."""
    title: ClassVar[str] = ""
    """The heading above it; empty: it has none."""
    on_page: ClassVar[bool] = True
    """Whether it stands on the page; where it takes too long for that, it is drawn alone."""
    only_for: ClassVar[str] = "every run"
    """What it needs, in words that follow "is for"."""

    def applies(self, look: Look) -> bool:
        """Whether the run has what it shows."""
        return True

    def arrays(self, look: Look) -> Arrays:
        """What `compute` gives, computed once for all parts that use it."""
        return look.once(type(self), lambda: self.compute(look))

    def compute(self, look: Look) -> Arrays:
        """What it shows, as plain arrays; nothing where all of it are words and scores."""
        return {}

    @abstractmethod
    def html(self, look: Look, arrays: Arrays) -> Markup:
        """The part of the page below its heading."""


class PicturePart(Part):
    """A part that can be drawn alone."""

    @abstractmethod
    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """The whole part as one PNG, with words."""

    def says(self, arrays: Arrays) -> str:
        """What it shows in a sentence drawn from intervals, where a study asks; empty: nothing in numbers."""
        return ""
