"""What is asked and answered in bytes: arrays go out as they lie in memory, row by row, lowest byte first.

An answer says its shape and type: ``X-Shape: 3,64,64`` and ``X-Type: uint8``; words and settings are JSON instead.
"""

from __future__ import annotations

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from vaelab.errors import InputError

MOST_PLACES = 256
"""Images in one question."""
MOST_CODES = 16
"""Codes in one question."""
MOST_NUMBERS = 1 << 25
"""Pixels times channels in one answer."""


def raw(array: np.ndarray) -> Response:
    """An array as an answer: float32, int32 or what pixels are stored as."""
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    shape, kind = ",".join(map(str, array.shape)), array.dtype.name
    return Response(array.tobytes(), media_type="application/octet-stream", headers={"X-Shape": shape, "X-Type": kind})


def places(request: Request, count: int, numbers_each: int = 1) -> list[int]:
    """The images of ``?at=0,5,7``.

    Args:
        request: What was asked.
        count: Images that there are.
        numbers_each: Numbers that each makes in the answer.

    Raises:
        InputError: They are none, too many, or not there.
    """
    text = request.query_params.get("at", "")
    most = max(1, min(MOST_PLACES, MOST_NUMBERS // max(1, numbers_each)))
    words = text.split(",", most)
    if len(words) > most:
        raise InputError("at", f"name {most} images at most", "more")
    if not all(word.isascii() and word.isdecimal() and len(word) < 12 and int(word) < count for word in words):
        raise InputError("at", f"be places from 0 to {count - 1}, with commas", repr(text)[:80])
    return [int(word) for word in words]


def place(text: str | None, count: int) -> int | None:
    """One image, or none where nothing is said.

    Raises:
        InputError: It is not there.
    """
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and int(text) < count):
        raise InputError("like", f"be a place from 0 to {count - 1}", repr(text)[:80])
    return int(text)


def codes(body: bytes, latent_dim: int, numbers_each: int = 1) -> np.ndarray:
    """(code, latent) float32: the codes in a question's body.

    Raises:
        InputError: The bytes are not such, too many, or not finite.
    """
    most = max(1, min(MOST_CODES, MOST_NUMBERS // max(1, numbers_each)))
    if not body or len(body) % (4 * latent_dim) or len(body) > 4 * latent_dim * most:
        should = f"be 1 to {most} codes of {latent_dim} numbers in float32"
        raise InputError("the body", should, f"{len(body)} bytes")
    found = np.frombuffer(body, "<f4").reshape(-1, latent_dim)
    if not (np.isfinite(found).all() and (np.abs(found) < 1e6).all()):
        raise InputError("the codes", "be finite, below a million", "others")
    return found.astype(np.float32)


def numbers(values: np.ndarray | tuple[float, ...]) -> list[float | None]:
    """Numbers for JSON, which knows none that are not finite."""
    return [float(value) if np.isfinite(value) else None for value in values]
