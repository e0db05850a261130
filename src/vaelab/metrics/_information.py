"""Information of each latent on each factor, without bins."""

from __future__ import annotations

import numpy as np

from vaelab.metrics._ksg import ksg, ksg_of_kinds
from vaelab.metrics._truth import is_discrete


def shares(codes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """(image, latent, factor): each image's share of the mutual information, in nats; a constant latent has none.

    By nearest neighbours: Kraskov et al. 2004 for two columns of many values, Ross 2014 for one of many and one of few;
    for two of few it is that of their table.
    """
    found = [[_pair(z, y) for y in factors.T] for z in codes.T]
    return np.moveaxis(np.array(found), 2, 0)


def _pair(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    if z.std() == 0:
        return np.zeros(len(z))
    if is_discrete(z):
        return _of_table(z, y) if is_discrete(y) else ksg_of_kinds(y, z)
    return ksg_of_kinds(z, y) if is_discrete(y) else ksg(z, y)


def _of_table(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    rows, columns = (np.unique(column, return_inverse=True)[1] for column in (z, y))
    table = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(table, (rows, columns), 1 / len(z))
    return np.log(table[rows, columns] / (table.sum(1)[rows] * table.sum(0)[columns]))
