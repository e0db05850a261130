"""What takes long: begun when it is first asked for, in a thread of its own, while whoever asked comes again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

MOST_KEPT = 64


class Jobs:
    """Values by name, each computed once, one after another. What still runs when the program ends is let go.

    >>> jobs = Jobs()
    >>> jobs.get("two", lambda: 2)
    (True, 2)
    """

    def __init__(self):
        self._found: dict[str, Future[Any]] = {}
        self._lock = threading.Lock()
        self._waiting = SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]()
        threading.Thread(target=self._work, name="explorer jobs", daemon=True).start()

    def get(self, name: str, compute: Callable[[], Any], patience_s: float = 0.5) -> tuple[bool, Any]:
        """(whether it is done, the value); what failed is tried again the next time.

        Args:
            name: Under which it is known.
            compute: Gives it.
            patience_s: How long to wait for it.

        Raises:
            Exception: As `compute` raised it.
        """
        with self._lock:
            if name not in self._found:
                while len(self._found) >= MOST_KEPT:
                    self._found.pop(next(iter(self._found)))
                self._found[name] = Future()
                self._waiting.put((self._found[name], compute))
            future = self._found[name]
        try:
            return True, future.result(patience_s)
        except TimeoutError:
            if not future.done():
                return False, None
            raise
        except Exception:
            with self._lock:
                self._found.pop(name, None)
            raise

    def close(self) -> None:
        """Begins nothing more."""
        self._waiting.put(None)

    def _work(self) -> None:
        while (job := self._waiting.get()) is not None:
            future, compute = job
            try:
                future.set_result(compute())
            except Exception as error:
                future.set_exception(error)
