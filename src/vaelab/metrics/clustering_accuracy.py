"""How far clusters that were found are the kinds that are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from vaelab.errors import InputError
from vaelab.metrics._metric import metric
from vaelab.metrics._resample import mean_score
from vaelab.metrics._score import Score


@metric(
    "Clustering accuracy",
    group="clusters",
    order=10,
    better="higher",
    source="Xie et al. 2016, https://arxiv.org/abs/1511.06335",
)
def clustering_accuracy(labels: np.ndarray, clusters: np.ndarray) -> Score:
    """The share of images whose cluster stands for their label, each cluster standing for the label that suits best.

        max over one-to-one maps m of  1/n sum over images of [label = m(cluster)]

    The best map is found by the Hungarian method. Images of a cluster for which no label is left count as wrong; with
    fewer clusters than labels, only as many labels can be met, which is the ceiling. All images in one cluster score
    the share of the largest label, which is the null.

    The map is chosen by the labels of the same images, so of few images, or for many clusters, the accuracy is too
    high; the interval, which keeps the map, does not speak of that.

    Args:
        labels: (image,), anything that can be told apart; none missing.
        clusters: (image,), likewise.

    Raises:
        InputError: There are no images, a value is missing, or not as many labels as clusters are given.

    *Source*: Xie et al. 2016, section 4.2 (https://arxiv.org/abs/1511.06335); Kuhn 1955.

    >>> clustering_accuracy(np.array(["a", "a", "b", "b"]), np.array([7, 7, 3, 7]))[0].value
    0.75
    """
    if len(labels) != len(clusters) or not len(labels):
        raise InputError("labels", "be one for each clustered image, and at least one", (len(labels), len(clusters)))
    rows, kinds = pd.factorize(labels)
    columns, found = pd.factorize(clusters)
    if min(rows.min(), columns.min()) < 0:
        raise InputError("labels and clusters", "have a value for every image", "missing ones")
    cells = np.bincount(rows * len(found) + columns, minlength=len(kinds) * len(found))
    table = cells.reshape(len(kinds), len(found))
    label_of = np.full(len(found), -1)
    best = linear_sum_assignment(table, maximize=True)
    label_of[best[1]] = best[0]
    largest = np.sort(table.sum(1))[::-1][: len(found)]
    correct = (label_of[columns] == rows).astype(np.float64)
    ceiling, null = largest.sum() / len(labels), largest[0] / len(labels)
    return mean_score(correct, "share of images", null=float(null), ceiling=float(ceiling))
