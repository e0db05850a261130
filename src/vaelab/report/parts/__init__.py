"""The parts of a report: one file, one part. Saving a file here is all it takes."""

from __future__ import annotations

from vaelab.report.parts._base import Arrays, Part, PicturePart, Section

__all__ = ["Arrays", "Part", "PicturePart", "Section"]
