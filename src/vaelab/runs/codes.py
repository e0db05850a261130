"""Codes while training: where held-out images lie in latent space, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vaelab import files
from vaelab.data.sources.npz import read_arrays
from vaelab.errors import InputError, one_line
from vaelab.inference import embed
from vaelab.models import Model, local_randomness
from vaelab.runs.read import Run
from vaelab.training import Batches, State

MOST_IMAGES = 1000


class CodeSnapshots:
    """A listener that writes ``<step>.npz``: the posteriors of held-out images, the same images each time.

    It does so every so many steps, at the end, and at the step after which later images come in. The images are a
    random draw, 1,000 at most.

    Args:
        folder: Where the files go.
        batches: Gives the images.
        rows: The held-out images' rows.
        every: Steps between files.
    """

    def __init__(self, folder: Path, batches: Batches, rows: np.ndarray, every: int):
        self.folder, self.batches, self.every = folder, batches, every
        self.rows = np.sort(np.random.default_rng(0).permutation(rows)[:MOST_IMAGES])
        folder.mkdir(exist_ok=True)

    def __call__(self, state: State) -> None:
        """Writes if it is time, without touching training's random numbers."""
        is_last = bool(state.stop) or state.step == state.num_steps
        if state.step % self.every and not is_last and state.step != self.batches.later_step:
            return
        assert isinstance(state.model, Model)
        feed, model = self.batches.feed, self.batches.given(state.model, self.rows)
        with local_randomness(0, feed.device):
            found = embed(model, feed.batches(self.rows))
        with files.replacing(self.folder / f"{state.step:08d}.npz") as part, part.open("wb") as file:
            np.savez(file, rows=self.rows, loc=found.loc, scale=found.scale)


@dataclass(frozen=True, eq=False, kw_only=True)
class CodeSeries:
    """The posteriors of the same held-out images at several steps of a training."""

    steps: np.ndarray
    """(snapshot,), rising."""
    rows: np.ndarray
    """(image,): which images, by their rows in the collection."""
    loc: np.ndarray
    """(snapshot, image, latent): the posteriors' means."""
    scale: np.ndarray
    """(snapshot, image, latent): their standard deviations."""

    def of(self, images: np.ndarray) -> CodeSeries:
        """The same of some of the images, by a mask."""
        return CodeSeries(
            steps=self.steps, rows=self.rows[images], loc=self.loc[:, images], scale=self.scale[:, images]
        )


def read_codes(run: Run) -> CodeSeries | None:
    """What a run's training wrote of its codes; None where that is less than two files.

    Raises:
        InputError: A file cannot be read, or is of other images.
    """
    paths = sorted(path for path in (run.folder / "codes").glob("*.npz") if path.stem.isdecimal())
    if len(paths) < 2:
        return None
    found = [_read(path) for path in paths]
    first = found[0]
    for path, arrays in zip(paths, found, strict=True):
        same = all(arrays[name].shape == first[name].shape for name in first)
        if not same or not np.array_equal(arrays["rows"], first["rows"]):
            raise InputError(str(path), "hold codes of the same images as the others", "others", "Delete the folder.")
    return CodeSeries(
        steps=np.array([int(path.stem) for path in paths]),
        rows=first["rows"],
        loc=np.stack([arrays["loc"] for arrays in found]),
        scale=np.stack([arrays["scale"] for arrays in found]),
    )


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file:
            arrays = read_arrays(file, path.stat().st_size)[0]
        rows, loc, scale = (arrays[name] for name in ("rows", "loc", "scale"))
        if rows.dtype.kind != "i" or loc.shape != scale.shape or loc.shape[:1] != rows.shape or loc.ndim != 2:
            raise ValueError("arrays of other shapes")
        return {"rows": rows, "loc": loc, "scale": scale}
    except Exception as error:  # a hostile file may raise anything
        mend = "Delete it: the run doesn't need it."
        raise InputError(str(path), "hold codes as training wrote them", one_line(error), mend) from None
