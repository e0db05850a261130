"""The source that opens a path, and a source whose files have moved: each member says what it recognises."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from vaelab.catalogue import members
from vaelab.data.files import is_image_name
from vaelab.data.sources import Source
from vaelab.errors import InputError, unknown_name
from vaelab.settings.fields import field_types
from vaelab.settings.ranges import is_place

T = TypeVar("T", bound=Source)


def open_source(path: str | Path, **options: Any) -> Source:
    """The source that reads what lies at `path`: the one that recognises it most surely.

    Args:
        path: A folder or a file.
        options: Fields of that source, such as ``size=(64, 64)``.

    Raises:
        InputError: Nothing is there, nothing that can be read, or the source has no such field.
    """
    place, family = Path(os.path.expanduser(path)), members(Source).values()
    names = _names(place, str(path))
    cls: Any = max(family, key=lambda member: member.recognises(place, names))
    if not cls.recognises(place, names):
        mend = "Give the folder that holds it." if is_image_name(place.name) else ""
        raise InputError("the path of the images", f"be {_kinds()}", repr(str(path)), mend)
    for name in options:
        if name not in field_types(cls):
            raise unknown_name("source", name, field_types(cls))
    return cls(**{"path": str(path), **options})


def moved(source: Source, path: str | Path) -> Source:
    """The source with its files at another place; another kind of source, where it can't read what lies there.

    Its other paths, such as that of a table of labels, go along where there is such a file in the same place seen from
    the images, in their folder or beside it; else they stay.

    Args:
        source: As it was.
        path: Where its files are now.

    Raises:
        InputError: Nothing is there, or nothing that can be read.
    """
    place = Path(_absolute(path))
    if not type(source).recognises(place, _names(place, str(path))):
        return open_source(place)
    kinds, here = field_types(type(source)), Path(_absolute(getattr(source, "path")))  # noqa: B009
    others = {name: getattr(source, name) for name, kind in kinds.items() if is_place(kind) and name != "path"}
    went = {name: _follow(Path(other), here, place) for name, other in others.items() if other is not None}
    return replace(source, **{"path": str(place), **went})


def anchored(source: T) -> T:
    """The source with its paths absolute, so that it is found from any folder."""
    kinds: Any = field_types(type(source))
    places = {name: getattr(source, name) for name, kind in kinds.items() if is_place(kind)}
    return replace(source, **{name: _absolute(place) for name, place in places.items() if place is not None})  # pyright: ignore[reportArgumentType]


def _absolute(path: str | Path) -> str:
    return str(Path(os.path.expanduser(path)).absolute())


def _follow(other: Path, old: Path, new: Path) -> str:
    """Where another path of a source is now that its files have gone from `old` to `new`."""
    relative = os.path.relpath(_absolute(other), old)
    places = (new / relative, new / other.name, new.parent / other.name)
    return next((found for place in places if os.path.exists(found := os.path.normpath(place))), str(other))


def _names(place: Path, path: str) -> Sequence[str]:
    """What lies in a folder; nothing for a file.

    Raises:
        InputError: There is nothing, or it may not be read.
    """
    what = "the path of the images"
    try:
        if place.exists():
            return sorted(os.listdir(place)) if place.is_dir() else []
    except (OSError, ValueError) as error:
        raise InputError(what, "be one that may be read", f"{path!r} ({error})") from None
    raise InputError(what, f"be {_kinds()}", f"{path!r}, which does not exist")


def _kinds() -> str:
    """What there are sources for, in words."""
    words = [member.opens for member in members(Source).values() if member.opens]
    return f"{', '.join(words[:-1])}, or {words[-1]}"
