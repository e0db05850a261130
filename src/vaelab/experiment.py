"""The one record of a run: its parts and its seed. Written, read, hashed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vaelab import files
from vaelab.data import Data, Dataset, prepare
from vaelab.errors import InputError, unknown_name
from vaelab.models import ModelConfig
from vaelab.objectives import Objective
from vaelab.settings.fields import field_types
from vaelab.settings.help import flat
from vaelab.settings.ranges import Seed, Settings
from vaelab.settings.record import digest, from_record, numbers, to_record
from vaelab.training import Machine, Training, Watching

_FORMAT = 3
"""Of the file. It changes when a file of the old kind can no longer be read as it stands."""
_MOVED = {"machine": Machine, "watching": Watching}
"""What stood among the fields of training in files of format 1."""


@dataclass(frozen=True, kw_only=True)
class Experiment(Settings):
    """All that decides what a run gives: the images, the model, what is minimised, how it is trained, and the seed.

    Raises:
        InputError: A field, however deep, has a value of the wrong type, or one that no run can have.
    """

    name: str
    """What the run is called; also the beginning of its folder's name. Letters, digits, dot, - and _."""
    data: Data
    """The images, and what is done to them before the model sees them."""
    model: ModelConfig
    """The model's parts."""
    objective: Objective
    """What is minimised."""
    training: Training
    """How long, how fast and how carefully."""
    machine: Machine = field(default_factory=Machine)
    """On what it is computed. It changes numbers by rounding only."""
    watching: Watching = field(default_factory=Watching)
    """What is written on the way. It changes no number."""
    seed: Seed = 0
    """Of the weights, the order of the images and the noise."""

    def __post_init__(self):
        super().__post_init__()
        to_record(self)  # a part from outside its family's folder could not be read back
        with self.objective.named("objective"):
            self.objective.check(self.model)
        check_name(self.name)

    def prepare(self, *, strict: bool = False, progress: bool = False) -> Dataset:
        """The images, loaded, divided and measured; see `vaelab.data.prepare`.

        Raises:
            InputError: They cannot be used as asked; it names the field by its path, such as ``data.source.path``.
        """
        with self.data.named("data"):
            return prepare(self.data, strict=strict, progress=progress)

    @property
    def hash(self) -> str:
        """64 hexadecimal digits that change with any setting that decides numbers, and are the same on every machine.

        Names, paths, the machine and what is written on the way decide none.
        """
        return digest({name: numbers(getattr(self, name)) for name in _DECIDING} | {"seed": self.seed})


def check_name(name: str) -> None:
    """Refuses a name that no folder should have."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", name):
        raise InputError(
            "name", "be 1 to 100 letters, digits, dots, - and _, not beginning with a dot or -", repr(name)
        )


_DECIDING = ("data", "model", "objective", "training")


def as_json(experiment: Experiment) -> str:
    """The experiment as the text of its file, every field of it."""
    return json.dumps({"format": _FORMAT, **to_record(experiment)}, indent=2, allow_nan=False)


def write(experiment: Experiment, path: Path | str) -> None:
    """Writes the experiment as JSON, every field of it."""
    files.write(path, as_json(experiment) + "\n")


def differences(one: Experiment, other: Experiment) -> dict[str, tuple[str, str]]:
    """Path -> (of the one, of the other) of each setting that decides numbers and is not the same in both.

    A setting that one of them has not got, since a part is of another kind, is an empty text there.

    >>> from dataclasses import replace
    >>> from vaelab.presets import digits
    >>> differences(digits(), replace(digits(), seed=3))
    {'seed': ('0', '3')}
    """
    ours, theirs = ({p: t for p, t in flat(e).items() if p.split(".")[0] in (*_DECIDING, "seed")} for e in (one, other))
    found = {path: (ours.get(path, ""), theirs.get(path, "")) for path in {**ours, **theirs}}
    return {path: both for path, both in found.items() if both[0] != both[1]}


def read(path: Path | str) -> Experiment:
    """The experiment in a JSON file; fields left out keep their defaults.

    Raises:
        InputError: The file is not there, is not JSON, or holds a name or a value that is not known.
    """
    record = read_record(path)
    if not isinstance(record, dict):
        raise InputError(str(path), "hold one JSON object, an experiment", type(record).__name__)
    return of_record(record, f"{path}: format")


def of_record(record: dict[str, Any], what: str = "format") -> Experiment:
    """The experiment that a file's JSON object describes, in any of the formats that it ever had.

    Args:
        record: The object.
        what: What its format is called in messages.

    Raises:
        InputError: It holds a name or a value that is not known.
    """
    record = dict(record)
    version = record.pop("format", _FORMAT)
    if version not in range(1, _FORMAT + 1):
        mend = "If a newer vaelab wrote the file, update yours."
        raise InputError(what, f"be 1 to {_FORMAT}", repr(version), mend)
    if version == 1:
        record = _from_format_1(record)
    if version < 3:
        record = _from_format_2(record)
    if unknown := set(record) - set(field_types(Experiment)):
        raise unknown_name(min(unknown), min(unknown), ["format", *field_types(Experiment)])
    return from_record(Experiment, record)


def _from_format_1(record: dict[str, Any]) -> dict[str, Any]:
    """The record with the machine and the watching taken out of the training."""
    training = record.get("training")
    if not isinstance(training, dict):
        return record
    moved = {part: {n: training[n] for n in field_types(cls) if n in training} for part, cls in _MOVED.items()}
    names = {name for fields in moved.values() for name in fields}
    return {**record, "training": {n: v for n, v in training.items() if n not in names}, **moved}


def _from_format_2(record: dict[str, Any]) -> dict[str, Any]:
    """The record with synthetic cells under the name that they have now."""
    data = record.get("data")
    if isinstance(data, dict) and isinstance(data.get("source"), dict) and data["source"].get("kind") == "cells":
        return {**record, "data": {**data, "source": {**data["source"], "kind": "cells_synthetic"}}}
    return record


def read_record(path: Path | str, whose: str = "an experiment's") -> Any:
    """What a JSON file holds, in which no name stands twice.

    Raises:
        InputError: It is not there, or is not JSON; `whose` says what it should hold.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"), object_pairs_hook=_without_repeats)
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(str(path), f"be {whose} JSON file", "nothing there") from None
    except OSError as error:
        raise InputError(str(path), "be a file that can be read", error.strerror) from None
    except UnicodeDecodeError:
        raise InputError(str(path), "be text in UTF-8", "other bytes") from None
    except (ValueError, RecursionError) as error:
        raise InputError(str(path), "be JSON", str(error)) from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise InputError(name, "stand once in its part of the file", f"{names.count(name)} times")
    return dict(pairs)
