"""A run read back: the folder in which an experiment was carried out, its model, and its images where they are.

experiment.json   what was asked for          metrics.csv      the terms as training went
data.json         what the images were        checkpoints/     last (to resume) and best (to use)
splits.npz        which rows were held out    snapshots/       pictures while training, where asked for
environment.json  where it ran, and how       events/          TensorBoard, where asked for
results/          what was measured           report.html      the report, where it was asked for
codes/            codes while training, where asked for
classifiers/      of columns of the images' table, where asked for
columns/          of the images' table that were made from the run, such as selections of the explorer
ways/             through latent space that were kept in the explorer
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from pandas.api.types import is_numeric_dtype

from vaelab import experiment as record
from vaelab.data import Dataset, ImageCollection, Intensity, Source, Splits
from vaelab.data.conditions import Condition, encode_conditions
from vaelab.data.feed import Feed
from vaelab.data.opening import moved
from vaelab.data.rows import Rows, row_numbers
from vaelab.data.sources.npz import read_arrays
from vaelab.errors import InputError, one_line, unknown_name
from vaelab.experiment import Experiment
from vaelab.inference import ImageBatches
from vaelab.machine import Device
from vaelab.models import Model, device_of, local_randomness
from vaelab.runs.columns import with_kept
from vaelab.runs.folder import DataFacts, read_facts
from vaelab.settings.record import digest
from vaelab.training.checkpoint import load_weights, within
from vaelab.training.device import find_device
from vaelab.training.step import noise_seed

Images = Source | ImageCollection | Path | str
"""Where images are: a source, a collection in memory, or a folder or file whose kind is found out."""


_LOG = "Mend it, or move it away: the weights don't need it."
_POINT = "point to them with --images PATH, in Python load(run, images=PATH)"


@dataclass(frozen=True, eq=False, kw_only=True)
class Run:
    """A trained experiment."""

    folder: Path
    """Where everything about it lies."""
    experiment: Experiment
    """What was asked for."""
    model: Model
    """With the best weights by validation, else the last; ready for inference."""
    facts: DataFacts
    """What the images were like."""
    images: RunImages
    """The images, opened when they are first needed, once for all views of the run."""

    @property
    def hash(self) -> str:
        """64 hexadecimal digits of all that decides the run's numbers: its settings and its images."""
        return digest({"experiment": self.experiment.hash, "images": self.facts.content_hash})

    @property
    def called(self) -> str:
        """Its folder's name; where that is but its seed, the name of the folder above as well: ``plain, seed 0``."""
        folder, seed = self.folder.resolve(), self.experiment.seed
        return f"{folder.parent.name}, seed {seed}" if folder.name == f"seed-{seed}" else folder.name

    @property
    def intensity(self) -> Intensity:
        """The scaling from stored pixels to [0, 1]."""
        return self.facts.intensity

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels' names."""
        return self.facts.channels

    @property
    def splits(self) -> Splits:
        """Rows of the collection for training, validation and test."""
        return self.images.splits

    @property
    def dataset(self) -> Dataset:
        """The images, from where they came.

        Raises:
            InputError: They are not there any more, or not the same.
        """
        return self.images.dataset

    @property
    def feed(self) -> Feed:
        """The run's images as its model takes them, by row or by the name of a part: ``run.feed("test")``."""
        return Feed(self.dataset.collection.images, self.intensity, self.experiment.data.binarize, parts=self.parts)

    @property
    def parts(self) -> dict[str, np.ndarray]:
        """Name -> rows: train, validation, test, and ``held_out``, which is the test part where there is one."""
        parts = self.splits.named()
        return parts | {"held_out": parts[self.splits.held_out]}

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of the model's stages; one empty name where it has but one."""
        return tuple(self.model.stages())

    def images_for(self, images: ImageBatches | Rows | None = None) -> tuple[Model, ImageBatches]:
        """Images, and the model for them.

        Args:
            images: The run's own, by rows or by the name of a part (None: all); or others: an array of pixels as the
                run's were stored, which is scaled as they were, or tensors in [0, 1] as the model takes them.

        Raises:
            InputError: There are none of that name, or they are not stored as the run's were.
        """
        if isinstance(images, np.ndarray) and images.ndim == 4:
            if images.dtype != self.facts.dtype:
                mend = "As tensors, images in [0, 1] are taken as they are."
                raise InputError("images", f"be {self.facts.dtype}, as the run's were stored", images.dtype, mend)
            return self.model, Feed(images, self.intensity, self.experiment.data.binarize).batches()
        if images is None or isinstance(images, np.ndarray | pd.Series | pd.Index | slice | str) or _numbers(images):
            rows = row_numbers(slice(None) if images is None else images, self.facts.num_images, self.parts)  # pyright: ignore
            return self.given(rows), self.feed.batches(rows)
        return self.model, images  # pyright: ignore[reportReturnType]

    def given(self, rows: Rows) -> Model:
        """The model for the run's images of these rows: under their conditions, if it takes any."""
        if not self.facts.conditions:
            return self.model
        numbers = row_numbers(rows, self.facts.num_images, self.parts)
        return self.given_table(self.dataset.collection.table.iloc[numbers])

    def given_table(self, table: pd.DataFrame) -> Model:
        """The model for other images, under what their table says of them.

        Raises:
            InputError: A column is missing, or holds what no training image had.
        """
        if not self.facts.conditions:
            return self.model
        numbers = torch.from_numpy(encode_conditions(self.facts.conditions, table))
        return self.model.given(numbers.to(device_of(self.model)))

    def under(self, values: Mapping[str, object], num_images: int = 1) -> Model:
        """The model for images that all have the same condition, by column.

        Raises:
            InputError: The model takes no conditions, a column is missing, or its value is not one that the model was
                trained with.

        ``run.under({"drug": "taxol"})``
        """
        if not self.facts.conditions:
            raise InputError(
                "the run", "be of a model under conditions", "one without", "Train it with data.condition."
            )
        return self.given_table(pd.DataFrame({name: [value] * num_images for name, value in values.items()}))

    def __repr__(self) -> str:
        parts = ", ".join(f"{len(rows):,} {name}" for name, rows in self.splits.named().items())
        size = " x ".join(map(str, self.facts.image_shape))
        return (
            f"<Run {self.folder}: {self.experiment.name}, {self.model.latent_dim} latents, images of {size} ({parts})>"
        )

    def _repr_html_(self) -> str:
        return f"<code>{escape(repr(self))}</code>"

    def at_stage(self, stage: str | None) -> Run:
        """The run with one stage of its model as the model; None: as it is.

        Raises:
            InputError: The model has no such stage.
        """
        if not stage:
            return self
        stages = self.model.stages()
        if len(stages) == 1:
            raise InputError("the stage", "be left out for a model of one stage", stage)
        if stage not in stages:
            raise unknown_name("the stage", stage, stages)
        return replace(self, model=stages[stage])

    def earlier_stage(self, stage: str | None) -> str:
        """The stage's name where it is not the model's last, by which the run goes; else empty."""
        return "" if stage in (None, "", self.stages[-1]) else str(stage)

    def metrics(self) -> pd.DataFrame:
        """metrics.csv: the terms as training went, in nats per image; ``stage`` is empty for the whole model.

        Of a run that was stopped before its first line, a table without rows.

        Raises:
            InputError: It was altered.
        """
        path = self.folder / "metrics.csv"
        try:
            table = pd.read_csv(path)
        except (FileNotFoundError, pd.errors.EmptyDataError):
            table = pd.DataFrame({"step": [], "split": [], "stage": []})
        except (OSError, ValueError, OverflowError) as error:
            raise InputError(str(path), "be the metrics.csv of a run", one_line(error), _LOG) from None
        words = ("split", "stage")
        odd = [name for name in ("step", "split") if name not in table]
        odd += [name for name, column in table.items() if name not in words and not is_numeric_dtype(column)]
        if not odd and not set(table["split"]) <= {"train", "validation"}:
            odd = ["split"]
        if odd:
            should = "hold a number in each cell but those of split and stage"
            raise InputError(str(path), should, f"others, as in {odd[0]!r}", _LOG)
        return table.assign(stage=table["stage"].fillna("") if "stage" in table else "")


class RunImages:
    """A run's images: a data set that is there, or opened when it is first asked for.

    Args:
        experiment: Says where they came from.
        facts: Says what they were, by which they are known again.
        folder: Of the run, with its splits.
        where: Where they are now, if not where they came from.
    """

    def __init__(self, experiment: Experiment, facts: DataFacts, folder: Path, where: Images | None = None):
        self.experiment, self.facts, self.folder, self.where = experiment, facts, folder, where

    @classmethod
    def of(cls, dataset: Dataset, experiment: Experiment, facts: DataFacts, folder: Path) -> RunImages:
        """Of a data set that is there already."""
        images = cls(experiment, facts, folder)
        images.__dict__["dataset"], images.__dict__["splits"] = dataset, dataset.splits
        return images

    @cached_property
    def splits(self) -> Splits:
        """Rows of the collection for training, validation and test."""
        path, mend = self.folder / "splits.npz", "Put the run's own file back, or train anew."
        try:
            with path.open("rb") as file:
                rows = read_arrays(file, path.stat().st_size)[0]
            found = Splits(train=rows["train"], validation=rows["validation"], test=rows["test"])
            every = np.concatenate(list(found.named().values()))
        except Exception as error:  # a hostile file may raise anything
            got = f"a file that cannot be read ({one_line(error)})"
            raise InputError(str(path), "be the splits.npz of a run", got, mend) from None
        if every.dtype != np.int64 or not np.array_equal(np.sort(every), np.arange(self.facts.num_images)):
            should = f"name each of the {self.facts.num_images:,} images once, by row"
            raise InputError(str(path), should, "other rows", mend)
        return found

    @cached_property
    def dataset(self) -> Dataset:
        """See `Run.dataset`."""
        facts, collection = self.facts, self._collection()
        found = Dataset(
            collection=collection, splits=self.splits, intensity=facts.intensity, conditions=facts.conditions
        )
        if found.content_hash != facts.content_hash:
            should, got = f"be those of the run ({facts.content_hash[:12]})", found.content_hash[:12]
            raise InputError("the images", should, got, f"Put them back as they were, {_POINT}, or train anew.")
        table = with_kept(collection.table, self.folder)
        if table is collection.table:
            return found
        wider = replace(found, collection=replace(collection, table=table))
        wider.__dict__["content_hash"] = found.content_hash
        return wider

    def _collection(self) -> ImageCollection:
        return self.experiment.data.chosen(self.of_source())

    def of_source(self) -> ImageCollection:
        """All that the source holds, before images are chosen and the run's own columns joined.

        Raises:
            InputError: They are not there any more.
        """
        if isinstance(self.where, ImageCollection):
            return self.where
        source = self.experiment.data.source
        if self.where is not None:
            return (self.where if isinstance(self.where, Source) else moved(source, self.where)).load()
        try:
            with source.named("data.source"):
                return source.load()
        except InputError as error:
            got = error.got if error.what == "data.source.path" else f"{error.what} {error.got}"
            mend = f"If they lie elsewhere now, {_POINT}."
            raise InputError(f"the images of {self.folder}", "be where training found them", got, mend) from None


def load(folder: Path | str, images: Images | None = None, device: Device = "cpu") -> Run:
    """Reads a run back. Nothing that is read can run code, and torch's random numbers stay as they were.

    Args:
        folder: The run's.
        images: Where its images are, if they have moved since, or a collection that is in memory already.
        device: Where the model is to compute.

    Raises:
        InputError: The folder is not a run, or holds no checkpoint yet; or the device is not there.
    """
    run = read(Path(folder), images)
    load_weights(run.model, weights_of(run.folder))
    run.model.to(find_device(device, "the device")).eval()
    return run


def weights_of(folder: Path) -> Path:
    """The file of the weights to use: the best by validation, else the last.

    Raises:
        InputError: There is none yet.
    """
    for name in ("best", "last"):
        if (path := folder / "checkpoints" / f"{name}.safetensors").exists():
            return path
    raise InputError(str(folder), "hold a checkpoint", "none", f"Go on with: vaelab resume {folder}")


def read(folder: Path | str, images: Images | None = None) -> Run:
    """The run with the weights that training began with, before any checkpoint is read."""
    folder = Path(folder)
    if not (folder / "experiment.json").exists():
        runs = sorted(path.parent for path in folder.glob("*/experiment.json"))
        got = f"a folder of runs ({len(runs)})" if runs else "a folder without experiment.json"
        named = ", ".join(map(str, runs[:9])) + (", ..." if len(runs) > 9 else "")
        mend = f"Name one of them: {named}." if runs else "Runs lie in runs/, unless --out said otherwise."
        raise InputError(str(folder), "be the folder of a run", got, mend)
    experiment = record.read(folder / "experiment.json")
    facts = read_facts(folder / "data.json")
    with within(folder / "checkpoints" / "last.safetensors"):
        model = build(experiment, facts.image_shape, facts.conditions)
    opened = RunImages(experiment, facts, folder, images)
    return Run(folder=folder, experiment=experiment, model=model, facts=facts, images=opened)


def build(experiment: Experiment, image_shape: tuple[int, int, int], conditions: tuple[Condition, ...]) -> Model:
    """The experiment's model with fresh weights, which follow from its seed."""
    with local_randomness(noise_seed(experiment.seed, -2), torch.device("cpu")), experiment.model.named("model"):
        return experiment.model.build(image_shape, sum(len(condition.names) for condition in conditions))


def _numbers(rows: object) -> bool:
    """Whether these are rows in a list."""
    return isinstance(rows, Sequence) and all(isinstance(row, int | np.integer | np.bool_) for row in rows)
