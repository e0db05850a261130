"""What a settings class declares: its fields' types and ranges, in words too, and the text that stands below each."""

from __future__ import annotations

import ast
import inspect
import math
import reprlib
import textwrap
import types
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt

from vaelab.catalogue import members
from vaelab.errors import InputError, unknown_name

_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", type(None): "none"}
_PLURALS = {int: "whole numbers", float: "numbers", str: "texts"}


@cache
def field_types(cls: type) -> dict[str, Any]:
    """Name -> type of every field that can be set, with the range and the marks that it is annotated with.

    >>> from vaelab.networks.mlp import MLPEncoder
    >>> field_types(MLPEncoder)["activation"]
    typing.Literal['relu', 'tanh', 'leaky_relu', 'silu']
    """
    hints = get_type_hints(cls, include_extras=True)
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


def bare(kind: Any) -> Any:
    """A type without its marks."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def marks(kind: Any) -> tuple[Any, ...]:
    """What a type is annotated with, itself or as an alternative of a union."""
    own = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return own + tuple(mark for option in _union(bare(kind)) for mark in marks(option))


def options(kind: Any) -> tuple[Any, ...]:
    """The alternatives of a union, of any other type itself; without marks.

    >>> options(Annotated[int, Ge(1)] | None)
    (<class 'int'>, <class 'NoneType'>)
    """
    return tuple(option for option, _ in _alternatives(kind))


def fits(option: Any, value: Any) -> bool:
    """Whether a value is one of a type without alternatives; a list's items are not looked at.

    >>> fits(float, 1), fits(int, 1.0), fits(Literal["relu"], "tanh")
    (True, False, False)
    """
    if get_origin(option) is Literal:
        return any(value == choice and type(value) is type(choice) for choice in get_args(option))
    if option is float and not isinstance(value, bool):
        return (isinstance(value, float) and not math.isnan(value)) or (isinstance(value, int) and abs(value) < 2**1023)
    if option in (bool, int, str, type(None)):
        return type(value) is option
    if is_dataclass(option):
        return isinstance(value, option)  # pyright: ignore[reportArgumentType]
    return get_origin(option) is not tuple  # a type of somebody's own, which no file can hold: theirs to check


def item_kinds(kind: Any, count: int) -> tuple[Any, ...] | None:
    """The type of each of `count` items, where one of the type's alternatives is a tuple of so many; else None.

    >>> item_kinds(tuple[int, ...] | None, 2), item_kinds(tuple[int, float], 1)
    ((<class 'int'>, <class 'int'>), None)
    """
    inner = next((get_args(option) for option in options(kind) if get_origin(option) is tuple), ())
    kinds = inner[:1] * count if inner[-1:] == (...,) else inner
    return kinds if inner and len(kinds) == count else None


def limits(kind: Any) -> tuple[Any, ...]:
    """The range of a type, or of the number among its alternatives: marks of annotated_types; empty for none.

    >>> limits(Annotated[int, Ge(1)] | None)
    (Ge(ge=1),)
    """
    return tuple(mark for mark in marks(kind) if isinstance(mark, Ge | Gt | Le | Lt))


def in_words(limits: tuple[Any, ...]) -> str:
    """A range in words, as an error says it; nothing for none.

    >>> in_words((Ge(1),)), in_words((Gt(0), Lt(math.inf))), in_words((Ge(0), Le(1)))
    ('at least 1', 'positive and finite', 'from 0 to 1')
    """
    low = next((mark for mark in limits if isinstance(mark, Ge | Gt)), None)
    high = next((mark for mark in limits if isinstance(mark, Le | Lt)), None)
    if isinstance(low, Ge) and isinstance(high, Le):
        return f"from {low.ge} to {high.le}"
    words = []
    if isinstance(low, Ge):
        words.append("0 or more" if low.ge == 0 and high else f"at least {low.ge}")
    elif low is not None and low.gt != -math.inf:
        words.append("positive" if low.gt == 0 else f"above {low.gt}")
    if high is not None:
        top = high.le if isinstance(high, Le) else high.lt
        words.append("finite" if top == math.inf else f"{'at most' if isinstance(high, Le) else 'below'} {top}")
    return " and ".join(words)


def describe(kind: Any) -> str:
    """A type with its range in words, as an error or a help text says it.

    >>> describe(Literal["relu", "tanh"] | Annotated[float, Gt(0)])
    'relu, tanh or a number (positive)'
    >>> describe(tuple[Annotated[int, Ge(1)], ...])
    'a list of whole numbers (each at least 1)'
    >>> describe(tuple[Annotated[int, Ge(1)], Annotated[int, Ge(1)]])
    'a list of 2 whole numbers (each at least 1)'
    """
    words = [word for option, range_ in _alternatives(kind) for word in _words(option, in_words(range_))]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def refusal(kind: Any, value: Any, where: str, mend: str = "") -> InputError:
    """The error for what is no value of a type; of a choice among names, with the nearest one."""
    choices = [option for option in options(kind) if option is not type(None)]
    if isinstance(value, str) and all(get_origin(choice) is Literal for choice in choices):
        return unknown_name(where, value, [str(name) for choice in choices for name in get_args(choice)])
    return InputError(where, f"be {describe(kind)}", reprlib.repr(value), mend)


def _union(kind: Any) -> tuple[Any, ...]:
    """The alternatives of a union, with their marks; of any other type, none."""
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else ()


def _alternatives(kind: Any) -> list[tuple[Any, tuple[Any, ...]]]:
    """(type, range) of each alternative."""
    return [(bare(option), limits(option)) for option in _union(bare(kind)) or (kind,)]


def _words(kind: Any, within: str) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(value) for value in get_args(kind)]
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if inner[-1] is not Ellipsis and len({*inner}) > 1:
            return [f"a list of {len(inner)} ({', '.join(describe(kind) for kind in inner)})"]
        each = in_words(limits(inner[0]))
        items = _PLURALS.get(bare(inner[0])) or f"items, each {describe(inner[0])}"
        count = "" if inner[-1] is Ellipsis else f"{len(inner)} "
        return [f"a list of {count}{items}" + (f" (each {each})" if each and bare(inner[0]) in _PLURALS else "")]
    if is_dataclass(kind):
        contract = contract_of(kind)
        if contract is None:
            return [f"the fields of {getattr(kind, '__name__', kind)}"]
        return [name for name, member in members(contract).items() if kind in member.__mro__]
    return [_WORDS.get(kind, str(kind)) + (f" ({within})" if within else "")]


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
