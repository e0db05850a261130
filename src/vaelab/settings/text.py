"""Settings changed from text, as the command line gives them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import MISSING, is_dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin

from vaelab.catalogue import find, name_of
from vaelab.errors import InputError, unknown_name
from vaelab.settings.fields import contract_of, describe, field_types, item_kinds, options, refusal
from vaelab.settings.record import from_record, join, member_of, read_value, to_record

T = TypeVar("T")
_NOT = object()
"""What a text gives that is no value of the type."""


def override(part: T, settings: Iterable[tuple[str, str]]) -> T:
    """The part with fields set from text, as the command line gives them.

    A field that holds a part of a family takes a member's name, and then that member's defaults, unless it is the one
    that stands there already. Such exchanges come first, in whatever order they are given; of one field given twice the
    last counts. In a list of parts each goes by its name: ``objective.penalties.dip.weight``. ``-`` and ``_`` are the
    same in names.

    Args:
        part: The settings to begin from.
        settings: (path, text), such as ``("model.likelihood.scale", "0.1")``; a list is ``32,32,64``, None is ``none``.

    Raises:
        InputError: A path leads nowhere, or a text cannot be read as what the field should be.

    >>> from vaelab.models import VAEConfig
    >>> override(VAEConfig(), [("encoder.hidden", "64,32"), ("latent-dim", "2")]).encoder
    MLPEncoder(hidden=(64, 32), activation='relu')
    """
    record = to_record(part)
    for path, text in sorted(settings, key=lambda setting: setting[0].count(".")):
        record = _set(type(part), record, path.replace("-", "_").split("."), text, "")
    return from_record(type(part), record)


def parse(kind: Any, text: str, where: str) -> Any:
    """A text as the plain value of a type.

    Raises:
        InputError: The text is no such value.

    >>> parse(tuple[int, ...], "32,64", "widths"), parse(float | None, "none", "limit")
    ([32, 64], None)
    """
    for option in sorted(options(kind), key=lambda option: option is str):
        value = _parse_one(option, text.strip(), where)
        if value is not _NOT:
            return value
    raise refusal(kind, text, where)


def parse_value(kind: Any, text: str, where: str) -> Any:
    """The value of a type that a text stands for.

    >>> parse_value(tuple[int, ...], "32,64", "widths")
    (32, 64)
    """
    return read_value(kind, parse(kind, text, where), where)


def _set(cls: type, record: dict, names: list[str], text: str, where: str) -> dict:
    """The record with the field at the path `names` set."""
    kinds = field_types(member_of(cls, record, where))
    name, *rest = names
    here = join(where, name)
    if name not in kinds:
        raise unknown_name(here, name, kinds)
    held = record[name] if name in record else _default(member_of(cls, record, where), name)
    if not rest:
        value = parse(kinds[name], text, here)
        same = isinstance(value, dict) and isinstance(held, dict) and value["kind"] == held.get("kind")
        return record if same else record | {name: value}
    family = next((contract_of(get_args(o)[0]) for o in options(kinds[name]) if get_origin(o) is tuple), None)
    if family is not None:
        return record | {name: _set_in_list(family, held or [], rest, text, here)}
    part = next((option for option in options(kinds[name]) if is_dataclass(option)), None)
    if part is None:
        raise InputError(here, f"be {describe(kinds[name])}, without fields of its own", repr(".".join(names)))
    if held is None and contract_of(part):
        raise InputError(here, f"be {describe(part)}, before a field of it is set", "none", "Name it too.")  # pyright: ignore
    return record | {name: _set(part, held or {}, rest, text, here)}  # pyright: ignore[reportArgumentType]


def _default(member: type, name: str) -> Any:
    """The part that a field holds where nothing is said, as a record; None where it holds none."""
    field = member.__dataclass_fields__[name]  # pyright: ignore[reportAttributeAccessIssue] (it is a dataclass)
    part = field.default if field.default_factory is MISSING else field.default_factory()
    return to_record(part) if is_dataclass(part) and not isinstance(part, type) else None


def _set_in_list(family: type, held: list[dict], names: list[str], text: str, where: str) -> list[dict]:
    """The list of parts of a family with a field set of the one that is called names[0]."""
    kind = name_of(find(family, names[0], where))
    if kind not in (part["kind"] for part in held):
        raise InputError(f"{where}.{kind}", "be in the list before a field of it is set", "none", "Name it too.")
    if len(names) == 1:
        raise InputError(f"{where}.{kind}", "be followed by one of its fields", "none")
    return [_set(family, part, names[1:], text, f"{where}.{kind}") if part["kind"] == kind else part for part in held]


def _parse_one(kind: Any, text: str, where: str) -> Any:
    """The plain value, or _NOT."""
    if kind is type(None):
        return None if text.lower() == "none" else _NOT
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), _NOT)
    if kind is str:
        return text
    if get_origin(kind) is Literal:
        return next((value for value in get_args(kind) if str(value).replace("-", "_") == text.replace("-", "_")), _NOT)
    if get_origin(kind) is tuple:
        return _parse_list(kind, text, where)
    if contract_of(kind):
        return {"kind": name_of(find(contract_of(kind), text, where))}  # pyright: ignore[reportArgumentType]
    try:
        value = kind(text) if kind in (int, float) else _NOT
    except ValueError:
        return _NOT
    if isinstance(value, float) and not math.isfinite(value):
        return _NOT if math.isnan(value) else str(value)
    return value


def _parse_list(kind: Any, text: str, where: str) -> Any:
    if text.lower() == "none":
        return _NOT
    items = [item for item in text.strip("[]()").split(",") if item.strip()]
    kinds = item_kinds(kind, len(items))
    if kinds is None:
        return _NOT
    return [parse(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(zip(kinds, items, strict=True))]
