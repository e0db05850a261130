"""Seeds as they are typed, and what is said when the runs of several have ended."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from vaelab.errors import InputError

_MOST = 10_000


def seed_numbers(words: Iterable[str]) -> tuple[int, ...]:
    """The numbers that ``0-4``, ``0,2,5`` or several such words stand for.

    Raises:
        InputError: A word is none, a number stands twice, or they are too many.

    >>> seed_numbers(["0-2", "7"])
    (0, 1, 2, 7)
    """
    found: list[int] = []
    for word in words:
        refusal = InputError("--seeds", f"be such as 0-4 or 0,2,5, at most {_MOST:,}, below 4294967296", repr(word))
        for part in word.split(","):
            match = re.fullmatch(r"\s*([0-9]{1,10})(?:-([0-9]{1,10}))?\s*", part)
            ends = [int(end) for end in match.groups() if end] if match else []
            if not ends or ends[-1] < ends[0] or ends[-1] >= 2**32 or ends[-1] - ends[0] >= _MOST - len(found):
                raise refusal
            found += range(ends[0], ends[-1] + 1)
    if len(set(found)) < len(found):
        raise InputError("--seeds", "be different numbers", " ".join(words))
    return tuple(found)


def say_ended(ended: Mapping[Path, tuple[int, str]], *, quiet: bool) -> int:
    """Says of each run how it ended, and what can be done next; the exit code of all.

    Args:
        ended: Folder -> exit code, and what was said.
        quiet: Say only what went wrong, and notes.
    """
    for folder, (code, text) in ended.items():
        said = text.splitlines() if code else _signs(folder)
        for line in said or [f"ended with code {code}"] * bool(code):
            print(f"{folder}: {line}", file=sys.stderr)
    done = [folder for folder, (code, _) in ended.items() if not code]
    if done and not quiet:
        print(f"Next: vaelab compare {done[0].parent}" if len(done) > 1 else f"Next: vaelab report {done[0]}")
    return max((code for code, _ in ended.values()), key=abs)


def _signs(folder: Path) -> list[str]:
    from vaelab.cli._notes import say_signs
    from vaelab.runs import read

    with redirect_stderr(StringIO()) as said:
        say_signs(read(folder))
    return said.getvalue().splitlines()
