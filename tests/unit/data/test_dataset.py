"""Data prepared for a run, its hash, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import tifffile

from vaelab.data import Data, ImageCollection, Scaling, Source, Split, dataset, open_source, prepare
from vaelab.data.dataset import content_hash
from vaelab.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Given(Source):
    images: np.ndarray

    def load(self, *, strict: bool = False, progress: bool = False) -> ImageCollection:
        return ImageCollection(images=self.images, table=pd.DataFrame({"x": range(len(self.images))}))


def test_intensity_is_measured_on_training_images_only():
    images = np.random.default_rng(0).integers(10, 50, (40, 2, 8, 8)).astype(np.uint8)
    setting = Data(source=Given(images=images), scaling=Scaling(range="min_max"), split=Split(seed=3))
    rows = prepare(setting).splits
    images[rows.test] = 255
    images[rows.validation] = 0
    ready = prepare(setting)
    np.testing.assert_array_equal(ready.intensity.lo, images[rows.train].min((0, 2, 3)))
    np.testing.assert_array_equal(ready.intensity.hi, images[rows.train].max((0, 2, 3)))
    np.testing.assert_array_equal(ready.splits.train, rows.train)


def test_frames_and_copies_that_cross_parts_are_counted(tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (10, 20, 16, 16)).astype(np.uint8)
    for i, stack in enumerate(frames):
        metadata = {"axes": "TYX"}
        tifffile.imwrite(tmp_path / f"field{i}.tif", stack, imagej=True, metadata=metadata, photometric="minisblack")
    whole = prepare(Data(source=open_source(tmp_path)))
    fields = [set(whole.collection.table["path"].iloc[rows]) for rows in vars(whole.splits).values()]
    assert sum(map(len, fields)) == 10
    assert whole.crossing == ()
    divided = prepare(Data(source=open_source(tmp_path), split=Split(group=None)))
    assert [words.split(";")[0] for words in divided.crossing] == [
        "40 of 40 held-out images come from files of which other parts hold images too, and may be nearly the same as "
        "these"
    ]
    images = frames[0, :, None].copy()
    images[10:] = images[:10]
    copied = prepare(Data(source=Given(images=images), split=Split(validation=2, test=2)))
    rows = copied.splits
    marks = [image.tobytes() for image in images]
    train, before_test = ({marks[i] for i in part} for part in (rows.train, [*rows.train, *rows.validation]))
    count = sum(marks[i] in train for i in rows.validation) + sum(marks[i] in before_test for i in rows.test)
    assert count > 0
    assert copied.crossing == (f"{count} of 4 held-out images are exact copies of images in other parts",)


def test_masks_of_zero_and_one_would_be_black():
    images = (np.arange(40 * 64).reshape(40, 1, 8, 8) % 3 == 0).astype(np.uint8)
    with pytest.raises(InputError, match=r"0 and 1 only, which would be black. Set scaling.range to min_max"):
        prepare(Data(source=Given(images=images)))
    ready = prepare(Data(source=Given(images=images), scaling=Scaling(range="min_max")))
    assert set(np.unique(ready.intensity.apply(images))) == {0.0, 1.0}


def test_mnist_in_its_own_parts(shared_data):
    ready = prepare(Data(source=open_source(shared_data / "mnist"), split=Split(column="split", validation=10_000)))
    assert [len(rows) for rows in (ready.splits.train, ready.splits.validation, ready.splits.test)] == [
        50_000,
        10_000,
        10_000,
    ]
    assert ready.intensity.hi == (255,)


def test_nuclei_by_source_image_and_percentile(shared_data):
    source = open_source(shared_data / "dsb2018" / "dsb2018_nuclei64_fluo.npz")
    scaling = Scaling(range="percentile", square_root=True)
    ready = prepare(Data(source=source, scaling=scaling, split=Split(group="source_image")))
    images = ready.collection.images
    parts = [set(ready.collection.table["source_image"].iloc[rows]) for rows in vars(ready.splits).values()]
    assert sum(map(len, parts)) == ready.collection.table["source_image"].nunique()
    np.testing.assert_allclose(ready.intensity.hi, np.percentile(images[ready.splits.train], 99.9))
    assert ready.intensity.apply(images).mean() > 3 * images.mean() / 255


def test_cells_by_plate(shared_data):
    source = open_source(shared_data / "bbbc021" / "bbbc021_cells64.npz")
    ready = prepare(Data(source=source, split=Split(group="plate", validation=0.15, test=0.15)))
    plates = [set(ready.collection.table["plate"].iloc[rows]) for rows in vars(ready.splits).values()]
    assert sum(map(len, plates)) == 55
    for rows in (ready.splits.validation, ready.splits.test):  # half the cells lie on three of the plates
        assert len(rows) == pytest.approx(0.15 * 5942, rel=0.25)


def collection(count: int = 20) -> ImageCollection:
    images = np.random.default_rng(0).integers(0, 256, (count, 1, 8, 8)).astype(np.uint8)
    return ImageCollection(images=images, table=pd.DataFrame({"label": range(count)}))


def test_the_hash_sees_every_byte_and_not_where_they_lie():
    whole = collection()
    names = {content_hash(whole)}
    changed = whole.images.copy()
    changed[19, 0, 7, 7] ^= 1
    names.add(content_hash(replace(whole, images=changed)))
    names.add(content_hash(replace(whole, table=pd.DataFrame({"label": range(1, 21)}))))
    names.add(content_hash(replace(whole, channels=("DNA",))))
    names.add(content_hash(replace(whole, images=whole.images.reshape(20, 1, 4, 16))))
    names.add(content_hash(replace(whole, images=whole.images.view(np.int8).view(np.uint8)[::-1])))
    assert len(names) == 6
    turned = np.asfortranarray(whole.images)
    assert content_hash(replace(whole, images=turned)) == content_hash(whole)


def test_the_hash_of_a_large_collection_reads_pieces(monkeypatch):
    whole = collection(4000)
    monkeypatch.setattr(dataset, "WHOLE_BYTES", 64 * 100)
    monkeypatch.setattr(dataset, "BLOCK_BYTES", 64 * 10)
    name = content_hash(whole)
    assert name == content_hash(replace(whole, images=whole.images.copy()))
    for row, seen in ((0, True), (3999, True), (20, False)):
        images = whole.images.copy()
        images[row] ^= 1
        assert (content_hash(replace(whole, images=images)) != name) == seen
