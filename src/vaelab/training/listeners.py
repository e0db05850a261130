"""What may be done with each step: ordinary callables on the training's state, called around the loop.

for state in train(...):
    for listener in listeners:
        listener(state)
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vaelab.errors import InputError, one_line
from vaelab.files import replacing
from vaelab.screen import Steps
from vaelab.training.checkpoint import save_checkpoint, save_weights
from vaelab.training.config import Watching
from vaelab.training.state import Means, State

Listener = Callable[[State], None]
_BEFORE, _AFTER = ("step", "epoch", "split", "stage"), ("learning_rate", "images_per_second", "seconds")


class ProgressBar:
    """Shows steps, speed, loss and rate, in nats per image, while it is entered as a context."""

    def __init__(self, batch_size: int, resume_step: int = 0):
        self.bar, self.throughput = Steps("training"), Throughput(batch_size, resume_step)

    def __enter__(self) -> ProgressBar:
        self.bar.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self.bar.__exit__()

    def __call__(self, state: State) -> None:
        """Draws what is new."""
        words = f"{_in_words(state.terms)}  {self.throughput(state.step):,.0f} images/s" if state.terms else ""
        self.bar.show(state.step, state.num_steps, words)


class CSVLog:
    """Writes the terms as they come: for training every `log_every` steps, and for each validation; a line per stage.

    Columns: step, epoch, split (train or validation), stage (empty for the whole model), the terms in nats per image,
    learning_rate, images_per_second and seconds since the training (or its resumption) began. When a training is
    resumed, the lines from after its checkpoint are cut off first.
    """

    def __init__(self, path: Path, batch_size: int, resume_step: int = 0):
        self.path, self.throughput, self.begun = path, Throughput(batch_size, resume_step), time.perf_counter()
        self.columns: list[str] = []
        if path.exists():
            self._cut(resume_step)

    def __call__(self, state: State) -> None:
        """Appends what is new."""
        parts = [("train", state.terms), ("validation", state.validation)]
        lines = [line for split, means in parts if means for line in self._lines(state, split, means)]
        if not lines:
            return
        terms = self.columns[len(_BEFORE) : -len(_AFTER)]
        later = [name for line in lines for name in line if name not in (*_BEFORE, *terms, *_AFTER)]
        new = not self.path.exists()
        if later:
            self.columns = [*_BEFORE, *dict.fromkeys([*terms, *later]), *_AFTER]
            if not new:
                self._rewrite(self._rows())
        try:
            with self.path.open("a", newline="") as file:
                writer = csv.DictWriter(file, self.columns)
                if new:
                    writer.writeheader()
                writer.writerows(lines)
        except OSError as error:
            mend = "The last checkpoint is unharmed; make room and resume."
            raise InputError(str(self.path), "be a file that can be written", error.strerror, mend) from None

    def _lines(self, state: State, split: str, means: Means) -> Iterator[dict[str, Any]]:
        speed = f"{self.throughput(state.step):.1f}" if split == "train" else ""
        seconds = f"{time.perf_counter() - self.begun:.3f}"
        for stage, terms in means.items():
            before = (state.step, round(state.epoch, 6), split, stage)
            after = (state.learning_rate, speed, seconds)
            yield {**dict(zip(_BEFORE, before, strict=True)), **terms, **dict(zip(_AFTER, after, strict=True))}

    def _cut(self, step: int) -> None:
        try:
            rows = self._rows()
        except (OSError, ValueError, csv.Error) as error:
            raise self._altered(one_line(error)) from None
        self.columns = [name for name in rows[0] if name is not None] if rows else []
        if rows and (*self.columns[: len(_BEFORE)], *self.columns[-len(_AFTER) :]) != (*_BEFORE, *_AFTER):
            raise self._altered("other columns")
        whole = [row for row in rows if None not in (*row, *row.values()) and _is_step(row["step"])]
        self._rewrite([row for row in whole if int(row["step"]) <= step])

    def _altered(self, got: str) -> InputError:
        return InputError(str(self.path), "be the metrics.csv of a run", got, "Mend it, or move it away, and resume.")

    def _rows(self) -> list[dict[str, Any]]:
        with self.path.open(newline="") as file:
            return list(csv.DictReader(file))

    def _rewrite(self, rows: list[dict[str, Any]]) -> None:
        with replacing(self.path) as part, part.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.columns, restval="")
            writer.writeheader()
            writer.writerows(rows)


class TensorBoardLog:
    """Writes the terms as TensorBoard events into a folder: ``train/loss``, ``validation/first/rate`` and so on.

    When a training is resumed, what earlier files say of later steps is purged.
    """

    def __init__(self, folder: Path, resume_step: int = 0):
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            mend = "Install it with: pip install 'vaelab[tensorboard]'."
            raise InputError("watching.tensorboard", "have TensorBoard installed", "none", mend) from None
        self.writer = SummaryWriter(str(folder), purge_step=resume_step + 1 if resume_step else None)

    def __call__(self, state: State) -> None:
        """Appends what is new."""
        for split, means in (("train", state.terms), ("validation", state.validation)):
            for stage, terms in (means or {}).items():
                for name, value in terms.items():
                    self.writer.add_scalar("/".join(filter(None, (split, stage, name))), value, state.step)
        if state.stop or state.step == state.num_steps:
            self.writer.close()


class Checkpoints:
    """Saves ``last.safetensors`` by steps, by minutes and at the end, ``best.safetensors`` at each best validation."""

    def __init__(self, folder: Path, watching: Watching):
        self.folder, self.watching, self.saved = folder, watching, time.monotonic()

    def __call__(self, state: State) -> None:
        """Saves if it is time."""
        if state.is_best:
            save_weights(state.model, self.folder / "best.safetensors")
        steps = self.watching.checkpoint_steps
        by_steps = steps is not None and state.step % steps == 0
        by_time = time.monotonic() - self.saved > 60 * self.watching.checkpoint_minutes
        if by_steps or by_time or state.stop or state.step == state.num_steps:
            self.save(state)

    def save(self, state: State) -> None:
        """Saves now."""
        save_checkpoint(state, self.folder / "last.safetensors")
        self.saved = time.monotonic()


class Throughput:
    """Images per second since it was last asked."""

    def __init__(self, batch_size: int, step: int = 0):
        self.batch_size, self.step, self.time = batch_size, step, time.perf_counter()

    def __call__(self, step: int) -> float:
        """The speed from the step of the last question to this one."""
        now = time.perf_counter()
        speed = (step - self.step) * self.batch_size / max(now - self.time, 1e-9)
        self.step, self.time = step, now
        return speed


def _is_step(text: str) -> bool:
    return text.isdecimal() and len(text) < 19


def _in_words(means: Means) -> str:
    shown = {name: terms[name] for terms in means.values() for name in ("loss", "rate") if name in terms}
    return "  ".join(f"{name} {value:.1f}" for name, value in shown.items()) + " nats"
