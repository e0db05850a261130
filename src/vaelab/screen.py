"""A progress bar that appears only when the work takes over a second."""

from __future__ import annotations

import time
from typing import Any

PATIENCE_S = 1.0


class Progress:
    """Shows how much of `total` is done, from the second second on.

    >>> with Progress("decoding", 3, shown=False) as bar:
    ...     bar.advance(3)
    """

    def __init__(self, title: str, total: int, *, shown: bool, unit: str = "images"):
        self.title, self.total, self.unit = title, total, unit
        self.done = 0
        self.start = time.monotonic() if shown else float("inf")
        self.bar: Any = None

    def __enter__(self) -> Progress:
        return self

    def advance(self, count: int) -> None:
        """Adds `count` to what is done."""
        self.done += count
        if self.bar is None and time.monotonic() - self.start > PATIENCE_S:
            self.bar = self._draw()
        if self.bar is not None:
            self.bar.update(self.bar.task_ids[0], completed=self.done)

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def _draw(self) -> Any:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(self.unit))
        bar = Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True))
        bar.add_task(self.title, total=self.total)
        bar.start()
        return bar
