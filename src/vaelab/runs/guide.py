"""A finished run trained on, so that chosen images come to lie where a person wants them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from vaelab import files
from vaelab.data.tables import TextTable, read_table
from vaelab.errors import InputError
from vaelab.inference import embed
from vaelab.penalties.guidance import Guidance
from vaelab.runs.make import train
from vaelab.runs.read import Run


@dataclass(frozen=True, eq=False, kw_only=True)
class Guided:
    """What guidance did."""

    run: Run
    """The new run."""
    anchors: pd.DataFrame
    """A row for each chosen image: ``image`` (row number), ``before`` and ``after``: its code's distance from its
    anchor."""
    moves: pd.DataFrame
    """A row for each image of the collection: ``moved``, how far its code went, and ``is_anchor``."""


def guide(
    run: Run,
    guidance: Guidance,
    folder: Path | str | None = None,
    *,
    stage: str | None = None,
    num_steps: int = 500,
    learning_rate: float = 1e-4,
    progress: bool = True,
) -> Guided:
    """Trains a run on, with the objective it had plus `guidance`, in a new folder; and measures what moved.

    The objective's schedules, such as a warm-up, do not begin again. Images with conditions are encoded under theirs.

    Args:
        run: A finished run.
        guidance: The images, their anchors and their weights.
        folder: Where the new run goes; default ``runs/<name>-guided-<k>``.
        stage: Whose latents the anchors mean, in a model of two stages; default the second's.
        num_steps: Optimiser steps.
        learning_rate: Adam's; small, so that what was learnt stays.
        progress: Show a progress bar.

    Raises:
        InputError: The anchors or the stage do not fit the run.
    """
    before = run.experiment
    too_far = [row for row in guidance.rows if row >= run.facts.num_images]
    if too_far:
        raise InputError("anchors", f"be rows below {run.facts.num_images}, the run's images", too_far[0])
    experiment = replace(
        before,
        name=f"{before.name}-guided",
        objective=before.objective.without_schedules().with_penalty(guidance, stage),
        training=replace(
            before.training, num_steps=num_steps, learning_rate=learning_rate, schedule="cosine", patience=None
        ),
    )
    old = _codes(run, stage)
    after = train(experiment, folder, start=run.model, dataset=run.dataset, progress=progress)
    new = _codes(after, stage)
    rows, places = np.array(guidance.rows, int), np.array(guidance.anchors)
    moves = pd.DataFrame({"moved": np.linalg.norm(new - old, axis=1), "is_anchor": False})
    moves.loc[rows, "is_anchor"] = True
    distances = {
        name: np.linalg.norm(codes[rows] - places, axis=1) for name, codes in (("before", old), ("after", new))
    }
    files.write(after.folder / "moves.csv", moves.to_csv(index_label="image"))
    return Guided(run=after, anchors=pd.DataFrame({"image": rows, **distances}), moves=moves)


def read_anchors(path: Path | str | TextTable, run: Run, weight: float = 1.0) -> Guidance:
    """The guidance that a CSV asks for: the column ``image``, one for each latent (``z0``, ``z1``, ...), and ``delta``.

    An image is a row number of the collection or, where its table has a column ``path``, a path in it. ``delta`` is the
    weight of the image, 1 where there is no such column.

    Args:
        path: The file, or what was read from it.
        run: Whose images and latents are meant; see `Run.at_stage`.
        weight: Of the whole guidance, in the loss.

    Raises:
        InputError: The file cannot be read as such a table, or names images that are not there.
    """
    table = (path if isinstance(path, TextTable) else read_table(path, "the anchors")).frame
    latents = [f"z{i}" for i in range(run.model.latent_dim)]
    missing = [name for name in ("image", *latents) if name not in table]
    if missing:
        got = f"a table without {missing[0]}"
        raise InputError("the anchors", f"have the columns image, {_to_last(latents)}", got)
    numbers = [*latents, *(["delta"] if "delta" in table else [])]
    places = table[numbers].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    if not np.isfinite(places).all():
        got = f"others in row {int(np.argmin(np.isfinite(places).all(1))) + 1}"
        raise InputError("the anchors", f"hold numbers in {_to_last(numbers)}", got)
    deltas = places[:, len(latents)] if "delta" in table else np.ones(len(table))
    return Guidance(
        weight=weight,
        rows=tuple(_row(name, run) for name in table["image"]),
        anchors=tuple(map(tuple, places[:, : len(latents)].tolist())),
        deltas=tuple(deltas.tolist()),
    )


def _to_last(latents: list[str]) -> str:
    """Their names; many are cut short.

    >>> _to_last(["z0", "z1"]), _to_last([f"z{i}" for i in range(100)])
    ('z0, z1', 'z0, z1, ..., z99')
    """
    return ", ".join(latents if len(latents) < 5 else [*latents[:2], "...", latents[-1]])


def _row(name: object, run: Run) -> int:
    """The row number that an entry of the column ``image`` stands for."""
    text = str(name)
    if re.fullmatch("[0-9]+", text):
        return int(text)
    paths = run.dataset.collection.table.get("path")
    found = np.flatnonzero(paths.astype(str) == text) if paths is not None else []
    if len(found) != 1:
        got = repr(text) + f", the path of {len(found)} images" * (len(found) > 1)
        raise InputError("the anchors", "name each image by its row number or by a path that is its own", got)
    return int(found[0])


def _codes(run: Run, stage: str | None) -> np.ndarray:
    run, rows = run.at_stage(stage), np.arange(run.facts.num_images)
    return embed(run.given(rows), run.feed.batches(rows)).loc.astype(float)
