"""Parts as plain values and back, exactly: what a file holds.

A part of an open family is a mapping with its name, ``{"kind": "gaussian", "scale": 0.1}``; any other settings class is
a mapping of its fields; a tuple is a list; infinity is the text ``inf``. Nothing that is read can run code.
"""

from __future__ import annotations

import hashlib
import json
import math
import reprlib
from dataclasses import MISSING, is_dataclass
from typing import Any, TypeVar

from vaelab.catalogue import find, members, name_of
from vaelab.errors import InputError, unknown_name
from vaelab.settings.fields import contract_of, describe, field_types, fits, item_kinds, options, refusal
from vaelab.settings.ranges import is_added, is_place

T = TypeVar("T")
_INFINITIES = {"inf": math.inf, "-inf": -math.inf}


def to_record(part: object, where: str = "") -> dict[str, Any]:
    """A part as plain values, every field of it.

    Raises:
        InputError: A value, or a part, is of a kind that cannot be written and read back.

    >>> from vaelab.networks.mlp import MLPEncoder
    >>> to_record(MLPEncoder(hidden=(64, 32)))
    {'kind': 'mlp', 'hidden': [64, 32], 'activation': 'relu'}
    """
    cls, contract = type(part), contract_of(type(part))
    record = {}
    if contract:
        if members(contract).get(name_of(cls)) is not cls:
            mend = f"Save its class as a file in the folder of {contract.__name__}."
            raise InputError(where or cls.__name__, f"be one of {', '.join(members(contract))}", cls.__name__, mend)
        record["kind"] = name_of(cls)
    kinds = field_types(cls)
    return record | {name: _plain(kind, getattr(part, name), join(where, name)) for name, kind in kinds.items()}


def numbers(part: object) -> dict[str, Any]:
    """The record without the fields that decide no number: those that say where something lies, and those that were
    added since and stand at their default.

    >>> from vaelab.data.sources.npz import NpzSource
    >>> "path" in numbers(NpzSource(path="a.npz"))
    False
    """
    kinds = {
        name: kind
        for name, kind in field_types(type(part)).items()
        if not is_place(kind) and not (is_added(kind) and getattr(part, name) == _default(type(part), name))
    }
    values = {name: getattr(part, name) for name in kinds}
    nested = {name: numbers(value) for name, value in values.items() if is_dataclass(value)}
    return {name: value for name, value in to_record(part).items() if name in kinds or name == "kind"} | nested


def from_record(cls: type[T], record: object, where: str = "") -> T:
    """The part that a record describes; fields left out keep their defaults.

    Args:
        cls: A settings class, or the contract of a family.
        record: As `to_record` gives it.
        where: Path of the part within the whole, for the errors.

    Raises:
        InputError: A name is not known, a value is of the wrong type, or a field without a default is missing.

    >>> from vaelab.networks import Encoder
    >>> from_record(Encoder, {"kind": "mlp", "hidden": [64, 32]})
    MLPEncoder(hidden=(64, 32), activation='relu')
    """
    if not isinstance(record, dict):
        raise InputError(where or "the record", f"be {describe(cls)}, with its fields", reprlib.repr(record))
    member = member_of(cls, record, where)
    kinds = field_types(member)
    for name in record:
        if name not in kinds and not (name == "kind" and contract_of(cls)):
            raise unknown_name(join(where, name), name, kinds)
    values = {
        name: read_value(kinds[name], value, join(where, name)) for name, value in record.items() if name in kinds
    }
    for name, field in member.__dataclass_fields__.items():  # pyright: ignore[reportAttributeAccessIssue]
        if name in kinds and name not in values and not _has_default(field):
            raise InputError(join(where, name), f"be {describe(kinds[name])}", "nothing", "It has no default.")
    try:
        return member(**values)
    except InputError as error:
        raise error.within(where) from None


def digest(record: dict[str, Any]) -> str:
    """SHA-256 of a record, the same on every machine: 64 hexadecimal digits; 1 and 1.0 are the same number.

    >>> digest({"a": 1, "b": 2.5}) == digest({"b": 2.5, "a": 1.0})
    True
    """
    text = json.dumps(_canonical(record), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def join(where: str, name: str) -> str:
    """The path of a field within a part, printable whatever was typed."""
    name = name if name and name.isprintable() else repr(name)
    return f"{where}.{name}" if where else name


def member_of(cls: type, record: dict, where: str) -> type:
    """The class itself, or the member of its family that the record names."""
    contract = contract_of(cls)
    if contract is None:
        return cls
    kind = record.get("kind")
    if not isinstance(kind, str):
        got = "nothing" if kind is None else reprlib.repr(kind)
        raise InputError(join(where, "kind"), f"be one of {', '.join(members(contract))}", got)
    member = find(contract, kind, where or None)
    if not issubclass(member, cls):
        raise InputError(join(where, "kind"), f"be {name_of(cls)}", repr(kind))
    return member


def _plain(kind: Any, value: Any, where: str) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return to_record(value, where)
    if isinstance(value, tuple):
        kinds = item_kinds(kind, len(value)) or (Any,) * len(value)
        return [_plain(kind, item, where) for kind, item in zip(kinds, value, strict=True)]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if float in options(kind) and int not in options(kind) and fits(float, value):
        return float(value)  # pyright: ignore[reportArgumentType]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    mend = "Give a tuple." if isinstance(value, list) else ""
    raise InputError(where, "be a number, text, true, false, none, a tuple or a part", reprlib.repr(value), mend)


def read_value(kind: Any, value: Any, where: str) -> Any:
    """The value of a type that a plain value stands for.

    Raises:
        InputError: The plain value is of another type.
    """
    for option in options(kind):
        if is_dataclass(option) and isinstance(value, dict):
            return from_record(option, value, where)  # pyright: ignore[reportArgumentType]
        if option is float and isinstance(value, str) and value in _INFINITIES:
            return _INFINITIES[value]
        items = item_kinds(option, len(value)) if isinstance(value, list) else None
        if items is not None:
            pairs = enumerate(zip(items, value, strict=True))
            return tuple(read_value(kind, item, f"{where}[{i}]") for i, (kind, item) in pairs)
        if fits(option, value):
            return float(value) if option is float else value  # pyright: ignore
    raise refusal(kind, value, where)


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _canonical(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _default(cls: Any, name: str) -> Any:
    return cls.__dataclass_fields__[name].default


def _has_default(field: Any) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING
