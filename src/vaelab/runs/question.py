"""What is asked of a run: of which stage, images and draws, and beside which columns of its table."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from vaelab.errors import InputError, unknown_name
from vaelab.evaluation import known_of
from vaelab.runs.read import Run, weights_of
from vaelab.settings.record import digest

Split = Literal["train", "validation", "test", "rows"]
KNOWN = ("labels", "factors", "groups", "batches")
"""What of a question is a column, or several, of the run's table."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a result answers; `ask` makes one."""

    stage: str
    """Of the model; empty where it has but one."""
    split: Split
    """Which images; rows: those that `rows` names."""
    num_images: int
    """How many of them: all, or a random draw."""
    num_samples: int
    """Draws of the posterior per image."""
    seed: int
    """Of every draw."""
    checkpoint: str
    """Digest of the weights."""
    rows: str = ""
    """The images' rows where these were named, such as ``0-9,12``; empty: they follow from the split."""
    labels: str = ""
    """The column of kinds that codes were compared with; empty: none."""
    factors: tuple[str, ...] = ()
    """Columns of known numbers, likewise."""
    groups: str = ""
    """The column that says which images belong together, likewise."""
    batches: str = ""
    """The column that says which groups were made together, likewise."""

    @property
    def name(self) -> str:
        """Of its folder, such as ``test-360-images-100-samples-1f2e3d4c``."""
        stage = f"{self.stage}-" if self.stage else ""
        hash_ = digest(self.record())[:8]
        return f"{stage}{self.split}-{self.num_images}-images-{self.num_samples}-samples-{hash_}"

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Name -> the columns of the table that were named: labels, factors, groups, batches."""
        found = {name: getattr(self, name) for name in KNOWN}
        return {name: (value,) if isinstance(value, str) else value for name, value in found.items() if value}

    def record(self) -> dict[str, Any]:
        """The fields, as they are written; without those columns and rows that were not named."""
        return {name: value for name, value in asdict(self).items() if name not in (*KNOWN, "rows") or value}


def ask(
    run: Run,
    *,
    stage: str | None = None,
    split: str | None = None,
    rows: np.ndarray | None = None,
    num_images: int | None = None,
    num_samples: int = 100,
    seed: int = 0,
    labels: str | None = None,
    factors: Sequence[str] = (),
    groups: str | None = None,
    batches: str | None = None,
) -> Question:
    """The question of what a run scores.

    Args:
        run: The run.
        stage: Of its model; left out, the last.
        split: train, validation or test; left out, the held-out part that there is.
        rows: (image,), in place of a split: rows of the collection, rising. Those of the held-out part are that part.
        num_images: A random draw of so many images; left out, all.
        num_samples: Draws of the posterior per image; 1 or more.
        seed: Of every draw; 0 or more.
        labels: A column of the run's table, of kinds, to compare codes with; so are the next.
        factors: Columns of known numbers.
        groups: A column that says which images belong together, such as those of one well.
        batches: A column that says which groups were made together.

    Raises:
        InputError: The run has no such stage, split or column, a column is not of such a kind, or a number is out of
            range.
    """
    run.at_stage(stage)
    for name, value, least in (("num_images", num_images, 1), ("num_samples", num_samples, 1), ("seed", seed, 0)):
        if value is not None and not least <= value < 2**32:
            raise InputError(name, f"be at least {least}", value)
    parts = ("test", "validation", "train")
    if split is not None and split not in parts:
        raise unknown_name("split", split, parts)
    split, named = split or run.splits.held_out, ""
    there = len(getattr(run.splits, split))
    if rows is not None and not np.array_equal(rows, getattr(run.splits, split)):
        chosen = _drawn(rows, num_images or len(rows), seed)
        split, named, there = "rows", _spelt(chosen), len(chosen)
    if not there:
        raise InputError("split", "be one that the run has images in", split, "Held-out parts are set by data.split.")
    question = Question(
        stage=stage or run.stages[-1],
        split=split,  # pyright: ignore[reportArgumentType]
        num_images=min(num_images or there, there),
        num_samples=num_samples,
        seed=seed,
        checkpoint=checkpoint_of(run),
        rows=named,
        labels=labels or "",
        factors=tuple(factors),
        groups=groups or "",
        batches=batches or "",
    )
    known_in(run, question)
    return question


def known_in(run: Run, question: Question) -> dict[str, object]:
    """What the run's table says of the question's images, by the names that metrics ask for.

    Raises:
        InputError: A column is not there, or not of such a kind.
    """
    asked = {name: getattr(question, name) for name in KNOWN if getattr(question, name)}
    if not asked:
        return {}
    return known_of(run.dataset.collection.table.iloc[rows_of(run, question)].reset_index(drop=True), **asked)


def rows_of(run: Run, question: Question) -> np.ndarray:
    """The rows of the run's collection that a question is about, in order."""
    if question.rows:
        return _read_rows(question.rows)
    return _drawn(getattr(run.splits, question.split), question.num_images, question.seed)


def _drawn(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """All of them, or a random draw of so many, in order."""
    return np.sort(np.random.default_rng(seed).choice(rows, count, replace=False)) if count < len(rows) else rows


def _spelt(rows: np.ndarray) -> str:
    """Rising row numbers as text.

    >>> _spelt(np.array([0, 1, 2, 5])), _read_rows("0-2,5")
    ('0-2,5', array([0, 1, 2, 5]))
    """
    gaps = np.flatnonzero(np.diff(rows) != 1)
    firsts, lasts = rows[np.append(0, gaps + 1)].tolist(), rows[np.append(gaps, len(rows) - 1)].tolist()
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(firsts, lasts, strict=True))


def rows_in(run: Run, text: str) -> np.ndarray:
    """The rows of the run's collection that are named in a text such as ``0-9,12``, rising.

    Raises:
        InputError: It names none, or one that is not there.
    """
    count = run.facts.num_images
    parts = text.split(",")
    if not all(re.fullmatch("[0-9]{1,12}(-[0-9]{1,12})?", part) for part in parts):
        raise InputError("rows", "be numbers and ranges such as 0-9,12", repr(text)[:200])
    ends = [part.partition("-")[::2] for part in parts]
    if not all(int(first) <= int(last or first) < count for first, last in ends):
        raise InputError("rows", f"be rising, from 0 to {count - 1:,}", text, "vaelab embed writes each image's row.")
    return np.unique(_read_rows(text))


def _read_rows(text: str) -> np.ndarray:
    ends = (part.partition("-") for part in text.split(","))
    return np.concatenate([np.arange(int(first), int(last or first) + 1) for first, _, last in ends])


def checkpoint_of(run: Run) -> str:
    """A digest of the weights that the run has now."""
    with weights_of(run.folder).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
