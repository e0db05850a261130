"""Each capability is one file: saved in a copy of the package it is there everywhere, with no other edit.

A preset, a source, a metric, a penalty, a prior and a part of the report; and a whole new family is its folder and its
floor.
"""

from __future__ import annotations

import csv
import json
import os
import re
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
METRIC = '''"""How far the codes lie apart."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._metric import per_image
from vaelab.metrics._shapes import Codes


@per_image("Length of the codes", group="code", unit="units of the latents", better="neither", source="nobody")
def length(codes: Codes) -> np.ndarray:
    """How far an image's code lies from the origin.

    *Source*: nobody.

    >>> length(np.array([[3.0, 4.0]]))[0].value
    5.0
    """
    return np.sqrt(np.square(codes).sum(1))
'''
PENALTY = '''"""The batch's codes around the origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from vaelab.models import Model
from vaelab.penalties._base import Charge, Encoded, Penalty, Term
from vaelab.schedules import Time


@dataclass(frozen=True, kw_only=True)
class Centring(Penalty):
    """The squared distance of the batch's mean code from the origin.

    *Source*: nobody.
    """

    known_as: ClassVar[str] = "centred"
    words: ClassVar = {"off_centre": Term("Off the centre", "of the codes", "squared latents", "Penalties")}

    def __call__(self, model: Model, encoded: Encoded, companion: nn.Module, t: Time | None) -> Charge:
        """See Penalty."""
        cost = encoded.q.mean.mean(0).square().sum()
        return Charge(cost=cost, reports={"off_centre": cost.detach()})
'''
PRIOR = '''"""A wider normal prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from vaelab.priors._base import Encode, LatentPrior, Prior
from vaelab.settings.ranges import Positive


@dataclass(frozen=True, kw_only=True)
class WidePrior(Prior):
    """p(z) = N(0, scale^2 I).

    *Source*: nobody.
    """

    factorizes: ClassVar[bool] = True
    known_as: ClassVar[str] = "wide"

    scale: Positive = 2.0
    """Of each latent."""

    def build(self, latent_dim: int, image_shape: tuple[int, int, int]) -> LatentPrior:
        """See Prior."""
        return _Wide(latent_dim, self.scale)


class _Wide(LatentPrior):
    scale: Tensor

    def __init__(self, latent_dim: int, scale: float):
        super().__init__()
        self.register_buffer("scale", torch.full((latent_dim,), scale), persistent=False)

    def forward(self, encode: Encode) -> Independent:
        return Independent(Normal(torch.zeros_like(self.scale), self.scale, validate_args=False), 1)
'''
FILES = {
    "presets/blank.py": PRESET,
    "data/sources/raw.py": SOURCE,
    "report/parts/brightness.py": PART,
    "metrics/length.py": METRIC,
    "penalties/centring.py": PENALTY,
    "priors/wide.py": PRIOR,
}
CONTRACT = '''"""The contract of every teacher."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from vaelab.settings.ranges import Settings


@dataclass(frozen=True, kw_only=True)
class Teacher(Settings, ABC):
    """Who says when it is enough."""

    @abstractmethod
    def enough(self, step: int) -> bool:
        """Whether it is."""
'''
MEMBER = '''"""A teacher who is hard to please."""

from __future__ import annotations

from dataclasses import dataclass

from vaelab.settings.ranges import AtLeast1
from vaelab.teachers._base import Teacher


@dataclass(frozen=True, kw_only=True)
class Strict(Teacher):
    """Enough only after many steps."""

    steps: AtLeast1 = 100
    """How many."""

    def enough(self, step: int) -> bool:
        """See Teacher."""
        return step >= self.steps
'''
USED = """
from vaelab.catalogue import find
from vaelab.settings.record import from_record, to_record
from vaelab.teachers import Teacher
teacher = from_record(Teacher, {"kind": "strict", "steps": 3})
print(to_record(teacher), teacher.enough(3), find(Teacher, "strict") is type(teacher))
find(Teacher, "stric")
"""


def copied(place):
    """Puts a copy of the package into a folder."""
    shutil.copytree(ROOT / "src" / "vaelab", place / "vaelab", ignore=shutil.ignore_patterns("__pycache__"))


def python(place, *words, cwd=None):
    """Runs Python with the copy of the package that is there."""
    environment = {**os.environ, "PYTHONPATH": str(place), "VAELAB_CACHE": str(place / "cache")}
    return subprocess.run(
        [sys.executable, *words], env=environment, cwd=cwd or place, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A copy of the package that has these files more."""
    place = tmp_path_factory.mktemp("copy")
    copied(place)
    for path, text in FILES.items():
        (place / "vaelab" / path).write_text(text)
    (place / "a.raw").write_bytes(bytes(3 * 16 * 16))
    (place / "x.docx").write_text("x")
    return place


@pytest.fixture(scope="module")
def vaelab(place):
    """Runs a command of it."""
    return lambda *words: python(place, "-m", "vaelab", *words)


@pytest.fixture(scope="module")
def run(vaelab, place):
    """A run that uses them, with its report."""
    parts = ["--model.prior", "wide", "--model.prior.scale", "1.5", "--objective.penalties", "centring"]
    short = ["--training.num-steps", "5", "--watching.log-every", "2", "--machine.tune", "false", "--quiet"]
    assert vaelab("train", "digits", "--out", "run", *parts, *short).returncode == 0
    assert vaelab("report", "run", "--num-samples", "1", "--quiet").returncode == 0
    return place / "run"


def test_a_preset(vaelab):
    assert "blank               Nothing at all, for a moment." in vaelab("train", "--help").stdout
    assert '"name": "blank"' in vaelab("train", "blank", "--print").stdout


@pytest.mark.slow
def test_a_source(vaelab):
    assert re.search("raw +Square images of bytes", vaelab("data", "list").stdout)
    assert "3 images, 1x16x16 uint8" in vaelab("data", "info", "a.raw", "--side", "16").stdout
    assert "or a .tif or .tiff file" in vaelab("data", "info", "x.docx").stderr
    assert "a .raw file, " in vaelab("data", "info", "x.docx").stderr
    assert '"kind": "raw"' in vaelab("train", "images", "--data", "a.raw", "--print").stdout


@pytest.mark.slow
def test_a_part_of_the_report(vaelab, run, tmp_path):
    page = (run / "report.html").read_text()
    assert '<h3 id="brightness">Brightness</h3>' in page
    assert 'aria-label="How bright each image is."' in page
    assert vaelab("draw", str(run), "brightness", "-o", str(tmp_path / "a.png")).stderr == ""
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with np.load(tmp_path / "a.npz") as arrays:
        assert set(arrays.files) == {"rows", "brightness"}


def test_a_metric(vaelab, run):
    assert " length," in vaelab("evaluate", "--help").stdout
    said = vaelab("evaluate", str(run), "--num-samples", "1", "--metrics", "length")
    assert said.returncode == 0, said.stderr
    assert [line for line in said.stdout.splitlines() if "length" in line and "units of the latents" in line]
    assert "Length of the codes" in (run / "report.html").read_text()


def test_a_penalty_and_a_prior(vaelab, run):
    helped = " ".join(vaelab("train", "digits", "--model.prior", "wide", "--help").stdout.split())
    assert "each centring, dip, " in helped
    assert "standard_normal, vamp or wide" in helped
    assert "--model.prior.scale 2.0 Of each latent." in helped
    record = json.loads((run / "experiment.json").read_text())
    assert record["model"]["prior"] == {"kind": "wide", "scale": 1.5}
    assert record["objective"]["penalties"] == [{"kind": "centring", "weight": 1.0}]
    with (run / "metrics.csv").open(newline="") as file:
        assert all(float(row["off_centre"]) >= 0 for row in csv.DictReader(file))
    page = (run / "report.html").read_text()
    assert "Off the centre" in page, "the word of its term"
    assert "centred" in page, "what others call it"


@pytest.mark.slow
def test_the_contract_tests_run_over_all_of_them(place):
    """The quick ones of sources and parts; of the others all."""
    rooms = ["metrics", "penalties", "priors", "sources", "report_parts"]
    files = [f"tests/contract/test_{room}.py" for room in rooms]
    chosen = "length or centring or wide or (says and (raw or brightness))"
    done = python(place, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-k", chosen, *files, cwd=ROOT)
    assert done.returncode == 0, done.stdout
    for name in ("length", "centring", "wide", "raw", "brightness"):
        assert re.search(rf"\[.*{name}.*\] PASSED", done.stdout), name
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 30


@pytest.mark.slow
def test_the_reference(place, tmp_path):
    """A small site with the pages of their rooms, made as the documentation is."""
    settings = (ROOT / "mkdocs.yml").read_text()
    rooms = ["metrics", "penalties", "priors", "presets", "report", "data"]
    settings = re.sub(r"hooks:.*\n", "", settings[: settings.index("nav:")]).replace(
        "paths: [src]", f"paths: [{place}]"
    )
    settings = settings.replace("docs/doctests.py", str(ROOT / "docs" / "doctests.py"))
    (tmp_path / "mkdocs.yml").write_text(settings)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("\n\n".join(f"::: vaelab.{room}" for room in rooms))
    done = python(place, "-m", "mkdocs", "build", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "index.html").read_text()
    for path in FILES:
        assert f'id="vaelab.{path.removesuffix(".py").replace("/", ".")}' in page, path


def test_a_new_family_is_its_folder_and_its_floor(tmp_path):
    copied(tmp_path)
    family = tmp_path / "vaelab" / "teachers"
    family.mkdir()
    exported = 'from vaelab.teachers._base import Teacher\n\n__all__ = ["Teacher"]\n'
    (family / "__init__.py").write_text(f'"""Teachers."""\n\nfrom __future__ import annotations\n\n{exported}')
    (family / "_base.py").write_text(CONTRACT)
    (family / "strict.py").write_text(MEMBER)
    floors = (ROOT / "pyproject.toml").read_text()
    lint = ["-c", "from importlinter.cli import lint_imports_command as lint; lint(['--no-cache'])"]
    for text, code in ((floors, 1), (floors.replace('"models | critics"', '"models | critics | teachers"'), 0)):
        (tmp_path / "pyproject.toml").write_text(text)
        assert python(tmp_path, *lint).returncode == code
    used = python(tmp_path, "-c", USED)
    assert used.stdout == "{'kind': 'strict', 'steps': 3} True True\n"
    assert used.stderr.splitlines()[-1].endswith("did you mean strict?")
