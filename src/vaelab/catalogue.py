"""Finds the members of an open family: the folder is its own registry.

A contract stands in ``<family>/_base.py``; every other file in that folder whose name has no leading underscore is one
member, and its file name is the name a user types (with ``-`` for ``_`` where they like).
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import pkgutil
from collections.abc import Callable, Iterable
from functools import cache
from types import ModuleType
from typing import TypeVar

from vaelab.errors import unknown_name

T = TypeVar("T")


def members(contract: type[T]) -> dict[str, type[T]]:
    """Name -> class of every member of the contract's family, in alphabetical order.

    >>> from vaelab.likelihoods import Likelihood
    >>> "bernoulli" in members(Likelihood)
    True
    """
    return {
        module.__name__.rsplit(".", 1)[1]: value
        for module in modules(contract.__module__.rsplit(".", 1)[0])
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, contract)
        and value.__module__ == module.__name__
        and not inspect.isabstract(value)
    }


def functions(package: str, only: Iterable[str] | None = None) -> dict[str, Callable]:
    """Name -> function of every file in the package, or of some; a file defines a function of its own name.

    >>> list(functions("vaelab.metrics", ["active_units"]))
    ['active_units']
    """
    found = names(package) if only is None else only
    return {name: getattr(importlib.import_module(f"{package}.{name}"), name) for name in found}


def find(contract: type[T], name: str, what: str | None = None) -> type[T]:
    """The member of that name. ``-`` and ``_`` are the same.

    Raises:
        InputError: No member has the name; says which are known and which is nearest.
    """
    family = members(contract)
    key = name.replace("-", "_")
    if key not in family:
        raise unknown_name(what or contract.__name__.lower(), name, family)
    return family[key]


def name_of(part: object) -> str:
    """The name under which a part, or a class of parts, is found: its file's name."""
    cls = part if inspect.isclass(part) else type(part)
    return cls.__module__.rsplit(".", 1)[-1]


def modules(package: str) -> list[ModuleType]:
    """The package's modules whose name has no leading underscore, imported, in alphabetical order."""
    return [importlib.import_module(f"{package}.{name}") for name in names(package)]


@cache
def names(package: str) -> tuple[str, ...]:
    """The names of those modules, none of them imported; the folder is read once.

    >>> "mse" in names("vaelab.metrics")
    True
    """
    root, *folders = package.split(".")
    found = importlib.util.find_spec(root)
    paths = [os.path.join(place, *folders) for place in (found and found.submodule_search_locations) or ()]
    return tuple(sorted(info.name for info in pkgutil.iter_modules(paths) if not info.name.startswith("_")))
