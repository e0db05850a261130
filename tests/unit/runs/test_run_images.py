"""A run's images: prepared once in a process, found again where they have moved to, refused where they are others."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from vaelab import evaluation, presets
from vaelab.data import Data, Split, dataset, open_source
from vaelab.data.sources.digits import DigitsSource
from vaelab.data.sources.npz import save_npz
from vaelab.errors import InputError
from vaelab.penalties.guidance import Guidance
from vaelab.report import write_report
from vaelab.runs import load, train
from vaelab.runs.guide import guide


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path_factory.mktemp("cache")))


def short(source=None):
    experiment = presets.digits()
    data = experiment.data if source is None else Data(source=source, split=Split(validation=4, test=4))
    return replace(experiment, data=data, training=replace(experiment.training, num_steps=3, num_epochs=1))


def pictures(folder):
    folder.mkdir(parents=True)
    for i in range(24):
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (8, 8)).astype(np.uint8)).save(folder / f"{i:02}.png")
    return folder


def test_images_are_loaded_and_hashed_once_in_a_process(tmp_path, monkeypatch):
    counts = {"load": 0, "hash": 0}

    def counted(name, function):
        def call(*args, **options):
            counts[name] += 1
            return function(*args, **options)

        return call

    monkeypatch.setattr(DigitsSource, "load", counted("load", DigitsSource.load))
    monkeypatch.setattr(dataset, "content_hash", counted("hash", dataset.content_hash))
    run = train(short(), tmp_path / "run", progress=False)
    rows = run.splits.test[:50]
    evaluation.evaluate(run.given(rows), run.feed.batches(rows), num_samples=2)
    write_report(run, num_samples=2)
    guided = guide(run, Guidance(rows=(3,), anchors=((0.0,) * 4,)), tmp_path / "guided", num_steps=2, progress=False)
    assert len(guided.run.feed) == 1797
    assert counts == {"load": 1, "hash": 1}
    again = load(run.folder)
    assert counts["load"] == 1
    assert replace(again, model=run.model).feed is not None
    assert again.at_stage(None).dataset is again.dataset
    assert counts == {"load": 2, "hash": 2}


def table_beside(place):
    pictures(place / "images")
    pd.DataFrame({"file": [f"{i:02}.png" for i in range(24)], "dose": range(24)}).to_csv(
        place / "doses.csv", index=False
    )
    return place / "images", {"labels": str(place / "doses.csv")}


def table_inside(place):
    pictures(place / "images")
    table = pd.DataFrame({"file": [f"{i:02}.png" for i in range(24)], "dose": range(24)})
    table.to_csv(place / "images" / "doses.csv", index=False)
    return place / "images", {"labels": str(place / "images" / "doses.csv")}


def table_of_paths(place):
    pictures(place / "images")
    table = pd.DataFrame({"path": [f"{i:02}.png" for i in range(24)], "dose": range(24)})
    table.to_csv(place / "t.csv", index=False)
    return place / "t.csv", {"root": str(place / "images")}


def plain_folder(place):
    return pictures(place / "images"), {"size": (8, 8)}


def archive(place):
    save_npz(open_source(pictures(place / "images")).load(), place / "a.npz")
    return place / "a.npz", {}


def array(place):
    place.mkdir(parents=True)
    np.save(place / "a.npy", np.random.default_rng(0).integers(0, 256, (24, 8, 8)).astype(np.uint8))
    return place / "a.npy", {}


@pytest.mark.parametrize("write", [table_beside, table_inside, table_of_paths, plain_folder, archive, array])
def test_a_run_whose_images_moved_says_where_it_looked_and_is_pointed_to_them(write, tmp_path):
    path, options = write(tmp_path / "old")
    run = train(short(open_source(path, **options)), tmp_path / "run", progress=False)
    kept = run.dataset
    shutil.move(tmp_path / "old", tmp_path / "new" / "deeper")
    with pytest.raises(InputError) as refused:
        load(run.folder).feed  # noqa: B018
    assert f"got {str(path)!r}, which does not exist" in str(refused.value)
    assert "point to them with --images PATH, in Python load(run, images=PATH)." in str(refused.value)
    there = tmp_path / "new" / "deeper" / Path(path).relative_to(tmp_path / "old")
    for images in (there, str(there), kept.collection, open_source(there, **_gone_along(options, tmp_path))):
        found = load(run.folder, images=images).dataset
        assert found.content_hash == kept.content_hash
        pd.testing.assert_frame_equal(found.collection.table, kept.collection.table)
    with pytest.raises(InputError, match=r"^the path of the images should be .*, got '/nowhere', which does not exist"):
        load(run.folder, images="/nowhere").feed  # noqa: B018


def _gone_along(options, folder):
    return {
        name: value.replace(str(folder / "old"), str(folder / "new/deeper")) if isinstance(value, str) else value
        for name, value in options.items()
    }


def test_a_collection_kept_as_another_kind_of_file_is_opened_too(tmp_path):
    run = train(short(open_source(pictures(tmp_path / "images"))), tmp_path / "run", progress=False)
    save_npz(run.dataset.collection, tmp_path / "a.npz")
    assert load(run.folder, images=tmp_path / "a.npz").dataset.content_hash == run.facts.content_hash
    run = train(short(), tmp_path / "digits", progress=False)
    save_npz(run.dataset.collection, tmp_path / "b.npz")
    assert load(run.folder, images=tmp_path / "b.npz").dataset.content_hash == run.facts.content_hash


def test_other_images_are_refused_by_their_hash(tmp_path):
    run = train(short(open_source(pictures(tmp_path / "images"))), tmp_path / "run", progress=False)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "images" / "03.png")
    with pytest.raises(InputError, match=r"^the images should be those of the run .* point to them with --images PATH"):
        load(run.folder).feed  # noqa: B018
