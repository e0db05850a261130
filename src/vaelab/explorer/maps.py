"""Maps on which images are shown: two latents, two principal components, or a projection that is kept with the run."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from vaelab.errors import InputError
from vaelab.evaluation import projections
from vaelab.explorer.view import View
from vaelab.runs.projected import is_kept, projection

_AT_ONCE = 1 << 16
MOST_PROJECTED = 20_000
"""Images for which t-SNE or UMAP is made when asked for: of more it takes too long to wait for."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Plane:
    """A flat map: the place of a code z is ``directions @ (z - centre)``, so that places have codes, too."""

    points: np.ndarray
    """(image, 2)."""
    directions: np.ndarray
    """(2, latent), each of length 1, at right angles."""
    centre: np.ndarray
    """(latent,)."""
    shares: tuple[float, ...] = ()
    """Of the codes' variance, along each; empty where it was not asked."""


class Maps:
    """The maps of a view, by name: ``PCA``, ``z0,z5`` or a projection such as ``t-SNE``.

    Args:
        view: Whose.
    """

    def __init__(self, view: View):
        self.view = view
        self.pca = principal(view.codes.loc)

    def curved(self) -> dict[str, bool]:
        """Projection -> whether it is there already; none where it can be neither read nor made."""
        question, count = self.view.question, len(self.view)
        if question is None:
            return {}
        kept = {name: is_kept(self.view.run, question, name) for name in projections() if name != "PCA"}
        return {name: there for name, there in kept.items() if there or 5 <= count <= MOST_PROJECTED}

    def is_slow(self, name: str) -> bool:
        """Whether the map would have to be made first."""
        return not self.curved().get(name, True)

    def points(self, name: str) -> np.ndarray:
        """(image, 2): where the images are on a map; a projection that is not there yet is made, which takes time.

        Raises:
            InputError: There is no such map.
        """
        if name == "PCA":
            return self.pca.points
        if found := re.fullmatch(r"z(\d{1,6}),z(\d{1,6})", name):
            first, second = (int(text) for text in found.groups())
            if max(first, second) < self.view.latent_dim:
                return self.view.codes.loc[:, [first, second]]
        if name in self.curved() and self.view.question is not None:
            return projection(self.view.run, self.view.question, name, self.view.codes.loc)
        raise InputError("the map", f"be PCA, two latents such as z0,z1, {', '.join(self.curved())}", repr(name))


def principal(codes: np.ndarray) -> Plane:
    """The two directions in which codes vary most, by the eigenvectors of their covariance.

    Each points to where its largest part is positive; of one latent the second is nothing.

    >>> plane = principal(np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.1], [6.0, 0.0], [8.0, 0.0]]))
    >>> np.abs(plane.directions.round(2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    centre = codes.mean(0, dtype=np.float64)
    spread = np.zeros((codes.shape[1],) * 2)
    for some in np.array_split(codes, max(1, len(codes) // _AT_ONCE)):
        away = some - centre
        spread += away.T @ away
    worth, found = np.linalg.eigh(spread)
    directions, worth = found[:, ::-1][:, :2].T, np.maximum(worth[::-1][:2], 0)
    directions *= np.where(directions[np.arange(len(directions)), np.abs(directions).argmax(1)] < 0, -1, 1)[:, None]
    total, missing = max(float(np.trace(spread)), 1e-300), 2 - len(directions)
    directions = np.pad(directions, ((0, missing), (0, 0)))
    points = np.concatenate(
        [(some - centre) @ directions.T for some in np.array_split(codes, max(1, len(codes) // _AT_ONCE))]
    )
    return Plane(
        points=points.astype(np.float32), directions=directions, centre=centre,
        shares=(*(worth / total).tolist(), *[0.0] * missing),
    )  # fmt: skip
