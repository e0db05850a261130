"""What is one entry of a comparison: a run, the seeds of one experiment, or an earlier stage of their models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vaelab.errors import InputError
from vaelab.machine import Device
from vaelab.runs.read import Images, Run, load, read
from vaelab.settings.record import digest


@dataclass(frozen=True, eq=False, kw_only=True)
class Entry:
    """A run, or the runs of one experiment that differ in the seed alone; of a model of several stages, one of them."""

    name: str
    """What it is called: the folder's name, with as much of the path as tells it from the others, and the stage."""
    place: Path
    """The folder that holds just these."""
    runs: tuple[Run, ...]
    """By seed; one or more."""
    stage: str | None = None
    """Of their models, where it is not the last, by which a model goes."""

    @property
    def run(self) -> Run:
        """The first, at the stage."""
        return self.runs[0].at_stage(self.stage)


def find_runs(places: Iterable[Path | str]) -> tuple[list[Path], list[Path]]:
    """The folders of runs that are meant: each place itself, or the runs in it and in its folders.

    Args:
        places: Runs, and folders of runs.

    Returns:
        Those that can be used, and those in folders that have no checkpoint yet.

    Raises:
        InputError: A place holds no run, a run is named twice, or there are fewer than two.
    """
    found, unready = list[Path](), list[Path]()
    for place in map(Path, places):
        if (place / "experiment.json").exists():
            found.append(place)
            continue
        inside = sorted(file.parent for depth in ("*", "*/*") for file in place.glob(f"{depth}/experiment.json"))
        if not inside:
            got = "a folder without either" if place.is_dir() else "nothing there"
            raise InputError(str(place), "be a run, or a folder of runs", got)
        ready = [run for run in inside if any((run / "checkpoints").glob("*.safetensors"))]
        found += ready
        unready += [run for run in inside if run not in ready]
    resolved = [run.resolve() for run in found]
    twice = next((run for run in found if resolved.count(run.resolve()) > 1), None)
    if twice is not None:
        raise InputError("RUN", "name each run once", f"{twice} twice")
    if len(found) < 2:
        for run in found:
            load(run)  # what is wrong with it is said first
        raise InputError("RUN", "be at least 2 runs, or a folder of them", f"{len(found)}")
    return found, unready


def load_all(folders: Sequence[Path | str], images: Images | None = None, device: Device = "cpu") -> list[Run]:
    """The runs, with images that are loaded once; where they are gone, whoever asks for them is told.

    Args:
        folders: Of the runs.
        images: Where the runs' images are now, if they have moved.
        device: Where the models are to compute.

    Raises:
        InputError: As `load`; or the runs' images are not the same.
    """
    runs = [load(folder, images, device) for folder in folders]
    if len(runs) < 2:
        return runs
    same_images(runs)
    try:
        collection = runs[0].images.of_source()
    except InputError:
        return runs
    return [load(run.folder, collection, device) for run in runs]


def same_images(runs: Sequence[Run]) -> None:
    """Refuses runs whose images are not the same.

    Raises:
        InputError: They are not, in pixels or table.
    """
    first, *others = runs
    for run in others:
        if run.facts.content_hash != first.facts.content_hash:
            mend = "Only scores on the same images can be compared."
            got = f"others ({run.facts.num_images:,} of {_size(run)})"
            should = f"be those of {first.folder} ({first.facts.num_images:,} of {_size(first)}), in pixels and table"
            raise InputError(f"the images of {run.folder}", should, got, mend)


def siblings(run: Run) -> list[Run]:
    """The runs beside it of the same experiment and images with other seeds, one for each seed, in their order.

    A folder beside it that cannot be read is passed over.
    """
    found: dict[int, Run] = {}
    for file in sorted(run.folder.resolve().parent.glob("*/experiment.json")):
        if file.parent == run.folder.resolve():
            continue
        try:
            other = read(file.parent, run.dataset.collection)
            if _without_seed(other) == _without_seed(run) and other.experiment.seed != run.experiment.seed:
                found.setdefault(other.experiment.seed, load(file.parent, run.dataset.collection))
        except InputError:
            continue
    return [found[seed] for seed in sorted(found)]


def entries_of(runs: Sequence[Run]) -> list[Entry]:
    """The runs in their order, those put together that are of one experiment with different seeds.

    Where a seed is there more than once, those in one folder are put together if their seeds differ. A model of several
    stages goes by its last; its earlier stages are entries of their own after it.
    """
    rows = list[list[Run]]()
    for group in _grouped(runs, _without_seed):
        if _seeds_differ(group):
            rows.append(group)
            continue
        for inside in _grouped(group, lambda run: str(run.folder.resolve().parent)):
            rows += [inside] if _seeds_differ(inside) else [[run] for run in inside]
    rows = [sorted(row, key=lambda run: run.experiment.seed) for row in rows]
    rows.sort(key=lambda row: min(runs.index(run) for run in row))
    places = [_place(row) for row in rows]
    names = names_apart(places)
    entries = [Entry(name=n, place=p, runs=tuple(row)) for n, p, row in zip(names, places, rows, strict=True)]
    return [each for entry in entries for each in (entry, *_earlier_stages(entry))]


def stage_name(name: str, stage: str | None) -> str:
    """What a stage of a model is called; None: its last, by which it goes."""
    return f"{name}, {stage} stage" if stage else name


def common_rows(runs: Sequence[Run]) -> np.ndarray:
    """The rows that are held out in all of the runs, so that none of them was trained on.

    Of each run these are its test images, or its validation images where it has no test images.

    Raises:
        InputError: A run held out none, or there are none in common.
    """
    for run in runs:
        if run.splits.held_out == "train":
            mend = "Held-out parts are set by data.split."
            raise InputError(f"the run {run.folder}", "have held-out images", "none", mend)
    parts = [getattr(run.splits, run.splits.held_out) for run in runs]
    common = parts[0]
    for part in parts[1:]:
        common = np.intersect1d(common, part)
    if not len(common):
        got = f"none in all {len(runs)}, as they were divided otherwise ({', '.join(f'{len(p):,}' for p in parts[:9])})"
        raise InputError("the runs", "have held-out images in common", got, "Train them with the same data.split.")
    return common


def _earlier_stages(entry: Entry) -> list[Entry]:
    return [replace(entry, name=stage_name(entry.name, stage), stage=stage) for stage in entry.run.stages[:-1]]


def _grouped(runs: Iterable[Run], key: Callable[[Run], str]) -> Iterable[list[Run]]:
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(key(run), []).append(run)
    return groups.values()


def _seeds_differ(runs: Sequence[Run]) -> bool:
    return len({run.experiment.seed for run in runs}) == len(runs)


def _without_seed(run: Run) -> str:
    return digest({"experiment": replace(run.experiment, seed=0).hash, "images": run.facts.content_hash})


def _place(runs: Sequence[Run]) -> Path:
    """The folder that holds just these, if they are called by their seeds or are several; else that of the first."""
    folders = [run.folder.resolve() for run in runs]
    parents = {folder.parent for folder in folders}
    inside = [file.parent for file in folders[0].parent.glob("*/experiment.json")]
    by_seed = len(folders) > 1 or folders[0].name == f"seed-{runs[0].experiment.seed}"
    return folders[0].parent if by_seed and len(parents) == 1 and len(inside) == len(folders) else folders[0]


def names_apart(places: Sequence[Path]) -> list[str]:
    """The last parts of each path, as many as tell all apart."""
    most = max(len(place.parts) for place in places)
    tried = (["/".join(place.parts[-count:]) for place in places] for count in range(1, most))
    return next((names for names in tried if len({*names}) == len(names)), [str(place) for place in places])


def _size(run: Run) -> str:
    channels, height, width = run.facts.image_shape
    return f"{height}x{width} pixels in {channels} channel{'s' * (channels != 1)}"
