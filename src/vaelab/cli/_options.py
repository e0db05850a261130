"""What a command takes is a settings class: its fields are the flags, the string below each is its help.

class Options(OnRun):
    num_samples: AtLeast1 = 100
    '''Draws per image.'''

gives ``RUN``, ``--images``, ``--device``, ``--quiet`` and ``--num-samples``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from vaelab.errors import InputError
from vaelab.machine import Device
from vaelab.settings.ranges import AtLeast1, PathText, Seed, Settings

if TYPE_CHECKING:
    from vaelab.data import ImageCollection
    from vaelab.runs import Run


@dataclass(frozen=True)
class Argument:
    """Marks a field that is given by its place: several words where it is a tuple, none where it has a default."""

    metavar: str
    """What help calls it."""


@dataclass(frozen=True)
class Flag:
    """Marks a field whose flag is not just its name."""

    short: str = ""
    """A second name, such as -o."""
    name: str = ""
    """In place of the field's name, such as --from."""
    metavar: str = ""
    """What help calls the value; left out: the kind of value."""


@dataclass(frozen=True)
class Rest:
    """Marks the field that takes the settings: every flag that is no field, as (path, text)."""


@contextmanager
def naming(flags: dict[str, str]) -> Iterator[None]:
    """A refusal inside the block that is of a field, or of a part of it, is said of the flag that set it.

    Args:
        flags: Path of the field -> flag.
    """
    try:
        yield
    except InputError as error:
        longest_first = sorted(filter(None, flags), key=len, reverse=True)
        path = next((path for path in longest_first if re.match(rf"{re.escape(path)}\b", error.what)), "")
        if not path:
            raise
        raise InputError(flags[path] + error.what[len(path) :], error.should, error.got, error.mend) from None


def on_device() -> AbstractContextManager[None]:
    """A refusal inside the block of a device that is not there is said of ``--device``."""
    return naming({"the device": "--device"})


@dataclass(frozen=True, kw_only=True)
class Quiet(Settings):
    """What every command takes that shows a progress bar."""

    quiet: bool = False
    """No progress bar, and nothing printed that is not the result."""


@dataclass(frozen=True, kw_only=True)
class Changing(Quiet):
    """What a command takes that changes settings of what it is given; its module has `help_on(options)`."""

    settings: Annotated[tuple[tuple[str, str], ...], Rest()] = ()
    """(path, text) of each ``--field.path value``."""

    def naming(self) -> AbstractContextManager[None]:
        """A refusal inside the block is said of the flag that was typed."""
        return naming({path.replace("-", "_"): f"--{path}" for path, _ in self.settings})


@dataclass(frozen=True, kw_only=True)
class Reading(Changing):
    """What a command takes that reads images by a source's settings, by their own names or as `train` has them."""

    def reading(self) -> tuple[tuple[str, str], ...]:
        """(field, text): --data.source.size, as an experiment calls it, is --size."""
        return tuple((path.removeprefix("data.").removeprefix("source."), text) for path, text in self.settings)

    def naming(self) -> AbstractContextManager[None]:
        """See Changing."""
        paths = zip(self.reading(), self.settings, strict=True)
        return naming({short.replace("-", "_"): f"--{path}" for (short, _), (path, _) in paths})


@dataclass(frozen=True, kw_only=True)
class OnRun(Quiet):
    """What every command takes that uses a run."""

    run: Annotated[PathText, Argument("RUN")]
    """The run's folder."""
    images: Annotated[PathText | None, Flag(metavar="PATH")] = None
    """Where the run's images are now, if they have moved."""
    device: Device = "auto"
    """Where to compute; auto: on the GPU if there is one."""

    def load(self) -> Run:
        """The run, with its model on the device."""
        from vaelab.runs import load

        with on_device():
            return load(self.run, self.images, self.device)


@dataclass(frozen=True, kw_only=True)
class Looking(OnRun):
    """What a command takes that looks at held-out images of a run."""

    num_images: AtLeast1 | None = None
    """Held-out images to measure at most; left out: 2,000, fewer where drawing them takes long."""
    num_samples: AtLeast1 | None = None
    """Draws per image for ELBO and log p(x); left out: 100, fewer where drawing takes long."""
    label: Annotated[str | None, Flag(metavar="COLUMN")] = None
    """Column of the images' table that says their classes; left out: the likeliest."""
    seed: Seed = 0
    """Of every draw."""

    def looking(self) -> dict[str, Any]:
        """These by the names that `vaelab.report` gives them."""
        return {
            "num_images": self.num_images,
            "num_samples": self.num_samples,
            "label": self.label,
            "seed": self.seed,
            "progress": not self.quiet,
        }


@dataclass(frozen=True, kw_only=True)
class OnStage(OnRun):
    """What a command takes that uses one stage of a run's model."""

    stage: str | None = None
    """Of a two-stage model: first or second; left out, the second."""


@dataclass(frozen=True, kw_only=True)
class OnImages(OnStage, Reading):
    """What a command takes that looks at a run's own images or at others."""

    others: Annotated[PathText | None, Argument("IMAGES")] = None
    """Other images: a folder, CSV, TIFF, npz, npy or IDX file; left out, the run's own."""
    strict: bool = False
    """Refuse images among which one is broken."""

    def other_images(self, run: Run) -> ImageCollection | None:
        """The other images, read as the run's were; None: the run's own are meant.

        Raises:
            InputError: They cannot be read so; or settings of a source are given for the run's own.
        """
        from vaelab.runs.others import read_like

        if self.others is None:
            if self.settings:
                mend = "The run's own images are read as they were."
                raise InputError(f"--{self.settings[0][0]}", "come with IMAGES", "none", mend)
            return None
        with self.naming():
            return read_like(run, self.others, self.reading(), strict=self.strict, progress=not self.quiet)
