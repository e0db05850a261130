"""In which range a setting may lie: it stands in the field's type, and is read by the check, the help and the tests.

class Training(Settings):
    batch_size: AtLeast1 = 64
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, get_origin

from annotated_types import Ge, Gt, Le, Lt

from vaelab.errors import InputError
from vaelab.settings.fields import field_types, fits, in_words, item_kinds, limits, marks, options, refusal

AtLeast0 = Annotated[int, Ge(0)]
AtLeast1 = Annotated[int, Ge(1)]
_LARGEST = 3.4e38
"""What is finite as a float of 32 bits, in which networks compute."""
Positive = Annotated[float, Gt(0), Lt(math.inf)]
Finite = Annotated[float, Gt(-math.inf), Lt(math.inf)]
NotNegative = Annotated[float, Ge(0), Lt(math.inf)]
Share = Annotated[float, Ge(0), Le(1)]
Seed = Annotated[int, Ge(0), Le(2**32 - 1)]
"""What every generator of random numbers takes."""


@dataclass(frozen=True)
class Place:
    """Marks a text that says where something lies: it decides no number, so it stays out of an experiment's hash."""


PathText = Annotated[str, Place()]


class Settings:
    """What a user can set: a frozen dataclass, whose types and ranges are checked when it is made.

    A class that has more to refuse calls ``super().__post_init__()`` first.
    """

    def __post_init__(self):
        for name, kind in field_types(type(self)).items():
            _check(name, kind, getattr(self, name))

    @contextmanager
    def named(self, path: str) -> Iterator[None]:
        """A refusal inside the block that is of one of these fields gets the path of this part before it.

        ``with data.split.named("split"): ...`` says ``split.group`` where the split says ``group``.
        """
        try:
            yield
        except InputError as error:
            field = re.match(r"(\w+)($|[.\[]| ')", error.what)
            if not (field and field[1] in field_types(type(self))):
                raise
            raise error.within(path) from None


def is_place(kind: Any) -> bool:
    """Whether a type is that of a path, alone or beside None."""
    return Place() in marks(kind)


def _check(where: str, kind: Any, value: Any) -> None:
    """Refuses a value of another type, and a number outside the range of its type; items of a list too."""
    items = item_kinds(kind, len(value)) if isinstance(value, tuple) else None
    if items is not None:
        for i, (item_kind, item) in enumerate(zip(items, value, strict=True)):
            _check(f"{where}[{i}]", item_kind, item)
    elif not any(fits(option, value) for option in options(kind)):
        is_list = isinstance(value, list) and any(get_origin(option) is tuple for option in options(kind))
        raise refusal(kind, value, where, "Give a tuple." if is_list else "")
    elif isinstance(value, int | float) and not all(_within(value, mark) for mark in limits(kind)):
        none = ", or none" if type(None) in options(kind) else ""
        raise InputError(where, f"be {in_words(limits(kind))}{none}", value)


def _within(value: float, mark: Any) -> bool:
    if isinstance(mark, Ge):
        return value >= mark.ge  # pyright: ignore[reportOperatorIssue]
    if isinstance(mark, Gt):
        return value > mark.gt  # pyright: ignore[reportOperatorIssue]
    if isinstance(mark, Lt) and mark.lt == math.inf:
        return value <= _LARGEST
    return value <= mark.le if isinstance(mark, Le) else value < mark.lt  # pyright: ignore[reportOperatorIssue]
