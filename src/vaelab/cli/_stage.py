"""The flag --stage of the commands that read a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vaelab.errors import InputError

if TYPE_CHECKING:
    from vaelab.run import Run


def at_stage(run: Run, stage: str | None) -> Run:
    """The run, with that stage of its two-stage model as the model; None: as it is."""
    if stage is None:
        return run
    if stage not in ("first", "second"):
        raise InputError("--stage", "be first or second", repr(stage))
    return run.at_stage(stage)
