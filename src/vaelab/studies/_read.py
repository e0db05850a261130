"""A study read from its file: a list of experiments, or a base and a grid of settings."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from vaelab.errors import InputError, unknown_name
from vaelab.experiment import Experiment, of_record, read_record
from vaelab.presets import find, with_images
from vaelab.settings.help import as_text
from vaelab.settings.ranges import PathText, Seed, Settings
from vaelab.settings.record import from_record, join, read_value
from vaelab.settings.text import override
from vaelab.studies._study import Study, check_number

_KEYS = ("name", "experiments", "base", "grid", "settings", "seeds")
_Changes = dict[str, str]
"""Path of a setting -> text, as the command line takes both."""


def read_study(path: Path | str, data: str | None = None) -> Study:
    """The study in a JSON file.

    Args:
        path: The file: a name, seeds, and ``experiments``, or a ``base`` and a ``grid``; see docs/studies.md.
        data: Images in place of those that the experiments name.

    Raises:
        InputError: It cannot be read, or a field of it cannot be used; it names the field by its path in the file.
    """
    record = read_record(path, "a study's")
    if not isinstance(record, dict):
        raise InputError(str(path), "hold one JSON object, a study", type(record).__name__)
    for key in record:
        if key not in _KEYS:
            raise unknown_name(join("", key), key, _KEYS)
    if ("experiments" in record) == ("base" in record):
        got = "both" if "base" in record else "neither"
        raise InputError(str(path), "hold either experiments, or a base and a grid", got, "See vaelab study --help.")
    seeds = read_value(tuple[Seed, ...], record.get("seeds", [0]), "seeds")
    shared = _changes(record.get("settings", {}), "settings")
    if "base" in record:
        experiments = _grid(record["base"], record.get("grid"), shared, len(seeds), data)
    else:
        entries = read_value(tuple[Any, ...], record["experiments"], "experiments")
        experiments = [_entry(entry, f"experiments[{i}]", data, shared) for i, entry in enumerate(entries)]
    name = read_value(str, record.get("name", Path(path).stem), "name")
    return Study(name=name, experiments=tuple(experiments), seeds=seeds)


@dataclass(frozen=True, kw_only=True)
class _Entry(Settings):
    """An experiment by its name, and what is to be other than there."""

    experiment: str
    """A preset's name, or an experiment's file."""
    name: str | None = None
    """What it is called in the study; left out, as it is."""
    data: PathText | None = None
    """Its images: a folder or file."""


def _entry(value: object, where: str, data: str | None, shared: _Changes, cell: _Changes | None = None) -> Experiment:
    """The experiment of an entry: a name, a name with changes, or a whole record, which may have changes too.

    Args:
        value: The entry.
        where: Its path in the file.
        data: Images in place of its own.
        shared: Settings that the file changes in every experiment.
        cell: Settings of this cell of the grid.
    """
    entry = {"experiment": value} if isinstance(value, str) else value
    if not isinstance(entry, dict):
        raise InputError(where, "be a preset's name, a file's, or an object", type(value).__name__)
    own = _changes(entry.get("settings", {}), f"{where}.settings")
    rest = {name: item for name, item in entry.items() if name != "settings"}
    if "experiment" in rest:
        named = from_record(_Entry, rest, where)
        found = _found(named.experiment, data or named.data, where)
        name = named.name or found.name
    else:
        try:
            found = of_record(rest)
        except InputError as error:
            raise error.within(where) from None
        found = found if data is None else with_images(found, data)
        name = found.name
    places = {"grid": cell or {}, f"{where}.settings": own, "settings": shared}
    try:
        changed = override(found, [*shared.items(), *own.items(), *(cell or {}).items()])
    except InputError as error:
        path = error.what.replace("-", "_")
        raise error.within(next((place for place, of in places.items() if _any(path, of)), where)) from None
    try:
        return replace(changed, name=f"{name}{_suffix(cell)}" if cell else name)
    except InputError as error:
        raise error.within(where) from None


def _found(name: str, data: str | None, where: str) -> Experiment:
    """The preset or the file of that name; a refusal of the name is of the place where it stands."""
    try:
        return find(name, data)
    except InputError as error:
        if error.what not in ("the preset", "the experiment"):
            raise
        raise InputError(where, error.should, error.got, error.mend) from None


def _grid(base: object, grid: object, shared: _Changes, num_seeds: int, data: str | None) -> list[Experiment]:
    """An experiment for each combination of the values, the last setting changing fastest."""
    if not isinstance(grid, dict) or not grid:
        got = "nothing" if not grid else type(grid).__name__
        raise InputError("grid", "be an object: the path of a setting -> a list of its values", got)
    lists = {path: read_value(tuple[Any, ...], values, join("grid", path)) for path, values in grid.items()}
    if empty := next((path for path, values in lists.items() if not values), ""):
        raise InputError(join("grid", empty), "be a list of at least one value", "none")
    check_number(math.prod(map(len, lists.values())) * num_seeds)
    texts = [[_text(value, f"{join('grid', path)}[{i}]") for i, value in enumerate(v)] for path, v in lists.items()]
    return [_entry(base, "base", data, shared, dict(zip(lists, cell, strict=True))) for cell in product(*texts)]


def _suffix(cell: _Changes) -> str:
    """``-latent_dim-2-hidden-64-32``: what tells an experiment of a grid from the others."""
    last = [path.rpartition(".")[2] for path in cell]
    short = last if len(set(last)) == len(last) else list(cell)
    return "".join(
        f"-{name}-{re.sub('[^A-Za-z0-9.]+', '-', text)}" for name, text in zip(short, cell.values(), strict=True)
    )


def _changes(value: object, where: str) -> _Changes:
    if not isinstance(value, dict):
        raise InputError(where, "be an object: the path of a setting -> its value", type(value).__name__)
    return {path: _text(item, join(where, path)) for path, item in value.items()}


def _text(value: object, where: str) -> str:
    """A JSON value as the command line takes it."""
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        return as_text(tuple(value))
    if isinstance(value, list | dict):
        raise InputError(where, "be a number, a text, true, false, null, or a list of these", type(value).__name__)
    return as_text(value)


def _any(path: str, changes: _Changes) -> bool:
    """Whether one of the settings that were changed is the one at the path, or a part of it or around it."""
    names = [name.replace("-", "_") for name in changes]
    return any(
        re.match(rf"{re.escape(name)}($|\W)", path) or re.match(rf"{re.escape(path)}($|\W)", name) for name in names
    )
