"""What a settings class declares: its fields' types, in words too, and the text that stands below each field."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from vaelab.catalogue import members

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", type(None): "none"}
_PLURALS = {int: "whole numbers", float: "numbers", str: "texts"}


@cache
def field_types(cls: type) -> dict[str, Any]:
    """Name -> type of every field that can be set.

    >>> from vaelab.networks.mlp import MLPEncoder
    >>> field_types(MLPEncoder)["hidden"]
    tuple[int, ...]
    """
    hints = get_type_hints(cls)
    return {f.name: hints[f.name] for f in fields(cls) if f.init}


@cache
def field_docs(cls: type) -> dict[str, str]:
    """Name -> the string that stands below the field in the source, on one line; inherited fields too.

    >>> from vaelab.networks.mlp import MLPEncoder
    >>> field_docs(MLPEncoder)["activation"]
    'What follows each hidden layer.'
    """
    docs = {}
    for base in reversed(cls.__mro__):
        if is_dataclass(base):
            docs |= _docs_below(base)
    return docs


def contract_of(cls: Any) -> type | None:
    """The contract of the open family that a class belongs to, or is itself; None for any other class."""
    bases = cls.__mro__ if inspect.isclass(cls) else ()
    return next((b for b in bases if b.__module__.rsplit(".", 1)[-1] == "_base" and inspect.isabstract(b)), None)


def options(kind: Any) -> tuple[Any, ...]:
    """The alternatives of a union; of any other type, itself.

    >>> options(int | None)
    (<class 'int'>, <class 'NoneType'>)
    """
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def describe(kind: Any) -> str:
    """A type in words, as an error or a help text says it.

    >>> describe(Literal["relu", "tanh"] | float)
    'relu, tanh or a number'
    >>> describe(tuple[int, ...])
    'a list of whole numbers'
    """
    words = [word for option in options(kind) for word in _words(option)]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _words(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(value) for value in get_args(kind)]
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if inner[-1] is Ellipsis:
            return [f"a list of {_PLURALS.get(inner[0]) or f'items, each {describe(inner[0])}'}"]
        return [f"a list of {len(inner)} ({', '.join(describe(kind) for kind in inner)})"]
    if is_dataclass(kind):
        contract = contract_of(kind)
        if contract is None:
            return [f"the fields of {getattr(kind, '__name__', kind)}"]
        return [name for name, member in members(contract).items() if kind in member.__mro__]
    return [_WORDS.get(kind, str(kind))]


def _docs_below(cls: type) -> dict[str, str]:
    """Name -> text for the fields that the class itself declares."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0].body  # pyright: ignore[reportAttributeAccessIssue]
    except (OSError, TypeError):
        return {}
    return {
        above.target.id: " ".join(below.value.value.split())
        for above, below in pairwise(body)
        if isinstance(above, ast.AnnAssign)
        and isinstance(above.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }
