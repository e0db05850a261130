"""Reads files named on its input, one a line, and says of each in one line of JSON what became of it.

An image is read as vaelab reads it; where that gives pixels, they are compared with those of another decoder. Of the
folder of a run, of one of images and of a memory of choices it says what each thing that is done with them gives.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import resource
import select
import subprocess
import sys
import warnings
from collections.abc import Callable
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


def judge_run(folder: Path) -> dict[str, object]:
    """Of each thing that is done with a run: a digest of what it gives, or why it was refused."""
    import vaelab
    from vaelab.evaluation import scores_table
    from vaelab.runs.question import ask
    from vaelab.runs.results import list_results, measure

    told = told_by({"run": lambda: vaelab.load(folder)})
    if "run" not in told["gives"]:
        return told
    run = vaelab.load(folder)

    def results() -> list[object]:
        return [part for asked in list_results(run) for part in (asked.question, scores_table(asked.scores).to_csv())]

    def measured() -> list[object]:
        found = measure(run, ask(run, num_images=40, num_samples=2), ["elbo", "rate", "mse"])
        return [scores_table(found.scores).to_csv(), found.rows, found.codes, found.per_image.astype(float).to_csv()]

    return told_by(
        {
            "run": lambda: (run.experiment, run.facts),
            "embedding": lambda: (codes := vaelab.embed(run, [0, 3, 5])) and [codes.loc, codes.scale],
            "feed": lambda: run.feed([0, 3, 5]),
            "metrics": lambda: run.metrics().to_csv(),
            "results": results,
            "measured": measured,
            "resumed": lambda: vaelab.embed(vaelab.resume(folder, progress=False), [0, 3, 5]).loc,
        }
    )


def judge_cache(folder: Path) -> dict[str, object]:
    """Of images, of which the folder beside theirs holds the cache."""
    os.environ["VAELAB_CACHE"] = str(folder.parent / "cache")

    def read() -> list[object]:
        found = open_source(folder).load()
        return [np.asarray(found.images), found.table.to_csv(), found.channels, found.left_out, found.notes]

    return told_by({"images": read})


def judge_choices(memory: Path) -> dict[str, object]:
    """Of a memory of choices by timing."""
    import torch

    from vaelab.models import VAEConfig
    from vaelab.training.choices import choose

    model = VAEConfig(latent_dim=2).build((1, 8, 8))

    def chosen() -> str:
        def step(model: torch.nn.Module, num_images: int) -> None:
            model.encode(torch.zeros(1, 1, 8, 8)).mean.sum().backward()

        with choose(model, step, batch_size=1, num_steps=3, threads=1, memory=memory).applied(model):
            step(model, 1)
        return "choices that can be applied"

    return told_by({"choices": chosen})


def told_by(things: dict[str, Callable[[], object]]) -> dict[str, object]:
    gives, refused = {}, {}
    for name, do in things.items():
        try:
            gives[name] = digest(do())
        except InputError as error:
            refused[name] = str(error)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"gives": gives, "refused": refused, "megabytes": megabytes}


def digest(value: object) -> str:
    values = value if isinstance(value, list) else [value]
    parts = [np.asarray(v).tobytes() if hasattr(v, "__array__") else repr(v).encode() for v in values]
    return hashlib.sha256(b"|".join(parts)).hexdigest()[:16]


class Worker:
    """A process that judges, started anew when one was taken down.

    Args:
        errors: File of what it says on stderr.
        warm: What it judges first, without a limit of time.
        most_seconds: That one judgement may take.
        most_megabytes: That the process may take.
    """

    def __init__(self, errors: Path, warm: Path, most_seconds: float = 10, most_megabytes: int = 1000):
        self.errors, self.warm, self.process = errors, warm, None
        self.most_seconds, self.most_megabytes = most_seconds, most_megabytes

    def judge(self, path: Path, most_seconds: float | None = None) -> dict:
        if self.process is None:
            how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
            with self.errors.open("a") as errors:
                self.process = subprocess.Popen([sys.executable, __file__], stderr=errors, **how)
            self.judge(self.warm, 120)
        self.process.stdin.write(f"{path}\n")
        ready, _, _ = select.select([self.process.stdout], [], [], most_seconds or self.most_seconds)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.stop()
            return {"traceback": "it hung" if not ready else "it crashed"}
        verdict = json.loads(line)
        if verdict.get("megabytes", 0) > self.most_megabytes:
            self.stop()
        return verdict

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


if __name__ == "__main__":
    JUDGES = {"run": judge_run, "images": judge_cache, "choices.json": judge_choices}
    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        try:
            verdict = JUDGES.get(path.name, judge)(path)
        except BaseException as error:
            import traceback

            where = traceback.extract_tb(error.__traceback__)[-1]
            verdict = {"traceback": f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"[-400:]}
        print(json.dumps(verdict), flush=True)
