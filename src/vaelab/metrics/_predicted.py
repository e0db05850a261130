"""Kinds predicted from codes, each image by a probe that was fitted without it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from vaelab.metrics._truth import standardized

NUM_FOLDS = 5


def folds(units: np.ndarray) -> Iterator[np.ndarray]:
    """(image,) whether it is of the fold, fold by fold: a fifth of the units each."""
    count = int(units.max()) + 1
    fold = (np.random.default_rng(0).permutation(count) % min(NUM_FOLDS, count))[units]
    return (fold == here for here in range(fold.max() + 1))


def probabilities(codes: np.ndarray, kinds: np.ndarray, units: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """(image, kind): by logistic regression that was fitted to the other folds; a kind that they lack has 0.

    Args:
        codes: (image, latent), standardised.
        kinds: (image,) numbers from 0.
        units: (image,) numbers from 0 of what stays together; of two kinds or more.
        strength: What the squared coefficients are divided by; larger: less regularised.
    """
    found = np.zeros((len(kinds), kinds.max() + 1))
    for here in folds(units):
        there = np.unique(kinds[~here])
        if len(there) == 1:
            found[here, there[0]] = 1
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # near enough after so many steps
            model = LogisticRegression(C=strength, max_iter=200).fit(codes[~here], kinds[~here])
        found[np.ix_(here, model.classes_)] = model.predict_proba(codes[here])
    return found


def nearest_kinds(codes: np.ndarray, kinds: np.ndarray, units: np.ndarray, num_neighbours: int) -> np.ndarray:
    """(image,): the kind of most of the nearest codes in the other folds."""
    found, z = np.empty_like(kinds), standardized(codes)
    for here in folds(units):
        model = KNeighborsClassifier(min(num_neighbours, int((~here).sum())))
        found[here] = model.fit(z[~here], kinds[~here]).predict(z[here])
    return found
