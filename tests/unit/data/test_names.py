"""Names that are no text: bytes in Latin-1, control characters. They are escaped, and nothing stops for them."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from vaelab.cli import main
from vaelab.data import ImageCollection
from vaelab.errors import printable


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Images in folders whose names are in Latin-1 and in Greek, and hold a control character."""
    place = tmp_path_factory.mktemp("names")
    random = np.random.default_rng(0)
    for folder in (b"trait\xe9", "\N{GREEK SMALL LETTER BETA}-tubulin".encode(), b"a\x07b"):
        os.mkdir(os.path.join(os.fsencode(place), folder))
        for i in range(20):
            path = os.path.join(os.fsencode(place), folder, b"%d.png" % i)
            Image.fromarray(random.integers(0, 255, (8, 8), dtype=np.uint8)).save(os.fsdecode(path))
    return place


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
@pytest.mark.slow
def test_every_command_goes_through_in_every_terminal(encoding, pictures, tmp_path):
    def vaelab(*arguments):
        command = [sys.executable, "-m", "vaelab", *map(str, arguments)]
        environment = os.environ | {"PYTHONIOENCODING": encoding, "MPLBACKEND": "module://not_there.backend"}
        done = subprocess.run(command, capture_output=True, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
        return (done.stdout + done.stderr).decode(encoding)

    said = vaelab("data", "info", pictures)
    assert "trait\\udce9 (20)" in said
    assert "\x07" not in said
    quick = ["--training.num-steps", 3, "--machine.tune", "false", "--machine.threads", 1, "--quiet"]
    vaelab("train", "images", "--data", pictures, "--out", "run", *quick)
    if encoding == "utf-8":
        return
    vaelab("report", "run", "--quiet")
    vaelab("embed", "run", "-o", "codes.csv", "--quiet")
    labels = set(pd.read_csv(tmp_path / "codes.csv", encoding="utf-8")["label"])
    assert labels == {"trait\\udce9", "\N{GREEK SMALL LETTER BETA}-tubulin", "a\x07b"}


def test_a_table_holds_text_that_can_be_written():
    table = pd.DataFrame({"label": ["caf\udce9", "café", None], "size": [1.0, 2.0, 3.0]})
    collection = ImageCollection(images=np.zeros((3, 1, 8, 8), np.uint8), table=table, channels=("a\udcff",))
    assert collection.table["label"].tolist()[:2] == ["caf\\udce9", "café"]
    assert pd.isna(collection.table["label"][2])
    assert collection.channels == ("a\\udcff",)
    assert table["label"][0] == "caf\udce9", "the user's own table stays as it was"


def test_a_sentence_stays_on_its_line():
    assert printable("one\ntwo\x07") == "one\\ntwo\\x07"
    assert main(["report", "no\nrun"]) == 2
