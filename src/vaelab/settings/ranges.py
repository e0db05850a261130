"""In which range a setting may lie: it stands in the field's type, and is read by the check, the help and the tests.

class Training(Settings):
    batch_size: AtLeast1 = 64
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt

from vaelab.errors import InputError

AtLeast0 = Annotated[int, Ge(0)]
AtLeast1 = Annotated[int, Ge(1)]
Positive = Annotated[float, Gt(0), Lt(math.inf)]
NotNegative = Annotated[float, Ge(0), Lt(math.inf)]


@dataclass(frozen=True)
class Place:
    """Marks a text that says where something lies: it decides no number, so it stays out of an experiment's hash."""


PathText = Annotated[str, Place()]
Range = tuple[Any, ...]
"""Limits from annotated_types: Ge, Gt, Le, Lt."""


class Settings:
    """What a user can set: a frozen dataclass, whose ranges are checked when it is made.

    A class that has more to refuse calls ``super().__post_init__()`` first.
    """

    def __post_init__(self):
        for name, kind in hints(type(self)).items():
            _check(name, kind, getattr(self, name))


@cache
def hints(cls: type) -> dict[str, Any]:
    """Name -> type of every field that can be set, with its range."""
    found = get_type_hints(cls, include_extras=True)
    return {f.name: found[f.name] for f in fields(cls) if f.init}  # pyright: ignore[reportArgumentType]


def limits(kind: Any) -> Range:
    """The range of a type; empty where there is none."""
    return tuple(mark for mark in _marks(kind) if isinstance(mark, Ge | Gt | Le | Lt))


def is_place(kind: Any) -> bool:
    """Whether a type is that of a path, alone or beside None."""
    return any(isinstance(mark, Place) for option in (kind, *get_args(kind)) for mark in _marks(option))


def in_words(limits: Range) -> str:
    """A range in words, as an error says it; nothing for none.

    >>> in_words((Ge(1),)), in_words((Gt(0), Lt(math.inf))), in_words((Ge(0), Le(1)))
    ('at least 1', 'positive and finite', 'from 0 to 1')
    """
    low = next((mark for mark in limits if isinstance(mark, Ge | Gt)), None)
    high = next((mark for mark in limits if isinstance(mark, Le | Lt)), None)
    if isinstance(low, Ge) and isinstance(high, Le):
        return f"from {low.ge:g} to {high.le:g}"  # pyright: ignore[reportArgumentType]
    words = []
    if isinstance(low, Ge):
        words.append("0 or more" if low.ge == 0 and high else f"at least {low.ge}")
    elif low is not None:
        words.append("positive" if low.gt == 0 else f"above {low.gt}")
    if high is not None:
        top = high.le if isinstance(high, Le) else high.lt
        words.append("finite" if top == math.inf else f"{'at most' if isinstance(high, Le) else 'below'} {top}")
    return " and ".join(words)


def _check(where: str, kind: Any, value: Any) -> None:
    """Refuses a number outside the range of its type, items of a list too."""
    if isinstance(value, tuple):
        inner = next((get_args(option) for option in (kind, *get_args(kind)) if get_origin(option) is tuple), ())
        kinds = inner[:1] * len(value) if inner[-1:] == (...,) else inner
        for i, (item_kind, item) in enumerate(zip(kinds, value, strict=False)):
            _check(f"{where}[{i}]", item_kind, item)
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    options = [kind, *(get_args(kind) if get_origin(kind) is not Annotated else ())]
    found = next((limits(option) for option in options if limits(option)), ())
    if not all(_within(value, mark) for mark in found):
        none = ", or none" if type(None) in get_args(kind) else ""
        raise InputError(where, f"be {in_words(found)}{none}", value)


def _within(value: float, mark: Any) -> bool:
    if isinstance(mark, Ge):
        return value >= mark.ge  # pyright: ignore[reportOperatorIssue]
    if isinstance(mark, Gt):
        return value > mark.gt  # pyright: ignore[reportOperatorIssue]
    return value <= mark.le if isinstance(mark, Le) else value < mark.lt  # pyright: ignore[reportOperatorIssue]


def _marks(kind: Any) -> tuple[Any, ...]:
    return get_args(kind)[1:] if get_origin(kind) is Annotated else ()
