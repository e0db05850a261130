"""What is drawn in a terminal: bars and lines that change, and tables. The only place that knows rich."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
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


class Steps:
    """Shows how many steps of a training are done, with words beside them; 80 columns hold it.

    >>> with Steps("training", shown=False) as bar:
    ...     bar.show(3, 100, "loss 17.1 nats")
    """

    def __init__(self, title: str, *, shown: bool = True):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self.bar = Bar(
            TextColumn("{task.description}"), BarColumn(bar_width=8), MofNCompleteColumn(),
            TextColumn("{task.fields[words]}"), TimeRemainingColumn(elapsed_when_finished=True),
            console=Console(quiet=not shown),
        )  # fmt: skip
        self.task = self.bar.add_task(title, words="", start=True)
        self.shown_at = 0.0

    def __enter__(self) -> Steps:
        self.bar.start()
        return self

    def show(self, done: int, total: int, words: str = "") -> None:
        """Says so; the number of steps ten times a second at most, words whenever there are some."""
        if words:
            self.bar.update(self.task, words=words)
        now = time.monotonic()
        if now - self.shown_at > 0.1 or done == total:
            self.shown_at = now
            self.bar.update(self.task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        self.bar.stop()


class Lines:
    """Shows lines that change in place.

    >>> with Lines(shown=False) as lines:
    ...     lines.show(["one: begins", "two: waits"])
    """

    def __init__(self, *, shown: bool):
        from rich.console import Console
        from rich.live import Live

        self.shown, console = shown, Console(stderr=True, quiet=not shown)
        self.live = Live(console=console, refresh_per_second=4, redirect_stdout=shown, redirect_stderr=shown)

    def __enter__(self) -> Lines:
        self.live.start()
        return self

    def show(self, lines: Iterable[str]) -> None:
        """In place of those shown before."""
        from rich.text import Text

        self.live.update(Text("\n".join(lines)))

    def say(self, line: str) -> None:
        """A line on stderr that stays, above those that change; also where these are not shown."""
        from rich.text import Text

        if self.shown:
            self.live.console.print(Text(line), soft_wrap=True)
        else:
            print(line, file=sys.stderr)

    def __exit__(self, *_: object) -> None:
        self.live.stop()


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], left: Iterable[str] = ()) -> None:
    """Prints a table, as wide as it needs.

    Args:
        title: Above it.
        columns: Their names.
        rows: Cells, one for each column.
        left: The columns that are set flush left, as words are; others are set flush right.

    >>> table("Two scores", ["score", "value"], [["mse", "0.5"], ["rate", "12.25"]], left=["score"])
    Two scores
     score  value
     mse      0.5
     rate   12.25
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=Text(title), title_justify="left", box=None, header_style="bold")
    for name in columns:
        drawn.add_column(Text(name), justify="left" if name in left else "right", no_wrap=True)
    for row in rows:
        drawn.add_row(*map(Text, row))
    console = Console(width=Console(width=999).measure(drawn).maximum)
    with console.capture() as shown:
        console.print(drawn)
    print(shown.get(), end="")
