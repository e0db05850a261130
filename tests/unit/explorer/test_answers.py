"""What the explorer computes: neighbours and density, columns, maps, thumbnails, what takes long."""

from __future__ import annotations

import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from vaelab.data.stored import mapping_of
from vaelab.explorer import density, view
from vaelab.explorer.columns import column_of
from vaelab.explorer.density import MOST_SAMPLED, NUM_NEIGHBOURS, Neighbours
from vaelab.explorer.jobs import Jobs
from vaelab.explorer.maps import principal
from vaelab.explorer.thumbnails import small
from vaelab.inference import Embedding

CODES = np.random.default_rng(0).normal(size=(700, 5)).astype(np.float32)


def sparsity(near, z):
    return near.sparsity(near.nearest(z, NUM_NEIGHBOURS + 1)[1])


@pytest.mark.parametrize("together", [1, 64, 700, 1 << 14])
@pytest.mark.parametrize("away", [0.0, 100.0])
def test_neighbours_are_those_of_scikit_learn(together, away, monkeypatch):
    monkeypatch.setattr(density, "_PASS", together)
    codes = CODES + np.float32(away)
    near, theirs = Neighbours(codes), NearestNeighbors(n_neighbors=8).fit(codes.astype(np.float64))
    for z in away + np.random.default_rng(1).normal(size=(20, 5)) * 2:
        places, distances = near.nearest(z, 8)
        expected, rows = theirs.kneighbors(z[None])
        np.testing.assert_array_equal(places, rows[0])
        np.testing.assert_allclose(distances, expected[0], rtol=1e-5)


def test_the_yardstick_is_the_distance_to_the_tenth_other_image():
    expected = NearestNeighbors(n_neighbors=NUM_NEIGHBOURS + 1).fit(CODES).kneighbors(CODES)[0][:, -1]
    np.testing.assert_allclose(Neighbours(CODES).typical, np.sort(expected), rtol=1e-3, atol=1e-3)
    assert len(Neighbours(np.tile(CODES, (4, 1))).typical) == MOST_SAMPLED


def test_an_image_lies_as_sparse_as_it_does_among_the_others():
    near, typical = Neighbours(CODES), np.sort(Neighbours(CODES).typical)
    shares = [sparsity(near, z.astype(np.float64)).share for z in CODES[:50]]
    expected = NearestNeighbors(n_neighbors=NUM_NEIGHBOURS + 1).fit(CODES).kneighbors(CODES[:50])[0][:, -1]
    np.testing.assert_allclose(shares, [(typical >= d).mean() for d in expected], atol=0.005)


def test_far_from_all_images_there_are_no_data():
    far = sparsity(Neighbours(CODES), np.full(5, 40.0))
    assert far.share == 0
    assert far.ratio > 10
    assert sparsity(Neighbours(CODES), np.zeros(5)).share > 0.9


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_images_have_as_many_neighbours_as_there_are(count):
    near = Neighbours(CODES[:count])
    assert len(near.nearest(np.zeros(5), 8)[0]) == count
    assert 0 <= sparsity(near, np.zeros(5)).share <= 1


def test_principal_components_are_those_of_scikit_learn_up_to_their_sign():
    codes = CODES * np.array([3, 1, 5, 1, 1], np.float32)
    plane, theirs = principal(codes), PCA(2).fit(codes)
    signs = np.sign((plane.directions * theirs.components_).sum(1))
    np.testing.assert_allclose(plane.directions * signs[:, None], theirs.components_, atol=1e-4)
    np.testing.assert_allclose(plane.points * signs, theirs.transform(codes), atol=1e-3)
    np.testing.assert_allclose(plane.shares, theirs.explained_variance_ratio_, rtol=1e-4)


@pytest.mark.parametrize("codes", [np.zeros((4, 3)), np.arange(4.0)[:, None], CODES[:1]])
def test_codes_without_two_directions_still_have_a_map(codes):
    plane = principal(codes)
    assert plane.points.shape == (len(codes), 2)
    assert np.isfinite(plane.points).all()
    assert plane.directions.shape == (2, codes.shape[1])


def test_columns_are_numbers_kinds_or_text():
    many = pd.Series(np.linspace(0, 1, 50))
    assert column_of(many).kind == "numbers"
    assert column_of(pd.Series([0.1, 0.3, 0.1, np.nan], dtype=np.float32)).names == ("0.1", "0.3")
    assert column_of(pd.Series([1, 2, 1])).names == ("1", "2")
    assert column_of(pd.Series([True, False, True])).names == ("True", "False")
    assert column_of(pd.Series([f"image {i}" for i in range(30)])).kind == "text"
    assert column_of(pd.Series([f"kind {i % 400}" for i in range(4000)])).kind == "categories"
    missing = column_of(pd.Series([*range(30), None], dtype="Int64"))
    assert missing.kind == "numbers"
    assert np.isnan(missing.values[-1])


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_thumbnails_keep_the_type_and_the_mean(kind):
    images = (np.random.default_rng(0).uniform(0, 200, (2, 3, 64, 96))).astype(kind)
    made = small(images)
    assert made.dtype == kind
    assert made.shape == (2, 3, 22, 32)
    np.testing.assert_allclose(
        made[:, :, 0, 0], images[:, :, :3, :3].mean((2, 3)), atol=0.5 if kind != np.float32 else 1e-3
    )


def test_what_takes_long_is_computed_once_while_others_come_again():
    jobs, go, times = Jobs(), threading.Event(), []

    def slow():
        times.append(1)
        go.wait(5)
        return 7

    assert jobs.get("a", slow, 0.01) == (False, None)
    go.set()
    assert jobs.get("a", slow, 5) == (True, 7)
    assert len(times) == 1
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            jobs.get("b", lambda: 1 // 0, 5)
    assert jobs.get("b", lambda: 8, 5) == (True, 8)
    jobs.close()


def test_distances_of_many_images_are_not_all_kept():
    codes = np.random.default_rng(0).normal(size=(20_000, 4)).astype(np.float32)
    near = Neighbours(codes)
    tracemalloc.start()
    far = near.typical
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1e5
    assert most < 2e6
    own = np.sort(np.sqrt(np.square(codes[0].astype(float) - codes).sum(1)))[10]
    assert far.min() <= own <= far.max()
    assert np.isclose(far, own).any()


def test_many_codes_lie_in_a_file_without_a_name_and_few_in_memory(tmp_path, monkeypatch):
    codes = Embedding(loc=CODES, scale=np.exp(CODES))
    assert view.mapped(codes, tmp_path) is codes
    monkeypatch.setattr(view, "_MANY", 1)
    found = view.mapped(codes, tmp_path)
    assert mapping_of(found.loc) is not None
    np.testing.assert_array_equal(found.loc, codes.loc)
    np.testing.assert_array_equal(found.scale, codes.scale)
    assert not list(tmp_path.iterdir())
    assert view.mapped(codes, tmp_path / "nowhere") is codes


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc alone can be told")
def test_a_server_gives_back_what_an_answer_took():
    """A block of 24 MB is freed, which glibc would then keep; one as large stands before and after it."""
    code = """
import numpy as np, sys
from pathlib import Path
from vaelab.machine import give_back_memory

def held():
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if "RssAnon" in line]
    return int(line.split()[1])

if sys.argv[1] == "give back":
    assert give_back_memory()
np.ones(30 << 20, np.uint8)  # glibc keeps blocks as large from now on
before = held()
blocks = [np.ones(24 << 20, np.uint8) for _ in range(3)]
last = np.ones(1 << 20, np.uint8)
del blocks
print((held() - before) / 1024)
"""
    kept = [
        float(subprocess.run([sys.executable, "-c", code, how], capture_output=True, text=True, check=True).stdout)
        for how in ("keep", "give back")
    ]
    assert kept[0] > 40 > 5 > kept[1]
