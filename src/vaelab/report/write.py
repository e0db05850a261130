"""Writes a report, or one part of it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from vaelab import files
from vaelab.errors import InputError, unknown_name
from vaelab.report.look import Look
from vaelab.report.page import parts, render
from vaelab.report.parts import PicturePart
from vaelab.runs import Run


def write_report(
    run: Run,
    path: Path | str | None = None,
    *,
    num_images: int | None = None,
    num_samples: int | None = None,
    label: str | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Path:
    """Writes one HTML file on a run that needs nothing else to be read; what is measured for it is kept with the run.

    Args:
        run: The run.
        path: The HTML file, or a folder to put ``report.html`` in; None: in the run's folder.
        num_images: Held-out images to measure at most, a random draw; None: 2,000, fewer where drawing them is dear.
        num_samples: Draws of the posterior per image, for ELBO and log p(x); None: 100, fewer where drawing is dear.
        label: Column of the images' table that says their classes, by which points are coloured; None: the likeliest.
        seed: Of every draw: the same seed gives the same report.
        progress: Show a progress bar.

    Returns:
        Where the report lies.

    Raises:
        InputError: A number is out of range, there is no such column, the run's images are not there any more, or
            the place cannot be written.
    """
    path = Path(path) if path is not None else run.folder
    path = path / "report.html" if path.is_dir() else path
    files.check_place(path)
    look = Look(run, num_images=num_images, num_samples=num_samples, label=label, seed=seed, progress=progress)
    files.write(path, render(look))
    return path


def draw(
    run: Run,
    name: str,
    path: Path | str,
    *,
    num_images: int | None = None,
    num_samples: int | None = None,
    label: str | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Path:
    """Draws one part of a report as a PNG, with its arrays beside it as npz; computes only what that part needs.

    Args:
        run: The run.
        name: The part's.
        path: The PNG; the arrays get the same name with ``.npz``.
        num_images: As in `write_report`.
        num_samples: Likewise.
        label: Likewise.
        seed: Likewise: the part is the same as on the page of the same numbers.
        progress: Show a progress bar.

    Returns:
        Where the picture lies.

    Raises:
        InputError: No picture has that name, or the run has nothing for it to show; or as `write_report`.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise InputError("the output", "be a file that ends in .png", repr(str(path)))
    files.check_place(path)
    files.check_place(path.with_suffix(".npz"))
    pictures = {each: part for each, part in parts().items() if isinstance(part, PicturePart)}
    part = pictures.get(name.replace("-", "_"))
    if part is None:
        raise unknown_name("the picture", name, pictures)
    look = Look(run, num_images=num_images, num_samples=num_samples, label=label, seed=seed, progress=progress)
    if not part.applies(look):
        raise InputError("the picture", "be one that this run has", repr(name), f"It is for {part.only_for}.")
    arrays, buffer = part.arrays(look), io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    picture = part.picture(look, arrays)
    files.write(path.with_suffix(".npz"), buffer.getvalue())
    files.write(path, picture)
    return path
