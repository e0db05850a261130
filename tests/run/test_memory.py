"""Collections far larger than the memory."""

from __future__ import annotations

import pytest

from benchmarks.memory import peak_of_training, sparse_collection


@pytest.mark.slow
def test_training_on_20_gigabytes_stays_within_two(tmp_path):
    images = tmp_path / "large.npy"
    sparse_collection(images, 20e9)
    assert images.stat().st_size > 19e9
    assert peak_of_training(images, tmp_path, num_steps=150) < 2.0
