"""The one record of a run: its parts and its seed. Written, read, hashed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaelab.data import Data
from vaelab.errors import InputError, unknown_name
from vaelab.fields import field_types
from vaelab.models import ModelConfig
from vaelab.objectives import Objective
from vaelab.record import check, digest, from_record, to_record
from vaelab.training import Training

_FORMAT = 1
"""Of the file. It changes when a file of the old kind can no longer be read as it stands."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
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
    seed: int = 0
    """Of the weights, the order of the images and the noise; 0 to 4,294,967,295."""

    def __post_init__(self):
        check(self)
        self.objective.check(self.model)
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", self.name):
            raise InputError(
                "name", "be 1 to 100 letters, digits, dots, - and _, not beginning with a dot or -", repr(self.name)
            )
        if not 0 <= self.seed < 2**32:
            raise InputError("seed", "be from 0 to 4294967295", self.seed)

    @property
    def hash(self) -> str:
        """64 hexadecimal digits that change with any setting, and are the same on every machine."""
        return digest(to_record(self))


def as_json(experiment: Experiment) -> str:
    """The experiment as the text of its file, every field of it."""
    return json.dumps({"format": _FORMAT, **to_record(experiment)}, indent=2, allow_nan=False)


def write(experiment: Experiment, path: Path | str) -> None:
    """Writes the experiment as JSON, every field of it."""
    Path(path).write_text(as_json(experiment) + "\n", encoding="utf-8")


def read(path: Path | str) -> Experiment:
    """The experiment in a JSON file; fields left out keep their defaults.

    Raises:
        InputError: The file is not there, is not JSON, or holds a name or a value that is not known.
    """
    record = _json(Path(path))
    if not isinstance(record, dict):
        raise InputError(str(path), "hold one JSON object, an experiment", type(record).__name__)
    version = record.pop("format", _FORMAT)
    if version != _FORMAT:
        raise InputError(
            f"{path}: format", f"be {_FORMAT}", repr(version), "If a newer vaelab wrote the file, update yours."
        )
    if unknown := set(record) - set(field_types(Experiment)):
        raise unknown_name(min(unknown), min(unknown), ["format", *field_types(Experiment)])
    return from_record(Experiment, record)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_without_repeats)
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(str(path), "be an experiment's JSON file", "nothing there") from None
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
