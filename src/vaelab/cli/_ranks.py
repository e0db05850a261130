"""Several processes of one command, as torchrun starts them, told by the environment; nothing here imports torch."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext


def in_ranks() -> bool:
    """Whether this process is one of several."""
    return os.environ.get("WORLD_SIZE", "1") not in ("", "1") and "RANK" in os.environ


def is_first() -> bool:
    """Whether this process is the one that speaks."""
    return not in_ranks() or os.environ["RANK"] == "0"


def together() -> AbstractContextManager[None]:
    """Inside, the processes work together; see `vaelab.ranks.joined`."""
    if not in_ranks():
        return nullcontext()
    from vaelab.ranks import joined

    return joined()
