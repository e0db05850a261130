"""Reads files named on its input, one a line, and says of each in one line of JSON what became of it.

Each file is read as vaelab reads it; where that gives pixels, they are compared with those of another decoder.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import sys
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from vaelab.data import cache
from vaelab.data.assemble import _ImageReader
from vaelab.data.cache import Item
from vaelab.data.files import File
from vaelab.data.opening import open_source
from vaelab.data.pixels import PixelReader
from vaelab.data.sources.tiff import _TiffReader
from vaelab.data.tiff_pages import TIFF_STARTS
from vaelab.errors import InputError

warnings.simplefilter("ignore")
READERS = {".tif": _TiffReader("", "keep")}
PLAIN = _ImageReader(PixelReader(alpha="keep"))


def read(path: Path) -> list[np.ndarray] | str:
    """Every image (channel, height, width) that vaelab reads, or its reason."""
    if path.suffix in (".npy", ".npz"):
        try:
            return list(open_source(path).load().images)
        except InputError as error:
            return str(error)
    item = Item(path.name, (File(path.name, str(path), path.stat().st_size),))
    blocks = cache._attempt(READERS.get(path.suffix, PLAIN), item)
    return blocks if isinstance(blocks, str) else [image for block in blocks for image in block.images]


def others(path: Path, count: int) -> list[np.ndarray]:
    """Every image that another decoder reads, in the same form as far as it knows it."""
    data = path.read_bytes()
    if path.suffix in (".npy", ".npz"):
        found = np.load(path)
        arrays = [found[name] for name in found.files] if path.suffix == ".npz" else [found]
        planes = [array if array.ndim == 4 else array[:, None] for array in arrays if array.ndim in (3, 4)]
        return [image for array in planes for image in (array if array.shape[1] < 31 else np.moveaxis(array, -1, 1))]
    if data[:4] in TIFF_STARTS:
        return pages(path, count)
    import imagecodecs

    if data[4:6] == b"jP" or data[:2] == b"\xff\x4f":
        return [channels_first(imagecodecs.jpeg2k_decode(data))]
    if data[:8] == b"\x89PNG\r\n\x1a\n" and data[24] == 16:
        return [channels_first(imagecodecs.png_decode(data))]
    with Image.open(io.BytesIO(data)) as image:
        image = ImageOps.exif_transpose(image)
        if "transparency" in image.info:
            image = image.convert("LA" if image.mode in ("1", "L") else "RGBA")
        elif image.mode in ("1", "P"):
            image = image.convert("L" if image.mode == "1" else "RGB")
        return [channels_first(np.asarray(image))]


def channels_first(pixels: np.ndarray) -> np.ndarray:
    return np.moveaxis(pixels.reshape(*pixels.shape[:2], -1), -1, 0)


def pages(path: Path, count: int) -> list[np.ndarray]:
    import tifffile

    found = []
    with tifffile.TiffFile(path, is_ome=False, _multifile=False) as file:
        listed = []
        with contextlib.suppress(tifffile.TiffFileError):  # the chain of pages breaks off
            listed.extend(page for page in file.pages if page.dtype is not None and 0 not in page.shaped)
        if len(listed) < count:  # a stack that needs only its first page
            whole = tifffile.imread(path, is_ome=False)
            return [image[None] for image in whole.reshape(-1, *whole.shape[-2:])]
        for page in listed:
            pixels = page.asarray(squeeze=False)  # plane, depth, height, width, sample
            pixels = pixels[:, 0].transpose(0, 3, 1, 2).reshape(-1, *pixels.shape[2:4])
            if page.photometric == 0 and 262 in page.tags and pixels.dtype.kind in "bu":
                pixels = pixels.copy()
                top = (1 << page.bitspersample) - 1
                pixels[0] = ~pixels[0] if pixels.dtype.kind == "b" else top - pixels[0]
            found += [pixels] if page.samplesperpixel > 1 else list(pixels[:, None])
    return found


def same(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Whether two decoders mean the same: a grey palette may be three equal channels, a bit 0 and 255."""
    theirs = theirs.astype(np.uint8) * 255 if theirs.dtype == bool else theirs
    if len(ours) in (1, 2) and len(theirs) == len(ours) + 2:
        ours = np.concatenate([ours[:1]] * 3 + [ours[1:]])
    if ours.shape != theirs.shape:
        return False
    return bool(np.array_equal(ours, theirs.astype(ours.dtype), equal_nan=ours.dtype.kind == "f"))


def judge(path: Path) -> dict[str, object]:
    images = read(path)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    if isinstance(images, str):
        return {"refused": images, "megabytes": megabytes}
    try:
        known = others(path, len(images))
    except Exception as error:
        return {"alone": f"{type(error).__name__}: {error}"[:200], "megabytes": megabytes}
    if path.suffix in (".pgm", ".ppm"):  # Pillow stretches the counts
        top = max(int(image.max(initial=1)) for image in images)
        known = known if top in (255, 65535) else images
    stacked = [*known, np.concatenate(known)] if len({image.shape[1:] for image in known}) == 1 else known
    wrong = [i for i, image in enumerate(images) if not any(same(image, other) for other in stacked)]
    return {"read": len(images), "wrong": wrong, "megabytes": megabytes}


if __name__ == "__main__":
    for line in sys.stdin:
        try:
            verdict = judge(Path(line.rstrip("\n")))
        except BaseException as error:
            verdict = {"traceback": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(verdict), flush=True)
