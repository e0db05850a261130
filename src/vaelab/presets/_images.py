"""Where a preset's images come from."""

from __future__ import annotations

import os
from pathlib import Path

from vaelab.data import Source, open_source
from vaelab.errors import InputError

Images = Source | Path | str | None
"""A source, or a folder or file whose kind is found out; None: the preset's own."""


def source_of(name: str, data: Images, what: str) -> Source:
    """The source of the images that the user names.

    Args:
        name: The preset's.
        data: The images.
        what: What the preset needs, in words.

    Raises:
        InputError: No images are named, or they are not there.
    """
    if data is None:
        raise InputError("--data", "be given", "nothing", f"The preset {name} needs {what}.")
    return data if isinstance(data, Source) else open_source(Path(os.path.expanduser(data)).absolute())
