"""Every command of the README and the pages runs, as it stands there, in a folder that holds what it speaks of."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from conftest import ROOT
from vaelab.cli import main
from vaelab.data import ImageCollection
from vaelab.data.sources.npz import save_npz

STILL = ["--training.num-steps", "2", "--machine.tune", "false", "--quiet"]
"""What makes a training short."""
FEW = ["--data.source.num-images", "60"]
"""What makes generated images few."""
GENERATED = {"rosettes", "sprites", "cells-synthetic", "cells-two-stage"}
RANDOM = np.random.default_rng(0)


def commands(page: Path) -> list[str]:
    """The commands in a page's blocks, without the words beside them."""
    found, fenced = [], False
    for line in page.read_text().replace("\\\n", " ").splitlines():
        fenced ^= line.startswith("```")
        words = line.removeprefix("$ ") if fenced else line.removeprefix("    ") if line.startswith("    ") else ""
        if words.startswith("vaelab "):
            found.append(" ".join(re.split(r"\s+# ", words)[0].split()))
    return found


def pixels(*shape: int) -> np.ndarray:
    return RANDOM.integers(0, 256, shape, dtype=np.uint8)


def put_pictures(folder: Path, names: list[str], size: tuple[int, int]) -> None:
    folder.mkdir(parents=True)
    for name in names:
        Image.fromarray(pixels(*size)).save(folder / name)


def put_idx(folder: Path) -> None:
    """The four files of MNIST's layout, with no more images than the preset holds out, and some."""
    folder.mkdir()
    for part, count in (("train", 10_100), ("t10k", 30)):
        images, labels = pixels(count, 28, 28), np.arange(count, dtype=np.uint8) % 10
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 2051, count, 28, 28) + images.tobytes())
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 2049, count) + labels.tobytes())


def train(preset: str, run: str, *flags: str) -> None:
    assert main(["train", preset, "--out", f"runs/{run}", *STILL, *flags]) == 0


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder with all that the pages speak of."""
    place = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for kind in "ab":
            put_pictures(place / "my_folder" / kind, [f"{i}.png" for i in range(15)], (16, 16))
        put_pictures(place / "more", ["0.png", "1.png"], (16, 16))
        put_pictures(place / "cells", [f"{i}.png" for i in range(20)], (70, 70))
        put_pictures(place / "wells", [f"A{i:02}_w{k}.png" for i in range(15) for k in (1, 2)], (204, 204))
        pd.DataFrame({"file": [f"A{i:02}_w1.png" for i in range(15)], "drug": ["x", "y", "z"] * 5}).to_csv("wells.csv")
        put_idx(place / "mnist")
        table = pd.DataFrame(
            {"plate": np.repeat(list("abcdefgh"), 6), "moa": list("ab") * 24, "concentration": np.arange(48) / 7}
        )
        save_npz(ImageCollection(images=pixels(48, 3, 64, 64), table=table), "cells.npz")
        save_npz(ImageCollection(images=pixels(5, 3, 64, 64), table=table[:5]), "other.npz")
        train("digits", "digits-1", "--training.num-steps", "150")
        train("images", "images-1", "--data", "my_folder")
        train("mnist", "mnist-1", "--data", "mnist")
        train("cells", "cells-1", "--data", "cells.npz")
        shutil.copytree("runs/cells-1", "runs/cells-2")
        train("cells-two-stage", "cells-two-stage-1", *FEW)
        pd.DataFrame({"image": [0, 1], **{f"z{i}": [0.0, 1.0] for i in range(4)}}).to_csv("anchors.csv", index=False)
        grid = {"objective.rate_weight": [0.5, 1], "model.encoder.hidden": [[64]]}
        short = {"training.num_steps": 2, "machine.tune": False}
        Path("betas.json").write_text(json.dumps({"name": "betas", "base": "digits", "grid": grid, "settings": short}))
        codes = pd.DataFrame({f"z{i}": RANDOM.normal(size=60) for i in range(3)})
        known = {"treatment": ["a", "b", "c"] * 20, "size": RANDOM.normal(size=60), "plate": [1, 2, 3, 4] * 15}
        codes.assign(**known).to_csv("codes.csv", index=False)
        assert main(["train", "digits", "--print"]) == 0
    return place


def shortened(words: list[str]) -> list[str]:
    """The command with few steps, few images and few draws."""
    if words[0] in ("train", "guide"):
        generated = words[1] in GENERATED and "--data" not in words
        return [*words, *STILL, *(FEW if generated else [])] if words[0] == "train" else [*words, "--quiet"]
    if words[0] == "study":  # one by name takes minutes, and is one like any other; nor is there a cluster here
        long = {"cells", "digits", "loss-scales", "new-label", "rosette-hole", "--slurm"} & {*words}
        return [*words, *(["--plan"] if long else []), "--quiet"]
    words = ["a" if word == "DMSO" else word for word in words]
    few = ["--num-images", "5", "--num-steps", "2"] if words[0] == "infer" else []
    return [*words[:2], *few, *("60" if word in ("10000", "5000") else word for word in words[2:])]


LONG = {"command_line.md", "evaluation.md", "explanation.md", "models.md", "studies.md"}
PAGES = [
    pytest.param(page, id=page.name, marks=[pytest.mark.slow] if page.name in LONG else [])
    for page in (*sorted(ROOT.glob("docs/*.md")), ROOT / "README.md")
    if commands(page)
]


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_run(page, world, tmp_path, monkeypatch, capsys):
    shutil.copytree(world, tmp_path / "world")
    monkeypatch.chdir(tmp_path / "world")
    monkeypatch.setattr("webbrowser.open", lambda url: True)
    monkeypatch.setattr("vaelab.explorer.serve.Explorer.serve", lambda explorer: explorer.stop())
    for command in commands(page):
        words = shlex.split(command)[1:]
        if words[:2] == ["data", "download"]:
            continue  # from a server, or a folder of the published files: tests/unit/data/test_download.py
        assert main(shortened(words)) == 0, (command, capsys.readouterr().err)
