"""Films of ways: their colours and frames."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from vaelab.errors import InputError
from vaelab.explorer.ways import composed, film

IMAGES = np.random.default_rng(0).uniform(0, 300, (4, 2, 5, 6)).astype(np.float32)


def test_each_channel_has_its_colour_and_the_brighter_one_wins():
    found = composed(IMAGES, "0_1~ff8000~0~255_1~0040ff~100~200")
    first, second = np.clip(IMAGES[:, 0] / 255, 0, 1), np.clip((IMAGES[:, 1] - 100) / 100, 0, 1)
    green = np.maximum(np.rint(first * 128), np.rint(second * 64))
    np.testing.assert_array_equal(found, np.stack([np.rint(first * 255), green, np.rint(second * 255)], -1))
    off = composed(IMAGES, "1_1~ffffff~0~255_0~0040ff~100~200")
    np.testing.assert_array_equal(off[..., 0], np.rint(np.sqrt(first) * 255))


@pytest.mark.parametrize(
    "words", ["", "0", "0_1~ffffff~0~1", "2_1~ffffff~0~1_1~ffffff~0~1", "0_1~ffffff~a~1_1~ffffff~0~1"]
)
def test_odd_settings_are_refused(words):
    with pytest.raises(InputError, match="channels should be"):
        composed(IMAGES, words)


def test_a_film_goes_there_and_back():
    frames = np.zeros((4, 8, 12, 3), np.uint8)
    frames[np.arange(4), :, np.arange(4) * 3] = [250, 20, 90]
    with Image.open(io.BytesIO(film(frames))) as opened:
        assert opened.info["loop"] == 0
        shown = np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(opened)])
    times = shown.shape[1] // 8
    assert shown.shape == (6, 8 * times, 12 * times, 3)
    np.testing.assert_array_equal(shown[:, ::times, ::times], frames[[0, 1, 2, 3, 2, 1]])
