"""How large a file may become when it is unpacked, for every reader, and why a file can't be used."""

from __future__ import annotations

NEEDS = "which needs the package imagecodecs: pip install 'vaelab[codecs]'"
MOST_BYTES = 1 << 28
"""One image, unpacked: 256 MiB."""
OVER = "over the limit of 256 MiB for one image"
MOST_RATIO = 200
"""A file of many images may unpack to so many times its own size where that is more; deflate reaches 1,032."""


class Unreadable(Exception):
    """Why a file cannot be used, in words that follow its name."""


def check_image(height: int, width: int, channels: int = 1, item_bytes: int = 1) -> None:
    """Refuses the promise of an image before memory is asked for.

    Args:
        height: Rows.
        width: Columns.
        channels: Values per pixel.
        item_bytes: Bytes per value.

    Raises:
        Unreadable: It has no pixels, or unpacks to over 256 MiB.
    """
    size = height * width * channels * item_bytes
    if min(height, width, channels) < 1:
        raise Unreadable(f"is {height}x{width} pixels")
    if size > MOST_BYTES:
        raise Unreadable(f"is {height}x{width} pixels, {size / 2**20:,.0f} MiB when unpacked, {OVER}")


def most_bytes(size: int) -> int:
    """Bytes that a file of many images may unpack to, by its own size in bytes.

    >>> most_bytes(1000) == MOST_BYTES, most_bytes(100_000_000)
    (True, 20000000000)
    """
    return max(MOST_BYTES, MOST_RATIO * size)


def check_file(unpacked: int, size: int) -> None:
    """Refuses a file of `size` bytes that would unpack to so many that it was made to use up the memory or the disk.

    Raises:
        Unreadable: With both sizes.
    """
    if unpacked > most_bytes(size):
        raise Unreadable(
            f"would unpack to {unpacked / 2**20:,.0f} MiB from {size:,} bytes, "
            f"over the limit of {most_bytes(size) / 2**20:,.0f} MiB"
        )
