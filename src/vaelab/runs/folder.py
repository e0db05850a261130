"""The small files of a run's folder that say what the images were and where it ran."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from vaelab import files
from vaelab.data import Dataset, Intensity
from vaelab.data.conditions import Condition
from vaelab.errors import InputError
from vaelab.files import read_json
from vaelab.machine import processor
from vaelab.settings.ranges import AtLeast1, Settings
from vaelab.settings.record import from_record
from vaelab.training import Choices

T = TypeVar("T")
_ALTERED = "Put the run's own file back, or train anew."
_LIBRARIES = ("vaelab", "torch", "numpy", "scipy", "scikit-learn", "pandas", "pillow", "tifffile")


@dataclass(frozen=True, kw_only=True)
class DataFacts(Settings):
    """What a run must know of its images when they are not at hand."""

    num_images: AtLeast1
    """Images in the collection, held-out ones included."""
    image_shape: tuple[AtLeast1, AtLeast1, AtLeast1]
    """(channel, height, width)."""
    dtype: str
    """Of the stored pixels."""
    channels: tuple[str, ...]
    """The channels' names."""
    intensity: Intensity
    """The scaling to [0, 1], fitted on the training images."""
    conditions: tuple[Condition, ...]
    """The columns under which the model sees the images, fitted on the training images."""
    content_hash: str
    """Of all pixels and the table."""
    left_out: tuple[tuple[str, str], ...]
    """(file, reason) for every file that could not be used."""

    def __post_init__(self):
        super().__post_init__()
        lo, hi = self.intensity.lo, self.intensity.hi
        if not len(self.channels) == len(lo) == len(hi) == self.image_shape[0]:
            got = f"{len(self.channels)}, {len(lo)} and {len(hi)}"
            raise InputError("channels, lo and hi", f"be {self.image_shape[0]} each", got)
        least, most = _range(self.dtype)
        if not all(least <= low <= high <= most for low, high in zip(lo, hi, strict=True)):
            raise InputError("intensity", f"rise from lo to hi within {self.dtype}", f"{list(lo)} to {list(hi)}")


def _range(dtype: str) -> tuple[float, float]:
    """Smallest and largest value of a pixel type."""
    try:
        kind = np.dtype(dtype)
        ends = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind)
        return float(ends.min), float(ends.max)
    except (TypeError, ValueError):
        raise InputError("dtype", "be the type of a pixel", repr(dtype)) from None


def facts_of(dataset: Dataset) -> DataFacts:
    """What is true of the dataset."""
    collection = dataset.collection
    return DataFacts(
        num_images=len(collection),
        image_shape=collection.image_shape,
        dtype=str(collection.images.dtype),
        channels=collection.channels,
        intensity=dataset.intensity,
        conditions=dataset.conditions,
        content_hash=dataset.content_hash,
        left_out=collection.left_out,
    )


def write_facts(facts: DataFacts, path: Path) -> None:
    """Writes them as JSON."""
    files.write(path, json.dumps(asdict(facts), indent=1))


def read_facts(path: Path) -> DataFacts:
    """Reads it back.

    Raises:
        InputError: It is not there, or was altered.
    """
    return _part(DataFacts, path, lambda record: record)


def write_environment(choices: Choices, device: torch.device, path: Path, order: str = "") -> None:
    """Writes where the run takes place, what was chosen by timing there, and why images come in this order, as JSON."""
    environment = {
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "versions": {library: version(library) for library in _LIBRARIES},
        "choices": asdict(choices),
    } | ({"order": order} if order else {})
    files.write(path, json.dumps(environment, indent=1))


def read_environment(path: Path) -> Choices:
    """What was chosen by timing when the run began.

    Raises:
        InputError: It is not there, or was altered.
    """
    return _part(Choices, path, lambda record: record["choices"])


def _part(kind: type[T], path: Path, where: Callable[[Any], Any]) -> T:
    """What a file of a run's folder describes, in the place that is asked for."""
    try:
        record = where(read_json(path))
        if not isinstance(record, dict):
            raise ValueError("no fields")
        return from_record(kind, record)
    except InputError as error:
        raise InputError(f"{error.what} in {path}", error.should, error.got, _ALTERED) from None
    except FileNotFoundError:
        raise InputError(str(path), "be in the run's folder", "nothing there", _ALTERED) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(str(path), "be as the run wrote it", f"other text ({error})", _ALTERED) from None
