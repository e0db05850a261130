"""Runs side by side: views of the same images, so that an image of one can be found in the others by its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vaelab.errors import InputError
from vaelab.explorer.view import View, open_view
from vaelab.runs import Run
from vaelab.runs.entries import names_apart, same_images


def open_views(
    runs: Sequence[Run], on: str | None = None, stage: str | None = None, *, progress: bool = False
) -> list[View]:
    """A view of each run; see `open_view`. Of two, each says how many images the other does not show.

    Raises:
        InputError: As `open_view`; or the runs' images are not the same, or they show none in common.
    """
    same_images(runs)
    return together([open_view(run, on, stage, progress=progress) for run in runs])


def together(views: Sequence[View]) -> list[View]:
    """The views, which show the same images or some of the same, with a note on those that only one of them shows.

    Raises:
        InputError: They show none in common.
    """
    if len(views) < 2:
        return [*views]
    common = views[0].rows
    for view in views[1:]:
        common = np.intersect1d(common, view.rows)
    if not len(common):
        got = f"none in all {len(views)}, as they were divided otherwise ({', '.join(f'{len(v):,}' for v in views)})"
        raise InputError("the runs", "show images in common", got, "Show all images: --on all.")
    alone = [(len(view) - len(common), name) for view, name in zip(views, run_names(views), strict=True)]
    words = ", ".join(f"{count:,} by {name} alone" for count, name in alone if count)
    note = (f"Images that only one of the runs shows are grey: {words}",) if words else ()
    return [replace(view, notes=(*view.notes, *note)) for view in views]


def run_names(views: Sequence[View]) -> list[str]:
    """What the runs are called: their folders' names, with as much of the path as tells them apart."""
    runs = [view.run for view in views]
    return [runs[0].called] if len(runs) == 1 else names_apart([run.folder.resolve() for run in runs])
