"""Help on settings: each field with its value as it stands, and the words below it in the source."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

from vaelab.catalogue import name_of
from vaelab.settings.fields import contract_of, describe, field_docs, field_types
from vaelab.settings.ranges import is_place
from vaelab.settings.record import join


def settings_help(part: Any, path: str = "") -> str:
    """Every setting of a part, grouped by the part that it belongs to, as `--help` shows it.

    >>> from vaelab.networks.mlp import MLPEncoder
    >>> print(settings_help(MLPEncoder(), "encoder").splitlines()[0])
    encoder: mlp. Fully connected layers from the flattened image.
    """
    return "\n\n".join("\n".join(group) for group in _groups(part, path))


def paths(part: Any, path: str = "") -> Iterator[str]:
    """The path of every setting of a part.

    >>> from vaelab.networks.mlp import MLPEncoder
    >>> list(paths(MLPEncoder(), "encoder"))
    ['encoder.hidden', 'encoder.activation']
    """
    for field in field_types(type(part)):
        value, here = getattr(part, field), join(path, field)
        if contract_of(type(value)) or not is_dataclass(value):
            yield here
        if is_dataclass(value):
            yield from paths(value, here)


def flat(part: Any, path: str = "") -> dict[str, str]:
    """Path -> text, as the command line takes both, of every setting of a part that is no place of something.

    In a list of parts each goes by its name.

    >>> from vaelab.networks.mlp import MLPEncoder
    >>> flat(MLPEncoder(hidden=(64, 32)), "encoder")
    {'encoder.hidden': '64,32', 'encoder.activation': 'relu'}
    """
    found: dict[str, str] = {}
    for field, kind in field_types(type(part)).items():
        value, here = getattr(part, field), join(path, field)
        if is_place(kind):
            continue
        if contract_of(type(value)) or not is_dataclass(value):
            found[here] = as_text(int(value) if isinstance(value, float) and value.is_integer() else value)
        if is_dataclass(value):
            found |= flat(value, here)
        for item in value if isinstance(value, tuple) else ():
            found |= flat(item, f"{here}.{name_of(item)}") if is_dataclass(item) else {}
    return found


def as_text(value: Any) -> str:
    """A value as the command line takes it.

    >>> as_text((64, 32)), as_text(None), as_text(True)
    ('64,32', 'none', 'true')
    """
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(as_text(item) for item in value)
    return name_of(value) if contract_of(type(value)) else str(value)


def _groups(part: Any, path: str) -> Iterator[list[str]]:
    cls = type(part)
    name = f"{name_of(cls)}. " if contract_of(cls) else ""
    lines = [f"{path}: {name}{(cls.__doc__ or '').splitlines()[0]}" if path else (cls.__doc__ or "").splitlines()[0]]
    inner = []
    for field, kind in field_types(cls).items():
        value, here = getattr(part, field), join(path, field)
        if is_dataclass(value):
            inner.append((value, here))
        if contract_of(type(value)) or not is_dataclass(value):
            lines += _field(here, value, kind, field_docs(cls).get(field, ""))
    if len(lines) > 1 or path:
        yield lines
    for value, here in inner:
        yield from _groups(value, here)


def _field(path: str, value: Any, kind: Any, doc: str) -> list[str]:
    head = f"  --{path.replace('_', '-')} {as_text(value)}"
    below = textwrap.wrap(f"{doc} [{describe(kind)}]", 100, initial_indent="      ", subsequent_indent="      ")
    return [head, *below]
