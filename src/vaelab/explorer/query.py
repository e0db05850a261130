"""A small language in which images are chosen by their columns; it can compare, and nothing else.

    moa = DMSO and concentration > 1
    not (moa in (DMSO, "Eg5 inhibitors") or z3 <= -0.5)
    filename contains A01 and plate is not missing

A comparison is a column, ``= != < <= > >=``, ``in (...)``, ``contains`` or ``is missing``, and a value. Comparisons go
together by ``and``, ``or``, ``not`` and brackets; ``and`` binds closer than ``or``. Names and values of several words
need no quotes, those with signs or with one of these words in them do. Numbers are equal to six digits. ``contains``
does not mind capitals. An image without a value is in no comparison but ``is missing``, and so is in ``not`` of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd

from vaelab.errors import InputError, unknown_name

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=", "in", "contains", "is missing")
MOST_CHARACTERS, MOST_DEPTH = 2000, 40
_WORDS = {"and", "or", "not", "in", "is", "contains", "missing"}
_TOKEN = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|(<=|>=|!=|==|[=<>(),])|([^\s<>=!(),"']+))""")
_SAME = 1e-6


def chosen(query: str, column: Callable[[str], pd.Series]) -> np.ndarray:
    """(image,) bool: which images a query chooses.

    Args:
        query: As the module says.
        column: From a column's name to its values, one per image; raises InputError where there is none.

    Raises:
        InputError: It is no query, a column or a kind is not there, or numbers are compared with words.

    >>> table = pd.DataFrame({"moa": ["DMSO", "DMSO", "taxol"], "dose": [0.5, 2.0, 3.0]})
    >>> chosen("moa = DMSO and dose > 1", table.__getitem__).tolist()
    [False, True, False]
    """
    if len(query) > MOST_CHARACTERS:
        raise InputError("the query", f"have {MOST_CHARACTERS} characters at most", f"{len(query)}")
    reader = _Reader(query, column)
    found = reader.either(0)
    if reader.at < len(reader.tokens):
        raise reader.refused("and, or, or nothing more")
    return found


class _Reader:
    """Goes through a query from left to right.

    Args:
        query: The text.
        column: As in `chosen`.
    """

    def __init__(self, query: str, column: Callable[[str], pd.Series]):
        self.tokens, self.column, self.at = _tokens(query), column, 0

    def refused(self, wanted: str) -> InputError:
        """What should stand where something else does."""
        place = self.tokens[self.at][1] if self.at < len(self.tokens) else "its end"
        before = " ".join(text for _, text in self.tokens[: self.at][-4:])
        return InputError("the query", f"have {wanted}" + (f" after {before!r}" if before else ""), repr(place))

    def takes(self, *signs: str) -> str:
        """One of these signs or words if it comes next, else nothing."""
        if self.at < len(self.tokens):
            kind, text = self.tokens[self.at]
            if kind != "quoted" and text.lower() in signs:
                self.at += 1
                return text.lower()
        return ""

    def needs(self, sign: str) -> None:
        """A sign that has to come."""
        if not self.takes(sign):
            raise self.refused(repr(sign))

    def either(self, depth: int) -> np.ndarray:
        """One or several with `or` between them."""
        if depth > MOST_DEPTH:
            raise InputError("the query", f"have {MOST_DEPTH} brackets within each other at most", "more")
        found = self.both(depth)
        while self.takes("or"):
            found = found | self.both(depth)
        return found

    def both(self, depth: int) -> np.ndarray:
        """One or several with `and` between them."""
        found = self.one(depth)
        while self.takes("and"):
            found = found & self.one(depth)
        return found

    def one(self, depth: int) -> np.ndarray:
        """A comparison, something in brackets, or what is not."""
        turned = False
        while self.takes("not"):
            turned = not turned
        if self.takes("("):
            found = self.either(depth + 1)
            self.needs(")")
        else:
            found = self.comparison()
        return ~found if turned else found

    def comparison(self) -> np.ndarray:
        """A column, how it is compared, and with what."""
        name = self.text("a column")
        values = self.column(name)
        if self.takes("is"):
            turned = self.takes("not")
            self.needs("missing")
            return (values.notna() if turned else values.isna()).to_numpy(bool)
        if self.takes("contains"):
            part = self.text("a text").lower()
            return values.astype(str).str.lower().str.contains(part, regex=False).to_numpy(bool) & _there(values)
        if self.takes("in"):
            self.needs("(")
            found = _equal(values, name, self.text("a value"))
            while self.takes(","):
                found = found | _equal(values, name, self.text("a value"))
            self.needs(")")
            return found
        if not (sign := self.takes("=", "==", "!=", "<", "<=", ">", ">=")):
            raise self.refused(f"one of {', '.join(COMPARISONS)}")
        value = self.text("a value")
        if sign in ("=", "=="):
            return _equal(values, name, value)
        if sign == "!=":
            return ~_equal(values, name, value) & _there(values)
        return _ordered(values, name, sign, value)

    def text(self, what: str) -> str:
        """A quoted text, or words up to the next sign."""
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "quoted":
            self.at += 1
            return self.tokens[self.at - 1][1]
        start = self.at
        while self.at < len(self.tokens) and self.tokens[self.at][0] == "word":
            if self.tokens[self.at][1].lower() in _WORDS:
                break
            self.at += 1
        if self.at == start:
            raise self.refused(what)
        return " ".join(text for _, text in self.tokens[start : self.at])


def _tokens(query: str) -> list[tuple[str, str]]:
    """(quoted, sign or word, text) one after another."""
    found, at, query = [], 0, query.strip()
    while at < len(query):
        match = _TOKEN.match(query, at)
        if match is None:
            raise InputError("the query", "have quotes in pairs", repr(query[at : at + 20]))
        double, single, sign, word = match.groups()
        kind = "sign" if sign else "word" if word else "quoted"
        found.append((kind, next(text for text in (sign, word, double, single) if text is not None)))
        at = match.end()
    return found


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _there(values: pd.Series) -> np.ndarray:
    return values.notna().to_numpy(bool)


def _number(name: str, text: str) -> float:
    try:
        return float(text.replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        raise InputError(name, "be compared with a number", repr(text)) from None


def _equal(values: pd.Series, name: str, text: str) -> np.ndarray:
    if _is_number(values):
        return _close(values.to_numpy(np.float64, na_value=np.nan), _number(name, text))
    words = values.astype(str)
    found = (words == text).to_numpy(bool) & _there(values)
    if not found.any():
        raise unknown_name(name, text, words[_there(values)].value_counts().index[:200].tolist())
    return found


def _close(values: np.ndarray, number: float) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.abs(values - number) <= _SAME * np.maximum(np.abs(values), abs(number))


def _ordered(values: pd.Series, name: str, sign: str, text: str) -> np.ndarray:
    if not _is_number(values):
        raise InputError(name, "hold numbers to be compared by their size", f"words ({sign} {text})")
    number, own = _number(name, text), values.to_numpy(np.float64, na_value=np.nan)
    beyond = own < number if sign[0] == "<" else own > number
    same = _close(own, number)
    return beyond | same if sign.endswith("=") else beyond & ~same
