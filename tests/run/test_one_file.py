"""A preset, a source and a part of the report, each one file saved in a copy of the package, are there everywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from conftest import ROOT

PRESET = '''"""A study of nothing."""

from __future__ import annotations

from dataclasses import replace

from vaelab.experiment import Experiment
from vaelab.presets.digits import digits


def blank() -> Experiment:
    """Nothing at all, for a moment."""
    return replace(digits(), name="blank")
'''
SOURCE = '''"""Raw bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from vaelab.data.collection import ImageCollection
from vaelab.data.sources._base import Source
from vaelab.settings.ranges import AtLeast1, PathText


@dataclass(frozen=True, kw_only=True)
class RawSource(Source):
    """Square images of bytes, one after another."""

    opens: ClassVar[str] = "a .raw file"

    path: PathText
    """The file."""
    side: AtLeast1 = 8
    """Height and width, in pixels."""

    @classmethod
    def recognises(cls, place: Path, names: Sequence[str]) -> int:
        """See Source."""
        return 3 if place.suffix == ".raw" else 0

    def load(self, *, strict: bool = False, progress: bool = False) -> ImageCollection:
        """See Source."""
        images = np.fromfile(self.path, np.uint8).reshape(-1, 1, self.side, self.side)
        return ImageCollection(images=images, table=pd.DataFrame(index=pd.RangeIndex(len(images))))
'''
PART = '''"""How bright images are."""

from __future__ import annotations

from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab.plots import fit_histogram, png
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart


class Brightness(PicturePart):
    """How bright the held-out images are."""

    section = "odd"
    order = 40
    title = "Brightness"

    def compute(self, look: Look) -> Arrays:
        """See Part."""
        return {"rows": look.rows, "brightness": look.x.mean((1, 2, 3)).numpy()}

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        return html('{{ chart(figure, "How bright each image is.") }}', figure=_figure(arrays))

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        return png(_figure(arrays), title=self.title)


def _figure(arrays: Arrays) -> Figure:
    return fit_histogram(arrays["brightness"], label="mean intensity", marks={})
'''


@pytest.fixture(scope="module")
def vaelab(tmp_path_factory):
    """Runs a command of a copy of the package that has two files more."""
    place = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "src" / "vaelab", place / "vaelab", ignore=shutil.ignore_patterns("__pycache__"))
    (place / "vaelab/presets/blank.py").write_text(PRESET)
    (place / "vaelab/data/sources/raw.py").write_text(SOURCE)
    (place / "vaelab/report/parts/brightness.py").write_text(PART)
    (place / "a.raw").write_bytes(bytes(3 * 16 * 16))
    (place / "x.docx").write_text("x")

    def command(*words):
        environment = {**os.environ, "PYTHONPATH": str(place), "VAELAB_CACHE": str(place / "cache")}
        argv = [sys.executable, "-m", "vaelab", *words]
        return subprocess.run(argv, env=environment, cwd=place, capture_output=True, text=True, check=False)

    return command


def test_a_preset(vaelab):
    assert "blank               Nothing at all, for a moment." in vaelab("train", "--help").stdout
    assert '"name": "blank"' in vaelab("train", "blank", "--print").stdout


def test_a_source(vaelab):
    assert "raw         Square images of bytes" in vaelab("data", "list").stdout
    assert "3 images, 1x16x16 uint8" in vaelab("data", "info", "a.raw", "--side", "16").stdout
    assert "or a .tif or .tiff file" in vaelab("data", "info", "x.docx").stderr
    assert "a .raw file, " in vaelab("data", "info", "x.docx").stderr
    assert '"kind": "raw"' in vaelab("train", "images", "--data", "a.raw", "--print").stdout


def test_a_part_of_the_report(vaelab, tmp_path):
    vaelab("train", "digits", "--out", str(tmp_path / "run"), "--training.num-steps", "5", "--quiet")
    assert vaelab("report", str(tmp_path / "run"), "--num-samples", "1", "--quiet").stderr == ""
    page = (tmp_path / "run" / "report.html").read_text()
    assert '<h3 id="brightness">Brightness</h3>' in page
    assert 'aria-label="How bright each image is."' in page
    assert vaelab("draw", str(tmp_path / "run"), "brightness", "-o", str(tmp_path / "a.png")).stderr == ""
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with np.load(tmp_path / "a.npz") as arrays:
        assert set(arrays.files) == {"rows", "brightness"}
    assert "brightness" in vaelab("draw", str(tmp_path / "run"), "bright", "-o", str(tmp_path / "b.png")).stderr
