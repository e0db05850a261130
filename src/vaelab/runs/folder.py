"""The small files of a run's folder that say what the images were and where it ran."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch

from vaelab import files
from vaelab.data import Dataset, Intensity
from vaelab.data.conditions import Condition
from vaelab.errors import InputError
from vaelab.machine import processor
from vaelab.training import Choices

_LIBRARIES = ("vaelab", "torch", "numpy", "scipy", "scikit-learn", "pandas", "pillow", "tifffile")


@dataclass(frozen=True, kw_only=True)
class DataFacts:
    """What a run must know of its images when they are not at hand."""

    num_images: int
    """Images in the collection, held-out ones included."""
    image_shape: tuple[int, int, int]
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
    """Reads it back."""
    try:
        facts = json.loads(path.read_text())
        lo, hi, square_root = (facts["intensity"][name] for name in ("lo", "hi", "square_root"))
        intensity = Intensity(lo=tuple(lo), hi=tuple(hi), square_root=square_root)
        del facts["intensity"]
        lists = {name: tuple(facts.pop(name)) for name in ("image_shape", "channels")}
        columns = ({**column, "categories": tuple(column["categories"])} for column in facts.pop("conditions"))
        conditions = tuple(Condition(**column) for column in columns)
        left_out = tuple((file, reason) for file, reason in facts.pop("left_out"))
        return DataFacts(intensity=intensity, conditions=conditions, left_out=left_out, **lists, **facts)
    except (*files.DAMAGED, TypeError, AttributeError):
        raise InputError(str(path), "be the data.json of a run", "something else", "Train anew.") from None


def write_environment(choices: Choices, device: torch.device, path: Path) -> None:
    """Writes where the run takes place, and what was chosen by timing there, as JSON."""
    environment = {
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "versions": {library: version(library) for library in _LIBRARIES},
        "choices": asdict(choices),
    }
    files.write(path, json.dumps(environment, indent=1))


def read_environment(path: Path) -> Choices:
    """What was chosen by timing when the run began."""
    try:
        return Choices(**json.loads(path.read_text())["choices"])
    except (*files.DAMAGED, TypeError):
        raise InputError(str(path), "be the environment.json of a run", "something else", "Train anew.") from None
