"""Guesses the source from what a path is."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

from vaelab.catalogue import find
from vaelab.data.files import is_image_name
from vaelab.data.sources import Source
from vaelab.errors import InputError, unknown_name

BY_ENDING = {".csv": "table", ".tsv": "table", ".npz": "npz", ".npy": "npz", ".tif": "tiff", ".tiff": "tiff"}
KINDS = "a folder of images, of IDX files or in CelebA's layout, or a .csv, .tsv, .npz, .npy, .tif or .tiff file"


def open_source(path: str | Path, **options: Any) -> Source:
    """The source that reads what lies at `path`.

    A folder: `idx` where it has IDX images, `celeba` where it has list_attr_celeba, `tiff` where its first image is a
    TIFF of several images or of OME, else `folder`. A file: by its ending.

    Args:
        path: A folder or a file.
        options: Fields of that source, such as ``size=(64, 64)``.

    Raises:
        InputError: Nothing is there, nothing that can be read, or the source has no such field.
    """
    place = Path(path).expanduser()
    cls: Any = find(Source, _kind(place, str(path)))
    known = [field.name for field in fields(cls)]
    for name in options:
        if name not in known:
            raise unknown_name("source", name, known)
    return cls(**{"path": str(path), **options})


def _kind(place: Path, path: str) -> str:
    try:
        if place.is_dir():
            return _folder_kind(place)
        if not place.exists():
            raise InputError("the path of the images", f"be {KINDS}", f"{path!r}, which does not exist")
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError("the path of the images", "be one that may be read", f"{path!r} ({error})") from None
    kind = BY_ENDING.get(place.suffix.lower())
    if kind is None:
        mend = "Give the folder that holds it." if is_image_name(place.name) else ""
        raise InputError("the path of the images", f"be {KINDS}", repr(path), mend)
    return kind


def _folder_kind(folder: Path) -> str:
    from vaelab.data.sources.celeba import find_attributes

    names = sorted(os.listdir(folder))
    if any("idx3" in name and "images" in name for name in names):
        return "idx"
    if find_attributes(folder) is not None:
        return "celeba"
    return "tiff" if _holds_many(_first_image(folder, names)) else "folder"


def _first_image(folder: Path, names: list[str]) -> str:
    """The first file that is an image by its name, or nothing; the folder's names are in order."""
    places = (os.path.join(folder, name) for name in names if is_image_name(name) and not name.startswith("."))
    found = next((place for place in places if os.path.isfile(place)), "")
    below = () if found else (folder / name for name in names)
    folders = (place for place in below if place.is_dir() and not place.is_symlink())
    return found or next((first for place in folders if (first := _first_image(place, sorted(os.listdir(place))))), "")


def _holds_many(path: str) -> bool:
    """Whether the file is a TIFF of several images, or of OME."""
    if not path.lower().endswith((".tif", ".tiff")):
        return False
    from vaelab.data.tiff_pages import read_tiff

    try:
        stacks = read_tiff(path)
    except Exception:  # a broken first file is the reader's to name
        return False
    return path.lower().endswith((".ome.tif", ".ome.tiff")) or len(stacks) > 1 or len(stacks[0].images) > 1
