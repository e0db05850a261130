"""Conditions of a model that the page may put in place of an image's own: ``under=moa=taxol``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from starlette.requests import Request

from vaelab.data.conditions import Condition, as_words
from vaelab.errors import InputError
from vaelab.explorer.view import Under, View


def asked_under(request: Request, view: View) -> Under:
    """Column -> value, of each column that is to be another than the image's own.

    Raises:
        InputError: A column is none of the model's condition, is there twice, or its value is no number.
    """
    found: dict[str, object] = {}
    for text in request.query_params.getlist("under"):
        condition = next((each for each in view.run.facts.conditions if text.startswith(f"{each.column}=")), None)
        if condition is None or condition.column in found:
            known = ", ".join(each.column for each in view.run.facts.conditions) or "none"
            raise InputError("under", f"be COLUMN=VALUE, once for each of {known}", repr(text)[:80])
        value = text[len(condition.column) + 1 :]
        found[condition.column] = value if condition.categories else _number(condition, value)
    return found


def conditions_of(view: View) -> list[dict[str, Any]]:
    """The columns of the model's condition: categories, those that most images have first, or the ends of numbers."""
    return [_condition(view, each) for each in view.run.facts.conditions]


def _condition(view: View, condition: Condition) -> dict[str, Any]:
    there = view.table.get(condition.column)
    if condition.categories:
        counts = Counter([] if there is None else as_words(there))
        ordered = sorted(condition.categories, key=lambda category: -counts[category])
        return {"column": condition.column, "categories": ordered}
    known = np.array([condition.mean - condition.scale, condition.mean + condition.scale])
    values = known if there is None else there.to_numpy(np.float64)
    return {"column": condition.column, "categories": [], "low": float(values.min()), "high": float(values.max())}


def _number(condition: Condition, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise InputError(f"under {condition.column}", "be a number", repr(text)[:80])
    return value
