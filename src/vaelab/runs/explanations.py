"""What was explained of a run, read back from its folder; `explaining` and the report's page on latents write it.

RUN/explanations/COLUMN-CLASS/series.npz   series and saliency      scores.csv   the gate
RUN/explanations/latents/meaning.npz       what latents mean
"""

from __future__ import annotations

import zipfile
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from vaelab.data.sources.npz import read_arrays
from vaelab.errors import InputError, one_line
from vaelab.runs.question import checkpoint_of
from vaelab.runs.read import Run

_MEND = "Delete it, and explain again."


@dataclass(frozen=True, kw_only=True)
class Meant:
    """What a latent means, in words."""

    says: str
    """What it moves, or that it is nothing that was measured."""
    goes_with: str
    """What goes with it over real images."""
    in_seeds: str
    """Whether trainings with other seeds say the same; empty where there are none."""


def series_files(run: Run) -> list[Path]:
    """Where series lie, those that were made last first."""
    found = run.folder.glob("explanations/*/series.npz")
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def arrays_in(path: Path, only: Container[str] | None = None) -> dict[str, np.ndarray]:
    """Arrays as they were written, images in the units of the files.

    Args:
        path: An archive.
        only: Names of those that are wanted; None: all.

    Raises:
        InputError: The file cannot be used.
    """
    try:
        with path.open("rb") as file:
            return dict(read_arrays(file, path.stat().st_size, only)[0])
    except Exception as error:  # a hostile file may raise anything
        raise unusable(path, error) from None


def names_in(path: Path) -> list[str]:
    """The names of an archive's arrays.

    Raises:
        InputError: The file cannot be used.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise unusable(path, error) from None


def unusable(path: Path, error: Exception) -> InputError:
    """What is said of a file that was altered."""
    return InputError(str(path), "hold what was explained as it was written", one_line(error), _MEND)


def read_series(run: Run) -> dict[str, np.ndarray] | None:
    """What `explain_run` kept of the run last, images in [0, 1], and its ``warning``; None where there is nothing.

    Raises:
        InputError: A file cannot be used.
    """
    found = series_files(run)
    if not found:
        return None
    arrays = arrays_in(found[0]) | {"warning": np.array(read_warning(found[0].parent))}
    names = [name for name in arrays if name.rpartition("/")[2] in ("images", "reconstructions")]
    try:
        return arrays | {name: run.intensity.apply(arrays[name]) for name in names}
    except Exception as error:
        raise unusable(found[0], error) from None


def read_warning(folder: Path) -> str:
    """The gate's warning, which every showing of an explanation has to carry; empty where the gate was passed.

    Raises:
        InputError: The scores cannot be used.
    """
    path = folder / "scores.csv"
    try:
        return next(iter(pd.read_csv(path, keep_default_na=False)["warning"].astype(str)), "")
    except (OSError, ValueError, KeyError) as error:
        raise unusable(path, error) from None


def read_meanings(run: Run, stage: str | None = None) -> dict[int, Meant] | None:
    """Latent -> what it means, of those that were looked at; None where there is nothing, or of earlier weights.

    Args:
        run: The run, whole.
        stage: Whose latents are meant; left out, the last's.

    Raises:
        InputError: The file cannot be used.
    """
    name = "-".join(filter(None, ["latents", run.earlier_stage(stage)]))
    path = run.folder / "explanations" / name / "meaning.npz"
    if not path.exists():
        return None
    words = ("says", "goes_with", "in_seeds")
    arrays = arrays_in(path, ("latents", "checkpoint", *words))
    try:
        if arrays["checkpoint"].item() != checkpoint_of(run):
            return None
        lines = zip(*(arrays[name].tolist() for name in words), strict=True)
        meant = [Meant(says=says, goes_with=goes_with, in_seeds=in_seeds) for says, goes_with, in_seeds in lines]
        return {int(latent): meant[i] for i, latent in enumerate(arrays["latents"])}
    except Exception as error:
        raise unusable(path, error) from None
