"""Reports: one self-contained HTML file per run, made of parts each of which can be drawn alone."""

from __future__ import annotations

from vaelab.report.look import Look
from vaelab.report.page import render
from vaelab.report.parts import Part, PicturePart
from vaelab.report.write import draw, write_report

__all__ = ["Look", "Part", "PicturePart", "draw", "render", "write_report"]
