"""Images with a table, from files or from generators, split and scaled on the record."""

from __future__ import annotations

from vaelab.data.collection import ImageCollection
from vaelab.data.dataset import Data, Dataset, content_hash, prepare
from vaelab.data.opening import open_source
from vaelab.data.scaling import Intensity, Scaling
from vaelab.data.sources import Source
from vaelab.data.split import Split, Splits
from vaelab.data.stored import StoredImages

__all__ = [
    "Data",
    "Dataset",
    "ImageCollection",
    "Intensity",
    "Scaling",
    "Source",
    "Split",
    "Splits",
    "StoredImages",
    "content_hash",
    "open_source",
    "prepare",
]
