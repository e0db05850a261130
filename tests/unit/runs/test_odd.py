"""Odd images are found, each compared with those of its class and with the codes of training images."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from vaelab import presets
from vaelab.cli import main
from vaelab.cli.odd import _table
from vaelab.data import Data, ImageCollection, Split
from vaelab.data.sources.folder import FolderSource
from vaelab.errors import InputError
from vaelab.evaluation import evaluate
from vaelab.inference import embed
from vaelab.metrics.fit import fit
from vaelab.runs import load, train
from vaelab.runs.odd import find_odd

KINDS = ("bar", "dot")


def drawn(kind: str, random: np.random.Generator) -> np.ndarray:
    """An 8x8 image: a bar or a dot somewhere."""
    image, (row, column) = random.integers(0, 20, (8, 8)).astype(np.uint8), random.integers(1, 6, 2)
    if kind == "bar":
        image[:, column] = 220
    else:
        image[row : row + 2, column : column + 2] = 220
    return image


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """120 images in folders of their kinds."""
    place, random = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    for kind in KINDS:
        (place / kind).mkdir()
        for i in range(60):
            Image.fromarray(drawn(kind, random)).save(place / kind / f"{kind}{i:02d}.png")
    return place


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAELAB_CACHE", str(place / "cache"))
        base = presets.digits()
        data = Data(source=FolderSource(path=str(folder)), split=Split(validation=15, test=15))
        training = replace(base.training, num_steps=150, num_epochs=100)
        train(replace(base, data=data, training=training), place / "run", progress=False)
    return load(place / "run")


def test_distances_are_the_brute_force_ones(run):
    odd = find_odd(run)
    codes, train_rows = embed(run).loc.astype(np.float64), run.splits.train

    def mean_of_ten(row: int) -> float:
        others = train_rows[train_rows != row]
        return float(np.sort(np.linalg.norm(codes[others] - codes[row], axis=1))[:10].mean())

    usual = np.median([mean_of_ten(row) for row in train_rows])
    expected = [mean_of_ten(row) / usual for row in range(len(codes))]
    np.testing.assert_allclose(odd.distances, expected, rtol=1e-4)
    for row in range(0, 120, 7):
        others = train_rows[train_rows != row]
        assert odd.nearest[row] == others[np.linalg.norm(codes[others] - codes[row], axis=1).argmin()]
    assert odd.by_distance[0] == np.argmax(expected)


def test_fits_are_within_the_class_and_of_a_small_class_among_all(run):
    table = run.dataset.collection.table
    distortions = evaluate(run, slice(None), metrics=["distortion"], num_samples=16).arrays["distortions"]
    by_kind = find_odd(run, label="label").fits
    for kind in KINDS:
        here = (table["label"] == kind).to_numpy()
        np.testing.assert_allclose(by_kind[here], fit.values(distortions[here]), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(find_odd(run).fits, fit.values(distortions), rtol=1e-5, atol=1e-5)
    rare = replace(run.dataset.collection, table=table.assign(kind=["rare"] * 9 + ["usual"] * 111))
    few = find_odd(run, rare, label="kind").fits
    np.testing.assert_allclose(few[:9], fit.values(distortions)[:9], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(few[9:], fit.values(distortions[9:]), rtol=1e-5, atol=1e-5)


def test_a_planted_stranger_comes_first_both_ways(run):
    random = np.random.default_rng(1)
    images = np.stack([drawn(kind, random) for kind in KINDS * 15])
    images[7] = np.where(np.indices((8, 8)).sum(0) % 2, 255, 0)
    images[20, :, :] = 255
    odd = find_odd(run, ImageCollection(images=images[:, None], table=pd.DataFrame(index=range(30))))
    assert {7, 20} == set(odd.by_fit[:2].tolist())
    assert {7, 20} & set(odd.by_distance[:2].tolist())
    assert odd.distances[odd.by_distance[0]] > 2


def test_bad_questions_get_a_sentence(run):
    with pytest.raises(InputError, match="label should be a known name, got 'kind'"):
        find_odd(run, label="kind")
    with pytest.raises(InputError, match="the images should be at least one, got 0"):
        find_odd(run, rows=[])


def test_without_training_images_distances_are_left_out_and_it_is_said(run, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path / "cache"))
    random = np.random.default_rng(2)
    np.save(tmp_path / "new.npy", np.stack([drawn("dot", random) for _ in range(12)]))
    folder = Path(run.experiment.data.source.path)
    moved = folder.rename(folder.with_name("moved"))
    try:
        assert (
            main(["odd", str(run.folder), str(tmp_path / "new.npy"), "-o", str(tmp_path / "odd.csv"), "--quiet"]) == 0
        )
    finally:
        moved.rename(folder)
    assert "distances of codes are left out" in capsys.readouterr().err
    table = pd.read_csv(tmp_path / "odd.csv")
    assert list(table.columns) == ["row", "fit", "rank_by_fit"]
    assert (table["rank_by_fit"] == range(1, 13)).all()


class Captions(HTMLParser):
    """The words below pictures."""

    def __init__(self):
        super().__init__()
        self.all, self.inside = [], False

    def handle_starttag(self, tag, attrs):
        self.inside = tag == "figcaption"

    def handle_data(self, data):
        if self.inside:
            self.all.append(data)

    def handle_endtag(self, tag):
        self.inside = False


def test_the_command_writes_a_table_and_a_gallery_with_names_and_classes(run, tmp_path, capsys):
    target = tmp_path / "strange.csv"
    assert main(["odd", str(run.folder), "--on", "all", "--show", "5", "-o", str(target)]) == 0
    said = capsys.readouterr()
    assert "classes are those of the column 'label'" in said.err
    assert "120 images" in said.out
    table = pd.read_csv(target)
    assert {"path", "label", "fit", "distance"} < set(table.columns)
    assert len(table) == 120
    ranks = table[["rank_by_fit", "rank_by_distance"]]
    assert ranks.min(axis=1).is_monotonic_increasing
    for name in ranks:
        assert sorted(ranks[name]) == list(range(1, 121))
    assert table.sort_values("rank_by_fit")["fit"].is_monotonic_increasing
    assert table.sort_values("rank_by_distance")["distance"].is_monotonic_decreasing
    page = Captions()
    page.feed(target.with_suffix(".html").read_text())
    assert len(page.all) == 10
    worst = table[table["rank_by_fit"] == 1].iloc[0]
    name = worst["path"].rpartition("/")[2]
    assert page.all[0].startswith(f"#{worst['row']}\n{name}\nlabel: {worst['label']}\nfit ")


def test_the_users_own_columns_are_kept(run, tmp_path):
    odd = find_odd(run)
    table = odd.images.table.assign(fit="mine", row=range(len(odd.rows)))
    notes = []
    found = _table(replace(odd, images=replace(odd.images, table=table)), notes)
    assert (found["fit"] == "mine").all()
    assert "vaelab_fit" in found
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--on", "all", "x.npy"], "--on should be left out with IMAGES"),
        (["--size", "8,8"], "--size should come with IMAGES"),
        (["-o", "odd.txt"], "--output should end in"),
        (["--label", "kind"], "--label should be"),
    ],
)
def test_bad_flags_get_a_sentence(run, flags, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["odd", str(run.folder), *flags]) == 2
    assert sentence in capsys.readouterr().err
