"""Rows are read once, at the door: numbers, masks, slices and names; everything else is refused in a sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaelab.data import Scaling
from vaelab.data.feed import Feed
from vaelab.data.rows import row_numbers
from vaelab.errors import InputError

IMAGES = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 2, 2), np.uint8)
PARTS = {"test": np.array([1, 4])}


@given(mask=st.lists(st.booleans(), min_size=1, max_size=9))
def test_a_mask_is_the_rows_where_it_is_true_whatever_holds_it(mask):
    expected = [row for row, meant in enumerate(mask) if meant]
    for held in (mask, np.array(mask), np.array(mask, object), pd.Series(mask), pd.Series(mask, dtype="boolean")):
        assert row_numbers(held, len(mask)).tolist() == expected


@given(rows=st.lists(st.integers(0, 8), max_size=9))
def test_numbers_are_taken_in_their_order_whatever_holds_them(rows):
    for held in (rows, np.array(rows, np.int32), np.array(rows, np.uint8), pd.Series(rows, dtype=int)):
        found = row_numbers(held, 9)
        assert found.dtype == np.int64
        assert found.tolist() == rows


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([0, 6], "rows of images should be from 0 to 5, got 6"),
        (np.array([-1]), "rows of images should be from 0 to 5, got -1"),
        ([True, False], "a mask of images should have 6 values, one for each image, got 2"),
        ([0.0, 1.0], "rows of images should be whole numbers, a mask or a slice, got float64 values"),
        (np.zeros((2, 2), int), "rows of images should be .*, got an array of shape"),
        (pd.Series([True, None, False, True, True, True], dtype="boolean"), "rows of images should be .*object values"),
        (["a"], "rows of images should be whole numbers"),
        ("tset", "rows of images should be a known name, got 'tset'.*did you mean test"),
    ],
)
def test_what_is_neither_is_refused(rows, sentence):
    with pytest.raises(InputError, match=sentence):
        Feed(IMAGES, Scaling().fit(IMAGES, np.arange(6)), parts=PARTS)(rows)


def test_a_feed_gives_the_images_that_are_meant():
    feed = Feed(IMAGES, Scaling().fit(IMAGES, np.arange(6)), parts=PARTS)
    label = pd.Series([3, 1, 3, 0, 3, 1])
    for rows, expected in (
        (label == 3, [0, 2, 4]),
        (slice(None, None, 2), [0, 2, 4]),
        ("test", [1, 4]),
        ([5, 0], [5, 0]),
    ):
        assert (feed(rows)[:, 0, 0, 0] * 255).round().tolist() == expected
        assert torch.cat(list(feed.batches(rows, batch_size=2))).shape[0] == len(expected)
    assert len(torch.cat(list(feed.batches()))) == 6
    assert repr(feed) == "<Feed: 6 images of 1 x 2 x 2, uint8 as stored, 2 test>"
