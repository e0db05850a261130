"""The order of a pass: every image once, chunks stay together in the buffer, and a run keeps what was measured."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

import vaelab
from vaelab.data import open_source, order
from vaelab.data.order import measured_order, pass_order
from vaelab.data.packing import pack
from vaelab.data.stored import ArrayImages
from vaelab.runs import resume


@given(count=st.integers(0, 300), size=st.integers(1, 40), seed=st.integers(0, 9), epoch=st.integers(0, 3))
def test_chunks_hold_every_row_once_and_only_so_many_chunks_are_open(count, size, seed, epoch):
    rows = np.flatnonzero(np.random.default_rng(count).random(2 * count) < 0.7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(order, "BUFFER_CHUNKS", 3)
        found = pass_order(rows, seed, epoch, "chunks", order.CHUNK_BYTES // size)
        again = pass_order(rows, seed, epoch, "chunks", order.CHUNK_BYTES // size)
    np.testing.assert_array_equal(found, again)
    np.testing.assert_array_equal(np.sort(found), rows)
    size = order.CHUNK_BYTES // (order.CHUNK_BYTES // size)
    chunk = np.searchsorted(rows, found) // size
    first, last = ({c: i for i, c in pairs} for pairs in (reversed([*enumerate(chunk)]), enumerate(chunk)))
    open_at = [sum(first[c] <= i <= last[c] for c in first) for i in range(len(found))]
    assert max(open_at, default=0) <= 3


def test_exact_is_a_permutation_by_seed_and_pass():
    rows = np.arange(0, 200, 2)
    wanted = rows[np.random.default_rng([3, 1]).permutation(100)]
    np.testing.assert_array_equal(pass_order(rows, 3, 1), wanted)
    orders = [
        pass_order(rows, seed, epoch, how, 1 << 20)
        for seed in (0, 1)
        for epoch in (0, 1)
        for how in ("exact", "chunks")
    ]
    assert len({tuple(found.tolist()) for found in orders}) == len(orders)


def test_shuffled_chunks_leave_few_neighbours_together():
    found = pass_order(np.arange(10_000), 0, 0, "chunks", order.CHUNK_BYTES // 50)
    assert (np.abs(np.diff(found)) == 1).mean() < 0.02
    assert np.abs(np.corrcoef(found, np.arange(10_000))[0, 1]) < 0.2


class Disk:
    """Images on a disk where whoever doesn't read on has to wait."""

    def __init__(self, images, wait):
        self.images, self.wait, self.shape, self.dtype = ArrayImages(images), wait, images.shape, images.dtype

    def __len__(self):
        return len(self.images)

    def take(self, rows, out):
        time.sleep(self.wait * (1 + np.count_nonzero(np.diff(rows) != 1)))
        self.images.take(rows, out)


@pytest.mark.parametrize(
    ("wait", "free", "wanted"), [(0.003, 0, "chunks"), (0.0, 0, "exact"), (0.003, 1 << 40, "exact")]
)
def test_a_slow_disk_is_read_in_chunks_where_the_memory_will_not_hold_it(monkeypatch, wait, free, wanted):
    monkeypatch.setattr(order, "free_memory", lambda: free)
    images, rows = np.zeros((5000, 1, 4, 4), np.uint8), np.arange(5000)
    found, why = measured_order(Disk(images, wait), rows)
    assert found == wanted
    assert bool(why) == (free == 0)
    if wanted == "chunks":
        assert why.startswith("images are read in chunks that are shuffled together, as one at random takes 3")
    assert measured_order(images, rows) == ("exact", ""), "an array in memory is not timed"


def test_a_run_records_its_order_and_resumes_in_it(tmp_path, monkeypatch):
    pack(vaelab.presets.digits().data.source.load(), tmp_path / "s")
    base = vaelab.presets.digits()
    training = replace(base.training, num_steps=40, schedule="constant")  # over a pass
    machine = replace(base.machine, tune=False)
    data = replace(base.data, source=open_source(tmp_path / "s"))
    base = replace(base, training=training, machine=machine, data=data)
    values = {"free_memory": lambda: 0, "SLOW_S": 0.0, "TIMES": 0.0, "CHUNK_BYTES": 64, "BUFFER_CHUNKS": 9}
    for name, value in values.items():
        monkeypatch.setattr(order, name, value)
    whole = vaelab.train(base, tmp_path / "whole", progress=False)
    short = replace(base, training=replace(training, num_steps=25))
    vaelab.train(short, tmp_path / "short", progress=False)
    monkeypatch.setattr(order, "SLOW_S", 9.0)
    resumed = resume(tmp_path / "short", training=training, progress=False)
    exact = vaelab.train(base, tmp_path / "exact", progress=False)
    said = [json.loads((run.folder / "environment.json").read_text()) for run in (whole, resumed, exact)]
    assert [each["choices"]["order"] for each in said] == ["chunks", "chunks", "exact"]
    assert all("as one at random takes" in each["order"] for each in said)
    lasts = [load_file(run.folder / "checkpoints" / "last.safetensors") for run in (whole, resumed, exact)]
    weights = [name for name in lasts[0] if name.startswith("model")]
    assert all(torch.equal(lasts[0][name], lasts[1][name]) for name in weights)
    assert not all(torch.equal(lasts[0][name], lasts[2][name]) for name in weights)
    asked = replace(base, training=replace(training, order="chunks"))
    assert asked.hash != base.hash == replace(base, training=replace(training, order="auto")).hash
