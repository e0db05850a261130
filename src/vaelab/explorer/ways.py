"""Ways between two places of latent space, straight or as short as can be by what happens to the image; as a film."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from vaelab import files
from vaelab.errors import InputError
from vaelab.explorer.view import NO_OTHER, Under, View
from vaelab.inference import Bending, geodesics
from vaelab.inference.decode import as_codes
from vaelab.runs.columns import checked_name

KINDS = ("straight", "geodesic")
MOST_STEPS = 16
_POINTS_EACH = 2
"""Points of a curve from one image to the next."""
_MOST_WORK = 1 << 26
"""Pixels times channels that the search for a curve may decode."""
FRAME_MS, HELD_MS = 140, 500
_SMALLEST = 192
"""Pixels of a film's longer side at least, by whole multiples of each pixel."""


def way(
    view: View, ends: np.ndarray, kind: str, num_steps: int, like: int | None = None, under: Under = NO_OTHER
) -> np.ndarray:
    """(step, latent) float32: codes along the way, both ends included, at even steps in the images or in the codes.

    Args:
        view: Whose model decides how images change.
        ends: (2, latent).
        kind: straight or geodesic; a geodesic is searched for with fewer steps where images are large.
        num_steps: Codes.
        like: The place of the image whose conditions the model is given; None: the first.
        under: What takes the place of some of these conditions.

    Raises:
        InputError: The kind is not known, or the model was not trained with such a condition.
    """
    if kind == "straight":
        weights = np.linspace(0, 1, num_steps)[:, None]
        return ((1 - weights) * ends[0] + weights * ends[1]).astype(np.float32)
    if kind != "geodesic":
        raise InputError("kind", f"be {' or '.join(KINDS)}", repr(kind)[:80])
    size = int(np.prod(view.run.facts.image_shape))
    steps = max(20, min(200, _MOST_WORK // (size * (Bending().num_pieces + 1))))
    z, z_other = as_codes(view.model, ends).split(1)
    how, num_points = Bending(num_steps=steps), _POINTS_EACH * (num_steps - 1) + 1
    found = geodesics(view.given([like or 0], under), z, z_other, how, num_points=num_points)
    return found.points[0, ::_POINTS_EACH].astype(np.float32)


def keep_way(view: View, name: str, kind: str, ends: np.ndarray, words: Sequence[str]) -> None:
    """Writes a way into RUN/ways/NAME.json: its kind, its two codes and of which stage they are, and what in words.

    Raises:
        InputError: The kind is not known, or the name is none or taken.
    """
    folder = view.run.folder / "ways"
    if kind not in KINDS or len(ends) != 2:
        raise InputError("a way", f"be {' or '.join(KINDS)} and have two ends", f"{kind!r} and {len(ends)}"[:80])
    checked_name(name, [path.stem for path in folder.glob("*.json")])
    kept = {"stage": view.stage, "kind": kind, "ends": ends.tolist(), "words": [word[:100] for word in words]}
    files.check_folder(folder)
    files.write(folder / f"{name}.json", json.dumps(kept))


def kept_ways(view: View) -> list[dict[str, Any]]:
    """Those that are kept with the run and are of this stage of its model, by name."""
    found = []
    for path in sorted((view.run.folder / "ways").glob("*.json")):
        try:
            kept = files.read_json(path)
            ends, words = np.array(kept["ends"], np.float32), [str(word) for word in kept["words"]]
        except (InputError, OSError, KeyError, TypeError, ValueError):
            continue  # somebody else's file
        if kept.get("stage", "") != view.stage:
            continue
        if kept.get("kind") in KINDS and ends.shape == (2, view.latent_dim) and np.isfinite(ends).all():
            found.append({"name": path.stem, "kind": kept["kind"], "ends": ends.tolist(), "words": words})
    return found


def film(frames: np.ndarray) -> bytes:
    """A GIF that goes there and back again, for ever; its colours are the 256 that suit all frames best.

    Args:
        frames: (step, height, width, 3) uint8.
    """
    times = max(1, -(-_SMALLEST // max(frames.shape[1:3])))
    large = frames.repeat(times, 1).repeat(times, 2)
    strip = Image.fromarray(np.concatenate(list(large), axis=1)).quantize(256, dither=Image.Dither.NONE)
    width = large.shape[2]
    tiles = [strip.crop((i * width, 0, (i + 1) * width, large.shape[1])) for i in range(len(large))]
    there_and_back = [*tiles, *tiles[-2:0:-1]]
    durations = [HELD_MS if i in (0, len(tiles) - 1) else FRAME_MS for i in range(len(there_and_back))]
    content = io.BytesIO()
    there_and_back[0].save(
        content, "GIF", save_all=True, append_images=there_and_back[1:], duration=durations, loop=0, optimize=False
    )
    return content.getvalue()


def composed(images: np.ndarray, settings: str) -> np.ndarray:
    """(image, height, width, 3) uint8: images in stored units as the page draws them, by its channels' settings.

    Args:
        images: (image, channel, height, width).
        settings: As they stand in the page's address: ``0_1~527aff~0~255_...``, whether a root is taken, then for each
            channel whether it is on, its colour, and the values that are black and full.

    Raises:
        InputError: They are no such settings.
    """
    root, *channels = settings[:4000].split("_")
    found = np.zeros((len(images), *images.shape[2:], 3), np.uint8)
    if len(channels) != images.shape[1] or root not in ("0", "1"):
        raise InputError("channels", f"be settings of {images.shape[1]} channels", repr(settings)[:80])
    for c, words in enumerate(channels):
        match = re.fullmatch(r"([01])~([0-9a-f]{6})~([^~]{1,30})~([^~]{1,30})", words)
        try:
            on, colour, lo, hi = (match[1] == "1", bytes.fromhex(match[2]), float(match[3]), float(match[4]))  # pyright: ignore[reportOptionalSubscript]
        except (TypeError, ValueError):
            raise InputError("channels", "be on~colour~black~full each", repr(words)[:80]) from None
        if on:
            share = np.clip((images[:, c] - lo) / ((hi - lo) or 1.0), 0, 1)
            share = np.sqrt(share) if root == "1" else share
            found = np.maximum(found, np.rint(share[..., None] * np.frombuffer(colour, np.uint8)).astype(np.uint8))
    return found
