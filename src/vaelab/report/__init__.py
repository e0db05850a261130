"""Reports: one self-contained HTML file per run, with its numbers beside it."""

from __future__ import annotations

from vaelab.report.evidence import Evidence, Pairs, Plane
from vaelab.report.gather import gather
from vaelab.report.page import render
from vaelab.report.write import write_report

__all__ = ["Evidence", "Pairs", "Plane", "gather", "render", "write_report"]
