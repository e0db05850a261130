"""Maps of a run's codes, kept under the question whose images they show: made once, then read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vaelab import files
from vaelab.data.sources.npz import read_arrays
from vaelab.errors import InputError, one_line
from vaelab.evaluation import project
from vaelab.runs.question import Question
from vaelab.runs.read import Run
from vaelab.runs.results import folder_of


def projection(run: Run, question: Question, name: str, codes: np.ndarray) -> np.ndarray:
    """(image, 2): the question's images on a map of their codes.

    It lies in the question's folder of results, as ``map-t-SNE.npz``.

    Args:
        run: The run.
        question: Says which images, and the seed.
        name: PCA, t-SNE or UMAP; see `vaelab.evaluation.project`.
        codes: (image, latent): their codes.

    Raises:
        InputError: The map cannot be made of these, or what was kept of it cannot be used.
    """
    path = _path(run, question, name)
    if path.exists():
        return _read(path, question.num_images)
    points = project(codes, name, question.seed)
    files.check_folder(path.parent)
    with files.replacing(path) as part, part.open("wb") as file:
        np.savez(file, points=points)
    return points


def is_kept(run: Run, question: Question, name: str) -> bool:
    """Whether the map was made before."""
    return _path(run, question, name).exists()


def _path(run: Run, question: Question, name: str) -> Path:
    return folder_of(run, question) / f"map-{name}.npz"


def _read(path: Path, num_images: int) -> np.ndarray:
    try:
        with path.open("rb") as file:
            points = read_arrays(file, path.stat().st_size)[0]["points"]
        if points.shape != (num_images, 2) or points.dtype.kind != "f":
            raise ValueError("points of other images")
        return points
    except Exception as error:  # a hostile file may raise anything
        mend = "Delete it, and make it again."
        raise InputError(str(path), "hold a map as it was written", one_line(error), mend) from None
