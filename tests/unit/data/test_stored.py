"""Stored images behind one protocol: several shards read, fed, hashed and trained on as one array is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaelab import presets
from vaelab.data import Scaling, StoredImages, content_hash, prepare
from vaelab.data import stored as stored_module
from vaelab.data.dataset import WHOLE_BYTES
from vaelab.data.feed import Feed
from vaelab.data.sources.npz import NpzSource, save_npz
from vaelab.data.stored import ArrayImages, SelectedImages, blocks, num_bytes, read, stored
from vaelab.runs import train


class Shards:
    """Several arrays, one after another."""

    def __init__(self, *arrays):
        self.arrays, self.ends = arrays, np.cumsum([len(array) for array in arrays])
        self.shape, self.dtype = (int(self.ends[-1]), *arrays[0].shape[1:]), arrays[0].dtype

    def __len__(self):
        return self.shape[0]

    def take(self, rows, out):
        for i, row in enumerate(rows):
            shard = int(np.searchsorted(self.ends, row, side="right"))
            out[i] = self.arrays[shard][row - self.ends[shard]]


def split_in_two(images):
    return Shards(images[: len(images) // 3], images[len(images) // 3 :])


def some(kind=np.uint8, count=50):
    return np.random.default_rng(0).integers(0, 200, (count, 2, 8, 6)).astype(kind)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("resident", [False, True])
@pytest.mark.parametrize("binarize", ["no", "threshold", "dynamic"])
def test_shards_feed_what_one_array_feeds(kind, resident, binarize):
    images, rows = some(kind), np.array([49, 0, 16, 17, 17, 3])
    intensity = Scaling(range="min_max").fit(images, np.arange(40))
    fed = []
    for kept in (images, split_in_two(images)):
        torch.manual_seed(0)
        fed.append(Feed(kept, intensity, binarize, resident=resident)(rows))
    assert torch.equal(*fed)
    if binarize == "no":
        np.testing.assert_array_equal(fed[0].numpy(), intensity.apply(images[rows]))


@pytest.mark.parametrize("binarize", ["no", "threshold", "dynamic"])
def test_a_part_of_a_batch_is_fed_as_in_the_whole(binarize):
    images, rows = some(), np.array([49, 0, 16, 17, 17, 3])
    feed = Feed(images, Scaling().fit(images, np.arange(40)), binarize)
    fed = []
    for own in (None, slice(2, 5), slice(0, 0)):
        torch.manual_seed(0)
        fed.append((feed(rows, own), torch.rand(1)))
    assert torch.equal(fed[1][0], fed[0][0][2:5])
    assert len(fed[2][0]) == 0
    assert fed[0][1] == fed[1][1] == fed[2][1], "as much is drawn"


@pytest.mark.parametrize("of_range", ["type", "min_max", "percentile"])
def test_shards_are_scaled_and_hashed_like_one_array(of_range, monkeypatch):
    monkeypatch.setattr(stored_module, "CHUNK_BYTES", 700)
    images = some() if of_range == "type" else some(np.float32)
    rows = np.arange(0, 50, 3)
    assert Scaling(range=of_range).fit(split_in_two(images), rows) == Scaling(range=of_range).fit(images, rows)


def test_shards_train_and_hash_like_one_array(tmp_path):
    experiment = presets.digits()
    experiment = replace(experiment, training=replace(experiment.training, num_steps=20))
    whole = prepare(experiment.data)
    collection = replace(whole.collection, images=split_in_two(whole.collection.images))
    assert isinstance(collection.images, StoredImages)
    assert content_hash(collection) == content_hash(whole.collection)
    np.testing.assert_array_equal(collection.take(np.array([5, 1700])).images, whole.collection.images[[5, 1700]])
    runs = [
        train(experiment, tmp_path / name, dataset=dataset, progress=False)
        for name, dataset in (("whole", whole), ("shards", replace(whole, collection=collection)))
    ]
    states = [run.model.state_dict() for run in runs]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    save_npz(collection, tmp_path / "saved.npz")
    np.testing.assert_array_equal(NpzSource(path=str(tmp_path / "saved.npz")).load().images, whole.collection.images)


@given(count=st.integers(1, 30), chunk=st.integers(1, 3000), turned=st.booleans(), all_rows=st.booleans())
def test_blocks_hold_every_row_once_in_order(count, chunk, turned, all_rows):
    images = np.moveaxis(some(count=count), 1, -1).copy() if turned else some(count=count)
    images = np.moveaxis(images, -1, 1) if turned else images
    rows = None if all_rows else np.arange(count)[::-2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_module, "CHUNK_BYTES", chunk)
        found = [(start, block.copy()) for start, block in blocks(images, rows)]
    np.testing.assert_array_equal(np.concatenate([block for _, block in found]), images if all_rows else images[rows])
    assert [start for start, _ in found] == np.cumsum([0, *(len(block) for _, block in found)])[:-1].tolist()
    assert all(block.nbytes <= max(chunk, num_bytes(images[:1])) for _, block in found)


def test_an_array_in_another_order_is_not_copied_whole():
    turned = np.moveaxis(
        np.lib.stride_tricks.as_strided(np.zeros(192, np.uint8), (WHOLE_BYTES, 8, 8, 3), (0, 24, 3, 1)), -1, 1
    )
    assert num_bytes(turned) > 100e9
    assert read(turned, np.array([0, WHOLE_BYTES - 1])).shape == (2, 3, 8, 8)


def test_pages_of_a_mapped_file_are_let_go(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", some())
    mapped = stored(np.load(tmp_path / "a.npy", mmap_mode="r"))
    assert isinstance(mapped, ArrayImages)
    calls = []

    class Mapping:
        def madvise(self, advice):
            calls.append(advice)

    assert mapped._mapping is not None
    mapped._mapping = Mapping()  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setattr(stored_module, "_RELEASE_BYTES", 1 << 20)
    for _ in range(5):
        read(mapped, np.arange(10))
    assert len(calls) == 2
    assert stored(some())._mapping is None  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("rows", [None, np.array([7, 0, 3])])
@pytest.mark.parametrize("channels", [None, [1, 0]])
def test_selected_images_are_those_of_the_array(rows, channels):
    images = some()
    chosen = SelectedImages(images, rows, channels)
    wanted = images if rows is None else images[rows]
    wanted = wanted if channels is None else wanted[:, channels]
    assert (chosen.shape, len(chosen)) == (wanted.shape, len(wanted))
    np.testing.assert_array_equal(read(chosen, np.array([2, 0, 2])), wanted[[2, 0, 2]])
