"""What tests of pages do with a tab again and again."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import unquote


def until(tab: Any, words: str, patience_s: float = 60.0) -> None:
    """Waits until the address holds the words after its #."""
    end = time.monotonic() + patience_s
    while words not in unquote(tab.url.partition("#")[2]):
        assert time.monotonic() < end, f"{words} is not in {tab.url}"
        tab.wait_for_timeout(100)
    tab.wait_for_timeout(100)
