"""What is said of files that could not be used."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def say_left_out(left_out: Sequence[tuple[str, str]], num_images: int) -> None:
    """Names the first few on stderr, with their reasons and the number of all; nothing where there are none.

    Args:
        left_out: (file, reason) of each.
        num_images: The images that are left.
    """
    if not left_out:
        return
    print(f"Left out: {len(left_out):,} (used: {num_images:,} images)", file=sys.stderr)
    for file, reason in left_out[:5]:
        print(f"  {file}: {reason}", file=sys.stderr)
    if len(left_out) > 5:
        print(f"  and {len(left_out) - 5:,} more; vaelab data info names more, --strict refuses them", file=sys.stderr)
