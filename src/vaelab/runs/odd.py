"""Which images are odd: drawn worse than others of their kind, or with a code far from those of training images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from vaelab.data import ImageCollection
from vaelab.data.feed import Feed
from vaelab.data.rows import Rows, row_numbers
from vaelab.errors import InputError, unknown_name
from vaelab.evaluation import evaluate
from vaelab.inference import embed, images_at_once
from vaelab.metrics.fit import fit
from vaelab.models import local_randomness
from vaelab.runs.read import Run
from vaelab.screen import Progress

if TYPE_CHECKING:
    from sklearn.neighbors import NearestNeighbors

FEWEST_OF_A_CLASS, NUM_NEIGHBOURS, NUM_SAMPLES, MOST_TRAINING = 10, 10, 16, 20_000


@dataclass(frozen=True, eq=False, kw_only=True)
class Odd:
    """How odd each of some images is."""

    images: ImageCollection
    """Those that were asked of, all their rows in order."""
    rows: np.ndarray
    """(image,): which of them were looked at."""
    fits: np.ndarray
    """(image,): robust standard deviations by which the image is drawn better than is usual among those of its class;
    below -3.5 it is drawn badly. A class of fewer than 10 images is compared with all."""
    distances: np.ndarray
    """(image,): mean distance of its code to those of its 10 nearest training images, where 1 is usual among these;
    not a number where training images are not at hand."""
    nearest: np.ndarray
    """(image,): row of the nearest training image in the run's collection; -1 where they are not at hand."""

    @property
    def by_fit(self) -> np.ndarray:
        """(image,): places among the images, the worst fitted first."""
        return np.argsort(self.fits, kind="stable")

    @property
    def by_distance(self) -> np.ndarray:
        """(image,): places among the images, the farthest first; empty where distances are not known."""
        return np.argsort(-self.distances, kind="stable") if np.isfinite(self.distances).all() else self.rows[:0]

    def columns(self) -> pd.DataFrame:
        """A row for each image: its row, fit, distance, and its place when ordered by each, from 1."""
        ranks = {name: np.argsort(order) + 1 for name, order in (("fit", self.by_fit), ("distance", self.by_distance))}
        found = {"row": self.rows, "fit": self.fits, "rank_by_fit": ranks["fit"]}
        if len(ranks["distance"]):
            found |= {"distance": self.distances, "rank_by_distance": ranks["distance"], "nearest": self.nearest}
        return pd.DataFrame(found)


def find_odd(
    run: Run,
    others: ImageCollection | None = None,
    rows: Rows | None = None,
    *,
    label: str | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Odd:
    """How odd images are, by how they are drawn and by where their codes lie.

        fit:       (median of the class - distortion) / (1.4826 * median absolute deviation in the class)
        distance:  mean distance to the codes of the 10 nearest training images, an image itself left out,
                   over the median of the same among training images

    An image that is drawn badly may simply hold more detail than others, so it is compared with those of its class. The
    distance does not depend on detail. Distortions are means over 16 draws of the posterior; of more than 20,000
    training images, 20,000 spread evenly over them stand for all.

    Args:
        run: Whose model looks.
        others: Other images than the run's own, in its order of channels.
        rows: Which images; left out, all.
        label: A column of their table that says the class; left out, all are of one.
        seed: Of the draws.
        progress: Show a progress bar.

    Raises:
        InputError: There is no such column, no image, or the run's own images are not there any more.

    *Source*: Iglewicz and Hoaglin 1993, How to detect and handle outliers, section 3.3 (fit); Ramaswamy, Rastogi and
    Shim 2000, Efficient algorithms for mining outliers from large data sets (https://doi.org/10.1145/342009.335437).
    """
    images = run.dataset.collection if others is None else others
    chosen = row_numbers(slice(None) if rows is None else rows, len(images), run.parts if others is None else None)
    if label is not None and label not in images.table:
        raise unknown_name("label", label, map(str, images.table.columns))
    if not len(chosen):
        raise InputError("the images", "be at least one", 0)
    feed = Feed(images.images, run.intensity, run.experiment.data.binarize)
    with local_randomness(seed, torch.device("cpu")), Progress("looking", len(chosen), shown=progress) as bar:
        measured = evaluate(
            run.given_table(images.table.iloc[chosen]),
            feed.batches(chosen),
            metrics=["fit", "active_units"],
            num_samples=NUM_SAMPLES,
            batch_size=images_at_once(run.model.image_shape),
            seed=seed,
            on_batch=bar.advance,
        )
    kinds = None if label is None else images.table[label].iloc[chosen]
    distances, nearest = _distances(run, measured.codes, chosen if others is None else None)
    return Odd(
        images=images,
        rows=chosen,
        fits=_fits(measured.arrays["distortions"], kinds),
        distances=distances,
        nearest=nearest,
    )


def _fits(distortions: np.ndarray, kinds: pd.Series | None) -> np.ndarray:
    """(image,): among those of the same kind, where these are enough."""
    found = fit.values(distortions)
    if kinds is not None:
        of_kind = pd.factorize(kinds)[0]
        for kind in range(of_kind.max() + 1):
            if (here := of_kind == kind).sum() >= FEWEST_OF_A_CLASS:
                found[here] = fit.values(distortions[here])
    return found


def _distances(run: Run, codes: np.ndarray, rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Distances and nearest training images, for codes of these rows of the run's own images, or of others (None)."""
    from sklearn.neighbors import NearestNeighbors

    train = run.splits.train
    train = train[np.unique(np.linspace(0, len(train) - 1, min(len(train), MOST_TRAINING)).astype(np.int64))]
    unknown = np.full(len(codes), np.nan), np.full(len(codes), -1)
    if len(train) < 2:
        return unknown
    try:
        known = embed(run.given(train), run.feed.batches(train)).loc
    except InputError:
        return unknown
    near = NearestNeighbors(n_neighbors=min(NUM_NEIGHBOURS, len(train) - 1) + 1).fit(known)
    usual = float(np.median(_from_others(near, known, np.arange(len(known)))[0]))
    if usual == 0:
        return unknown
    place = {row: i for i, row in enumerate(train.tolist())}
    own = np.array([-1] * len(codes) if rows is None else [place.get(row, -1) for row in rows.tolist()])
    means, nearest = _from_others(near, codes, own)
    return means / usual, train[nearest]


def _from_others(near: NearestNeighbors, codes: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(image,): the mean distance to the nearest but the image itself (-1: it is not among them), and the nearest."""
    distances, indices = near.kneighbors(codes)
    itself = indices == own[:, None]
    itself[~itself.any(1), -1] = True
    others, count = ~itself, indices.shape[1] - 1
    return distances[others].reshape(-1, count).mean(1), indices[others].reshape(-1, count)[:, 0]
