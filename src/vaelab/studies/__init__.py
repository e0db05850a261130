"""Studies: experiments with several seeds each, whose run folders are the queue. One file for each study by name.

Every public function of such a file that returns a `Study` is one: it takes `data`, images in place of its own, and
`quick`, whether it is to be small.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from inspect import isfunction
from pathlib import Path
from typing import get_type_hints

from vaelab.catalogue import modules
from vaelab.errors import InputError, unknown_name
from vaelab.studies._progress import how_far
from vaelab.studies._queue import do_run, do_study
from vaelab.studies._read import read_study
from vaelab.studies._study import Study, StudyRun, check_fit, write_study

__all__ = [
    "Study",
    "StudyRun",
    "check_fit",
    "do_run",
    "do_study",
    "find",
    "how_far",
    "read_study",
    "studies",
    "write_study",
]


def studies() -> dict[str, Callable[..., Study]]:
    """Name -> function of every study that has a name, in the order of the files and within them."""
    return {
        name: function
        for module in modules(__name__)
        for name, function in vars(module).items()
        if name[0] != "_" and isfunction(function) and function.__module__ == module.__name__
        if get_type_hints(function).get("return") is Study
    }


def find(name: str, data: str | None = None, *, quick: bool = False) -> Study:
    """The study of that name, or in the file of that name: one that ends in .json, or has a folder.

    Args:
        name: A study's, or a file's; ``-`` and ``_`` are the same.
        data: A folder or file of images, in place of those of its experiments.
        quick: The small form of a study by name.

    Raises:
        InputError: The name is not known, the file is not a study, or there is no small form of it.
    """
    known = studies()
    make = known.get(name.replace("-", "_"))
    if make is not None:
        return make(data=data, quick=quick)
    if not name or not (name.endswith(".json") or os.sep in name or Path(name).exists()):
        raise unknown_name("the study", name, [key.replace("_", "-") for key in known])
    if quick:
        raise InputError(
            "--quick", "be of a study by name", f"the file {name!r}", "Make another file with fewer steps."
        )
    return read_study(name, data)
