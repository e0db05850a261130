"""A static copy of the explorer: what its files hold, how large they may be, and that it is whole or not there."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from vaelab.cli import main
from vaelab.errors import InputError
from vaelab.explorer import export as module
from vaelab.explorer.bundle import page_files
from vaelab.explorer.export import export


@pytest.fixture(scope="module")
def view(explored):
    return explored.app.runs[0].view


def held(folder, name):
    """What a file of the copy holds: an array, or JSON."""
    text = (folder / "data" / f"0-{name}.js").read_text(encoding="utf-8")
    found = re.fullmatch(rf'vaelabFile\("0-{name}", (.+)\);\n', text)
    value = json.loads(found[1])
    if "json" in value:
        return value["json"]
    return np.frombuffer(base64.b64decode(value["bytes"]), value["type"]).reshape(value["shape"])


def test_a_copy_holds_what_python_computes(view, tmp_path, capsys):
    folder = tmp_path / "page"
    folder.mkdir()
    assert main(["explore", str(view.run.folder), "--export", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert str(folder / "index.html") in printed
    assert re.search(r"^\d+\.\d MB$", printed, re.MULTILINE)
    np.testing.assert_array_equal(held(folder, "codes"), view.codes.loc)
    np.testing.assert_array_equal(held(folder, "rows"), view.rows)
    np.testing.assert_array_equal(held(folder, "pixels-1"), view.stored([*range(64, len(view))]))
    drawn = np.rint(view.reconstructed([70])[0])
    np.testing.assert_allclose(held(folder, "drawn-1")[6], np.clip(drawn, 0, 65535), atol=1)
    places, decoded = held(folder, "places"), held(folder, "decoded")
    np.testing.assert_allclose(decoded[[0, 200]], np.clip(view.decoded(places[[0, 200]]), 0, 65535), atol=0.6)
    np.testing.assert_allclose(places[0], view.codes.loc.mean(0), rtol=1e-4, atol=1e-5)
    assert len(places) <= 1 + 2 * module.GRID**2
    about = held(folder, "about")
    assert (about["path"], about["own"], about["on_demand"]) == ("", False, [])
    kinds = [each["name"] for each in about["columns"]]
    words = about["columns"][kinds.index("moa")]["names"]
    assert [words[i] for i in held(folder, f"column-{kinds.index('moa')}")] == view.table["moa"].tolist()
    index = (folder / "index.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in index
    assert 'type="module"' not in index
    assert main(["explore", str(view.run.folder), "--export", str(folder), "--quiet"]) == 2
    assert capsys.readouterr().err.startswith("--export should be a new folder, got ")


def test_pictures_are_as_small_as_there_is_room_for_and_that_is_said(view, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_PICTURES", len(view) * 3 * 2 * 24 * 24)
    monkeypatch.setattr(module, "MOST_WORDS", 100)
    export([view], tmp_path / "a")
    assert held(tmp_path / "a", "pixels-0").shape[1:] == (3, 22, 22)
    assert held(tmp_path / "a", "decoded").shape[1:] == (3, 11, 11)  # of more places than images
    about = held(tmp_path / "a", "about")
    assert "Pictures have sides of 24 pixels at most, those stored 64" in about["notes"]
    assert "left out: filename" in about["notes"][-1]
    assert "filename" not in [each["name"] for each in about["columns"]]
    monkeypatch.setattr(module, "MOST_PICTURES", 100)
    export([view], tmp_path / "b")
    assert held(tmp_path / "b", "about")["images"] is False
    assert not [*(tmp_path / "b" / "data").glob("*pixels*")]
    monkeypatch.setattr(module, "MOST_CODES", 1000)
    with pytest.raises(InputError, match="the images should be 100 at most in a copy with 10 latents, got 120"):
        export([view], tmp_path / "c")


def test_a_copy_that_fails_leaves_nothing(view, tmp_path, monkeypatch):
    gone = replace(view, images=None, table=view.table.iloc[:, :0])
    assert held(export([gone], tmp_path / "a").parent, "about")["images"] is False
    monkeypatch.setattr(module._Written, "grid", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export([gone], tmp_path / "b")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="export should be a folder, got the file"):
        export([gone], tmp_path / "file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "file"]


def test_the_plain_script_imports_nothing():
    page = page_files()
    assert [name for name in page if name.endswith(".js")] == ["page.js"]
    assert not re.search(r"^(import|export)\b", page["page.js"], re.MULTILINE)
