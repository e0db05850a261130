"""What all generated collections and the digits keep to: refusals, seeds, beginnings, the cache."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from vaelab.data.sources import _generated
from vaelab.data.sources.cells_synthetic import CellsSyntheticSource
from vaelab.data.sources.digits import DigitsSource
from vaelab.data.sources.rosettes import RosettesSource
from vaelab.data.sources.sprites import SpritesSource
from vaelab.errors import InputError

SMALL = {
    "rosettes": RosettesSource(num_images=300, size=32),
    "punctured rosettes": RosettesSource(num_images=300, size=33, subset="punctured"),
    "probed": RosettesSource(num_images=300, size=16, subset="probed"),
    "transects": RosettesSource(size=16, subset="transects"),
    "cells_synthetic": CellsSyntheticSource(num_images=300, size=24),
    "sprites": SpritesSource(num_images=300, size=32),
    "whole grid of sprites": SpritesSource(num_images=None, size=16, num_orientations=4, num_x=3, num_y=2),
}
BAD = [
    (SpritesSource, {"num_images": 737_281}, "num_images should be at most 737,280, got 737281. That is the whole"),
    (SpritesSource, {"shapes": ("heart", "heart")}, "shapes should name each shape once"),
    (SpritesSource, {"shapes": ()}, "shapes should name each shape once, at least one"),
    (SpritesSource, {"held_out": "shape is heart"}, "held_out should be conditions such as"),
    (SpritesSource, {"held_out": "x>=16,"}, "held_out should be conditions such as"),
    (SpritesSource, {"held_out": "colour=1"}, "held_out should be a known name, got 'colour'"),
    (SpritesSource, {"held_out": "shape=hart"}, "held_out .* did you mean heart"),
    (SpritesSource, {"held_out": "x>=half"}, "held_out, x should be compared to a place on the grid, got 'half'"),
]


@pytest.mark.parametrize(("source", "settings", "sentence"), BAD)
def test_bad_settings_are_refused_in_one_sentence(source, settings, sentence):
    with pytest.raises(InputError, match=sentence):
        source(**settings)


def test_settings_of_the_wrong_kind_are_refused_in_one_sentence():
    """In a process of its own, since under test the annotations are checked before the settings are."""
    code = """
from vaelab.data.sources.cells_synthetic import CellsSyntheticSource
from vaelab.data.sources.rosettes import RosettesSource
from vaelab.data.sources.sprites import SpritesSource
from vaelab.errors import InputError
for source, name, value in [
    (RosettesSource, "num_images", 2.5), (RosettesSource, "num_images", True), (RosettesSource, "subset", "puncturd"),
    (RosettesSource, "line_width", "thin"), (RosettesSource, "hole_b", None), (CellsSyntheticSource, "size", "64"),
    (CellsSyntheticSource, "seed", None), (SpritesSource, "num_y", [3]), (SpritesSource, "shapes", ("square", "hart")),
    (SpritesSource, "held_out", 3),
]:
    try:
        source(**{name: value})
    except InputError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "num_images should be a whole number (at least 2), got 2.5.",
        "num_images should be a whole number (at least 2), got True.",
        "subset should be a known name, got 'puncturd'. Known: full, probed, punctured, transects; did you mean "
        "punctured?",
        "line_width should be a number (from 0.1 to 100), got 'thin'.",
        "hole_b should be a number (from 0.0 to 2.0), got None.",
        "size should be a whole number (from 8 to 1024), got '64'.",
        "seed should be a whole number (at least 0), got None.",
        "num_y should be a whole number (from 1 to 1000), got [3].",
        "shapes[1] should be a known name, got 'hart'. Known: ellipse, heart, square; did you mean heart?",
        "held_out should be text, got 3.",
    ]


@pytest.mark.parametrize("source", SMALL.values(), ids=SMALL)
def test_same_seed_same_collection_and_other_seed_another(source):
    first, again = source.load(), source.load()
    np.testing.assert_array_equal(first.images, again.images)
    pd.testing.assert_frame_equal(first.table, again.table)
    assert set(first.factors) <= set(first.table)
    assert len(first) == len(first.table)
    assert list(first.table.index) == list(range(len(first)))
    if getattr(source, "subset", "") != "transects" and source.num_images is not None:
        assert not np.array_equal(first.images, replace(source, seed=1).load().images)


@pytest.mark.parametrize("name", ["rosettes", "cells_synthetic", "sprites"])
def test_an_image_is_the_same_however_many_are_asked_for(name):
    many, few = SMALL[name].load(), replace(SMALL[name], num_images=70).load()
    np.testing.assert_array_equal(many.images[:70], few.images)
    columns = list(few.table.columns.difference(["split"]))
    pd.testing.assert_frame_equal(many.table[columns].head(70), few.table[columns])


def test_a_large_collection_is_rendered_once_into_the_cache(monkeypatch, tmp_path):
    source = SMALL["rosettes"]
    in_memory = source.load()
    monkeypatch.setattr(_generated, "IN_MEMORY", 10_000)
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path))
    mapped = source.load(progress=True)
    assert isinstance(mapped.images, np.memmap)
    np.testing.assert_array_equal(mapped.images, in_memory.images)
    (file,) = (tmp_path / "generated").iterdir()
    written = file.stat().st_mtime_ns
    np.testing.assert_array_equal(source.load().images, in_memory.images)
    assert file.stat().st_mtime_ns == written
    assert not np.array_equal(replace(source, seed=1).load().images, in_memory.images)
    assert len(list((tmp_path / "generated").iterdir())) == 2


def test_a_full_disk_or_unusable_folder_is_one_sentence_and_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(_generated, "IN_MEMORY", 10_000)
    (tmp_path / "file").touch()
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"should be a folder that can be written, got Not a directory.*VAELAB_CACHE"):
        SMALL["cells_synthetic"].load()
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 100))
    with pytest.raises(InputError, match=r"should have 1 MB free for the images, got 0 MB.*Ask for fewer"):
        SMALL["cells_synthetic"].load()
    assert not list((tmp_path / "generated").iterdir())


def test_an_interrupted_rendering_leaves_no_file(monkeypatch, tmp_path):
    monkeypatch.setattr(_generated, "IN_MEMORY", 10_000)
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path))

    def render(rows: slice) -> np.ndarray:
        if rows.start:
            raise KeyboardInterrupt
        return np.zeros((rows.stop, 1, 32, 32), np.uint8)

    with pytest.raises(KeyboardInterrupt):
        _generated.render_in_blocks(SMALL["rosettes"], render, (300, 1, 32, 32))
    assert not list((tmp_path / "generated").iterdir())


def test_digits_can_be_undone_exactly():
    digits = DigitsSource().load()
    levels, labels = load_digits(return_X_y=True)
    np.testing.assert_array_equal(np.rint(digits.images.reshape(-1, 64) * (16 / 255)), levels)
    np.testing.assert_array_equal(digits.table["label"], labels)
    assert digits.images.dtype == np.uint8
    assert (digits.images.min(), digits.images.max()) == (0, 255)
