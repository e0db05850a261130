"""Named experiments, one file for each study: every public function of such a file that returns one is a preset.

A variant calls another preset and replaces a field. ``vaelab.presets.digits()`` gives the experiment; on the command
line it is ``vaelab train digits``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from inspect import isfunction, signature
from pathlib import Path
from typing import TYPE_CHECKING, get_type_hints

from vaelab.catalogue import modules
from vaelab.data import Source
from vaelab.errors import InputError, unknown_name
from vaelab.experiment import Experiment, read
from vaelab.presets._images import Images, source_of

_PRESETS: dict[str, Callable[..., Experiment]] = {
    name: f
    for module in modules(__name__)
    for name, f in vars(module).items()
    if name[0] != "_" and isfunction(f) and f.__module__ == module.__name__
    if get_type_hints(f).get("return") is Experiment
}
globals().update(_PRESETS)  # a preset may be called like its file: `vaelab.presets.digits` is the preset

if TYPE_CHECKING:

    def __getattr__(name: str) -> Callable[..., Experiment]: ...


def presets() -> dict[str, Callable[..., Experiment]]:
    """Name -> function of every preset, in the order of the files and within them."""
    return dict(_PRESETS)


def preset(name: str, data: Images = None) -> Experiment:
    """The preset of that name; ``-`` and ``_`` are the same.

    Args:
        name: One of `presets`.
        data: A source, folder or file of images, in place of the preset's own.

    Raises:
        InputError: The name is not known, the preset needs images and none are named, or they are not there.
    """
    make = _PRESETS.get(name.replace("-", "_"))
    if make is None:
        raise unknown_name("the preset", name, [key.replace("_", "-") for key in _PRESETS])
    if takes_images(name):
        return make(data)
    return make() if data is None else with_images(make(), data)


def find(name: str, data: Images = None) -> Experiment:
    """The preset of that name, or the experiment in the file of that name: one that ends in .json, or has a folder.

    Args:
        name: A preset's, or a file's.
        data: A source, folder or file of images, in place of the experiment's own.

    Raises:
        InputError: As `preset`; or the file is not an experiment.
    """
    is_preset = name.replace("-", "_") in _PRESETS
    if not is_preset and not name.endswith(".json") and Path(name).exists():
        kind = "a folder" if Path(name).is_dir() else "a file"
        mend = f"To learn its images: vaelab train images --data {name}"
        raise InputError("the experiment", "be a preset or a JSON file", f"{kind}, {name!r}", mend)
    if is_preset or not (name.endswith(".json") or os.sep in name):
        return preset(name, data)
    experiment = read(name)
    return experiment if data is None else with_images(experiment, data)


def takes_images(name: str) -> bool:
    """Whether the preset of that name learns from images that the user names; False for an unknown name."""
    make = _PRESETS.get(name.replace("-", "_"))
    return make is not None and "data" in signature(make).parameters


def with_images(experiment: Experiment, data: Source | Path | str) -> Experiment:
    """The experiment on other images."""
    return replace(experiment, data=replace(experiment.data, source=source_of(experiment.name, data, "images")))
