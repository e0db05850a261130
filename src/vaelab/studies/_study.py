"""A study: experiments, each with several seeds, and the folders of their runs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from vaelab import experiment as record
from vaelab import files
from vaelab.errors import InputError, unknown_name
from vaelab.experiment import Experiment, as_json, check_name, differences
from vaelab.runs import is_finished, read
from vaelab.runs.entries import stage_name
from vaelab.settings.ranges import Seed, Settings
from vaelab.settings.text import parse_value
from vaelab.studies._asked import Asked, Measuring, Shown

MOST_RUNS = 10_000
"""Of a study: more were meant otherwise."""


@dataclass(frozen=True, kw_only=True)
class Study(Settings):
    """Experiments, by their names, and the seeds with which each of them is trained.

    Raises:
        InputError: There are none, two have the same name, a seed stands twice, or they make more than 10,000 runs.
    """

    name: str
    """What the study is called; also the name of its folder."""
    experiments: tuple[Experiment, ...]
    """What is trained. The seeds that they hold do not count."""
    seeds: tuple[Seed, ...] = (0,)
    """Of the runs of each."""
    questions: tuple[Asked, ...] = ()
    """What the comparison answers."""
    pictures: tuple[Shown, ...] = ()
    """What it shows beside reconstructions and samples."""
    measuring: Measuring = field(default_factory=Measuring)
    """How it is made."""

    def __post_init__(self):
        super().__post_init__()
        check_name(self.name)
        stages = {experiment.name: [*experiment.model.stages()][:-1] for experiment in self.experiments}
        names = [stage_name(name, stage) for name, earlier in stages.items() for stage in (None, *earlier)]
        for kind, parts in (("questions", self.questions), ("pictures", self.pictures)):
            for i, part in enumerate(parts):
                for name in (*part.experiments, *filter(None, [getattr(part, "against", "")])):
                    if name not in names:
                        raise unknown_name(f"{kind}[{i}]", name, names)
        _check_different("experiments", [experiment.name for experiment in self.experiments])
        _check_different("seeds", self.seeds)
        check_number(len(self.experiments) * len(self.seeds))

    def runs(self, folder: Path | str) -> list[StudyRun]:
        """Every run, experiment by experiment."""
        return [StudyRun(replace(e, seed=seed), Path(folder)) for e in self.experiments for seed in self.seeds]

    def run(self, name: str, folder: Path | str) -> StudyRun:
        """The run of that name, ``NAME/seed-SEED``; any seed will do.

        Raises:
            InputError: It is not one of the study.
        """
        of, _, seed = name.rpartition("/seed-")
        found = {experiment.name: experiment for experiment in self.experiments}
        if of not in found or not seed.isdecimal():
            raise unknown_name("--only", name, [f"{each}/seed-{self.seeds[0]}" for each in found])
        return StudyRun(replace(found[of], seed=parse_value(Seed, seed, "--only")), Path(folder))

    def varied(self) -> list[str]:
        """The paths of the settings in which the study's experiments differ."""
        first, *others = self.experiments
        return list(dict.fromkeys(path for other in others for path in differences(first, other)))


@dataclass(frozen=True)
class StudyRun:
    """One run of a study, which is there, or is still to be made."""

    experiment: Experiment
    """With the run's seed."""
    place: Path
    """The study's folder."""

    @property
    def name(self) -> str:
        """``NAME/seed-SEED``."""
        return f"{self.experiment.name}/seed-{self.experiment.seed}"

    @property
    def folder(self) -> Path:
        """Of the run."""
        return self.place / self.name

    @property
    def log(self) -> Path:
        """What its processes said."""
        return self.place / f"{self.name}.log"

    @property
    def is_begun(self) -> bool:
        """Whether the folder holds the run."""
        return (self.folder / "experiment.json").exists()

    @property
    def is_done(self) -> bool:
        """Whether it has come to its end; what cannot be read has not, and says so when it is gone on with."""
        try:
            return self.is_begun and is_finished(read(self.folder))
        except InputError:
            return False

    def changes(self) -> dict[str, tuple[str, str]]:
        """Path -> (in the folder, in the study) of each setting that decides numbers and is not the same any more."""
        if not self.is_begun:
            return {}
        there = record.read(self.folder / "experiment.json")
        return {} if there.hash == self.experiment.hash else differences(there, self.experiment)


def check_fit(runs: Iterable[StudyRun]) -> None:
    """Refuses a folder with runs of the study's names and other settings; says which, field by field.

    Raises:
        InputError: There is such a run, or its experiment cannot be read.
    """
    changed: dict[str, str] = {}
    place = Path()
    for run in runs:
        if run.experiment.name not in changed and (found := run.changes()):
            words = [f"{path} is {_word(there)}, in the study {_word(here)}" for path, (there, here) in found.items()]
            changed[run.experiment.name], place = f"{run.name}, where {'; '.join(words)}", run.place
    if changed:
        more = f" and {len(changed) - 3} other experiments" if len(changed) > 3 else ""
        got = f"{', '.join(list(changed.values())[:3])}{more}"
        mend = "Take another folder with -o, or call what changed by another name."
        raise InputError(str(place), "hold runs with the study's settings", got, mend)


def check_number(num_runs: int) -> None:
    """Refuses more runs than anybody means."""
    if num_runs > MOST_RUNS:
        raise InputError(
            "the study", f"have at most {MOST_RUNS:,} runs", f"{num_runs:,}", "Take fewer values or seeds."
        )


def write_study(study: Study, path: Path) -> None:
    """Writes it as JSON, every experiment in full."""
    experiments = [json.loads(as_json(experiment)) for experiment in study.experiments]
    record = {"name": study.name, "experiments": experiments, "seeds": study.seeds}
    record |= {"questions": [asdict(each) for each in study.questions]}
    record |= {"pictures": [asdict(each) for each in study.pictures], "measuring": asdict(study.measuring)}
    files.write(path, json.dumps(record, indent=1, allow_nan=False) + "\n")


def _word(text: str) -> str:
    return text or "not set"


def _check_different(what: str, found: Iterable[object]) -> None:
    names = [str(each) for each in found]
    if not names:
        raise InputError(what, "be at least one", "none")
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise InputError(what, "be different ones", f"{twice} twice", "Give each a name." if what[0] == "e" else "")
