"""One run for many readers at once: its images, their codes, and a copy of its model that nobody trains."""

from __future__ import annotations

import copy
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from vaelab.data.columns import label_column, name_column
from vaelab.data.feed import Feed
from vaelab.data.stored import Pixels, read
from vaelab.errors import InputError, unknown_name
from vaelab.inference import Embedding, decode_mean, embed, images_at_once, reconstruct, swap_condition
from vaelab.inference.decode import as_codes
from vaelab.models import Model
from vaelab.runs import Run
from vaelab.runs.claim import is_claimed
from vaelab.runs.others import read_like
from vaelab.runs.question import Question, ask, rows_of
from vaelab.runs.results import measure
from vaelab.training.checkpoint import read_numbers

Under = Mapping[str, object]
"""Column -> value, of some or all of the columns of a model's condition."""
NO_OTHER: Under = {}
PARTS = ("train", "validation", "test", "all")
"""Which of a run's own images can be shown."""
_MANY = 16 << 20
"""Bytes of codes that are kept in a file."""


@dataclass(frozen=True, eq=False, kw_only=True)
class View:
    """What the explorer shows of one run. An image is named by its *place* among those shown, from 0.

    Nothing in it changes after it was made, so that any number of threads may ask it.
    """

    run: Run
    """The run."""
    model: Model
    """A copy of the run's model, or of one of its stages, in evaluation mode and without gradients."""
    question: Question | None
    """Under which results lie; None: the images are not the run's own."""
    rows: np.ndarray
    """(image,): each image's row in its collection."""
    codes: Embedding
    """The posterior of each image."""
    latent_rates: np.ndarray | None
    """(latent,): mean rate of each latent over these images, nats; None where posterior or prior doesn't factorise."""
    measured: pd.DataFrame
    """One row per image: what was measured of each before."""
    images: Pixels | None
    """The collection's images as stored; None: they are not at hand."""
    table: pd.DataFrame
    """One row per image, the columns of its collection's table; none where the images are not at hand."""
    on: str
    """Which images these are, in words."""
    asked: str | None = None
    """Which images were asked for; see `open_view`."""
    stage: str = ""
    """Of the model; empty where it has but one."""
    notes: tuple[str, ...] = field(default=())
    """What a reader should know, a sentence each, without a full stop."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def latent_dim(self) -> int:
        """Latents per image."""
        return self.codes.latent_dim

    @property
    def label(self) -> str:
        """The column to colour by; empty: none is likely."""
        return label_column(self.table)

    def names(self, places: Sequence[int] | None = None) -> list[str]:
        """The names of all images, or of those at some places: by the column that holds them, else their rows."""
        column, some = self._name_column, slice(None) if places is None else list(places)
        return [str(value) for value in (self.table[column].iloc[some] if column else self.rows[some]).tolist()]

    @cached_property
    def _name_column(self) -> str:
        return name_column(self.table)

    def latents_in_order(self) -> np.ndarray:
        """(latent,): the latents that say most first, by rate, or where that is not known by their codes' variance."""
        worth = self.codes.loc.var(0) if self.latent_rates is None else self.latent_rates
        return np.argsort(-worth, kind="stable")

    def stored(self, places: Sequence[int]) -> np.ndarray:
        """(image, channel, height, width): these images as stored.

        Raises:
            InputError: The images are not at hand.
        """
        if self.images is None:
            raise InputError("the images", "be at hand", "none", "Point to them with --images PATH.")
        return read(self.images, self.rows[list(places)])

    def decoded(self, z: np.ndarray, like: int | None = None, under: Under = NO_OTHER) -> np.ndarray:
        """(image, channel, height, width) float32: the mean of p(x|z) of each code, in the units of the stored pixels.

        Args:
            z: (image, latent).
            like: The place of the image whose conditions the model is given; None: the first.
            under: What takes the place of some of these conditions.

        Raises:
            InputError: The model was not trained with such a condition.
        """
        drawn = decode_mean(self.given([like or 0] * len(z), under), as_codes(self.model, z))
        return self.run.intensity.invert(drawn).astype(np.float32)

    def reconstructed(self, places: Sequence[int], under: Under = NO_OTHER) -> np.ndarray:
        """(image, channel, height, width) float32: the mean of p(x|z) at the mean of q(z|x), in stored units.

        Args:
            places: Of the images.
            under: What takes the place of some of their conditions in p(x|z), but not in q(z|x).

        Raises:
            InputError: The images are not at hand, or the model was not trained with such a condition.
        """
        feed = Feed(self.stored(places), self.run.intensity, self.run.experiment.data.binarize)
        own = self.given(places)
        drawn = (
            swap_condition(own, self.given(places, under), feed.batches())
            if under
            else reconstruct(own, feed.batches())
        )
        return self.run.intensity.invert(drawn).astype(np.float32)

    def given(self, places: Sequence[int], under: Under = NO_OTHER) -> Model:
        """The model under the conditions of these images, if it takes any, and others in place of some of them.

        Raises:
            InputError: The model was not trained with such a condition.
        """
        if not self.run.facts.conditions:
            return self.model
        table = self.table.iloc[list(places)].reset_index(drop=True)
        given = self.run.given_table(table.assign(**under))
        return self.model.given(given.conditions)


def open_view(run: Run, on: str | None = None, stage: str | None = None, *, progress: bool = False) -> View:
    """A view of a run's images, its own or others; codes are read back from its results, or computed and kept there.

    Args:
        run: The run.
        on: train, validation, test or all of the run's own images, or a folder or file of others; None: the held-out.
        stage: Of a two-stage model; None: the last.
        progress: Show a progress bar.

    Raises:
        InputError: There are no such images, or their codes are not finite.
    """
    parts: dict[str, Any] = {"run": run, "asked": on, "stage": stage or run.stages[-1], "notes": _notes(run)}
    parts["model"] = _frozen(run.at_stage(stage).model)
    if on is None or on in PARTS:
        view = _of_own(run, on, stage, parts, progress)
    elif not os.path.exists(on):
        if on.isidentifier():
            raise unknown_name("on", on, PARTS)
        raise InputError("on", f"be {', '.join(PARTS)}, or a folder or file", repr(on))
    else:
        view = _of_others(run, on, stage, parts, progress)
    if not np.isfinite(view.codes.loc).all():
        raise InputError("the codes", "be finite", "others", "The model has diverged; train anew.")
    return replace(view, codes=mapped(view.codes, run.folder))


def mapped(codes: Embedding, folder: Path) -> Embedding:
    """The same, in a file without a name where they are many: the system has them in memory while there is room.

    Args:
        codes: Some.
        folder: Where the file takes room; where it can have none, codes stay in memory.
    """
    if codes.loc.nbytes < _MANY:
        return codes
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            for part in (codes.loc, codes.scale):
                file.write(np.ascontiguousarray(part, np.float32).data)
            file.flush()
            loc, scale = np.asarray(np.memmap(file, np.float32, "r", shape=(2, *codes.loc.shape)))
    except OSError:
        return codes
    return Embedding(loc=loc, scale=scale)


def _of_own(run: Run, on: str | None, stage: str | None, parts: dict[str, Any], progress: bool) -> View:
    split = on or run.splits.held_out
    every = np.arange(run.facts.num_images) if split == "all" else None
    question = ask(run, stage=stage, split=None if split == "all" else split, rows=every)
    rows, notes = rows_of(run, question), parts.pop("notes")
    images, table = None, pd.DataFrame(index=range(len(rows)))
    try:
        collection = run.dataset.collection
        images, table = collection.images, collection.table.iloc[rows].reset_index(drop=True)
        table = table.rename(columns=str)
    except InputError as error:
        notes = (*notes, f"{str(error).rstrip('.')}. Codes are those that were kept")
    measured = measure(run, question, ["rate_per_latent"], progress)
    return View(
        **parts,
        question=question,
        rows=rows,
        codes=measured.embedding,
        latent_rates=measured.latent_rates,
        measured=measured.per_image,
        images=images,
        table=table if split != "all" else table.assign(**_split_of(run, table)),
        on=f"{split} images" if split != "all" else "images",
        notes=notes,
    )


def _of_others(run: Run, on: str, stage: str | None, parts: dict[str, Any], progress: bool) -> View:
    found, notes = read_like(run, on, progress=progress), parts.pop("notes")
    feed = Feed(found.images, run.intensity, run.experiment.data.binarize)
    codes = embed(run.at_stage(stage).given_table(found.table), feed.batches(), images_at_once(run.model.image_shape))
    return View(
        **parts,
        notes=(*notes, *found.notes),
        question=None,
        rows=np.arange(len(found)),
        codes=codes,
        latent_rates=None,
        measured=pd.DataFrame(index=range(len(found))),
        images=found.images,
        table=found.table.rename(columns=str),
        on=f"images of {Path(on).resolve().name}",
    )


def _split_of(run: Run, table: pd.DataFrame) -> dict[str, np.ndarray]:
    """The column `split` of all of a run's images, unless their table has one."""
    if "split" in table:
        return {}
    split = np.full(run.facts.num_images, "train", object)
    split[run.splits.validation], split[run.splits.test] = "validation", "test"
    return {"split": split}


def _frozen(model: Model) -> Model:
    """A copy that nobody else holds."""
    return copy.deepcopy(model).requires_grad_(False).eval().to(torch.float32)


def _notes(run: Run) -> tuple[str, ...]:
    if not is_claimed(run.folder):
        return ()
    step = read_numbers(run.folder / "checkpoints" / "last.safetensors")["step"]
    return (f"The run is still training: its weights are those of step {step:,} or before",)
