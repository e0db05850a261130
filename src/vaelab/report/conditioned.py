"""What the model draws under one condition, and the same code under several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import torch

from vaelab.data.conditions import Condition, as_words
from vaelab.inference import decode_mean
from vaelab.models import Model, evaluating, local_randomness
from vaelab.report.evidence import Swaps
from vaelab.report.words import number
from vaelab.runs import Run

MOST_CATEGORIES, NUM_SWAPPED, NUM_NEW = 10, 6, 4


def usual_condition(run: Run) -> dict[str, object]:
    """By column, the most frequent category of the training images, or the mean of their numbers."""
    return {c.column: _by_frequency(run, c)[0] if c.categories else c.mean for c in run.facts.conditions}


def in_words(condition: Mapping[str, object]) -> str:
    """
    >>> in_words({"drug": "taxol", "dose": 1.5})
    'drug = taxol, dose = 1.500'
    """
    shown = {name: number(value) if isinstance(value, float) else str(value) for name, value in condition.items()}
    return ", ".join(f"{name} = {value}" for name, value in shown.items())


def swap_conditions(run: Run, rows: np.ndarray, seed: int) -> Swaps | None:
    """Held-out images and new codes under each category of the first condition that has several; None: there is none.

    Args:
        run: The run.
        rows: Of the collection, in the order in which they are shown; the first ones are.
        seed: Of the new codes.
    """
    condition = next((c for c in run.facts.conditions if len(c.categories) > 1), None)
    if condition is None:
        return None
    frequent = set(_by_frequency(run, condition)[:MOST_CATEGORIES])
    categories = tuple(c for c in condition.categories if c in frequent)
    rows = rows[:NUM_SWAPPED]
    x, own = run.feed(rows), run.given(rows)
    with evaluating(own):
        z = own.encode(x).mean
    with local_randomness(seed, torch.device("cpu")):
        z_new = run.model.prior.sample(torch.Size([NUM_NEW]))
    table = run.dataset.collection.table.iloc[rows]

    def under(category: str, count: int) -> Model:
        """The model for the first images, had they this category and else their own conditions."""
        other = table.iloc[np.arange(count) % len(table)].assign(**{condition.column: category})
        return run.given_table(other)

    return Swaps(
        column=condition.column,
        categories=categories,
        total=len(condition.categories),
        own=tuple(as_words(table[condition.column])),
        originals=x.numpy(),
        images=np.stack([decode_mean(under(category, len(z)), z) for category in categories], axis=1),
        samples=np.stack([decode_mean(under(category, NUM_NEW), z_new) for category in categories], axis=1),
    )


def _by_frequency(run: Run, condition: Condition) -> list[str]:
    """Categories, those of most training images first."""
    column = run.dataset.collection.table[condition.column]
    counts = Counter(as_words(column.iloc[run.splits.train]))
    return sorted(condition.categories, key=lambda category: -counts[category])
