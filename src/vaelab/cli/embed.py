"""`vaelab embed`: the posterior of each image, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from vaelab.cli._notes import say_left_out
from vaelab.cli._options import Argument, Flag, OnStage
from vaelab.errors import InputError
from vaelab.settings.ranges import PathText

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from vaelab.data import ImageCollection
    from vaelab.inference import Embedding
    from vaelab.runs import Run
    from vaelab.screen import Progress

EXAMPLES = """\
examples:
  vaelab embed runs/cells-1 -o codes.csv              the run's own images, with a column of their split
  vaelab embed runs/cells-1 other.npz -o codes.h5ad   other images of the same size and channels
  vaelab embed runs/cells-1 folder/ -o codes.parquet

For each image: the posterior's mean (z0, z1, ...) and standard deviation (z0_scale, ...) per latent, and the columns of
the images' table; where the prior is a mixture, also the likeliest component (cluster) and the probability of each
(p_cluster_0, ...). Of a two-stage model the codes are the second stage's, unless --stage first is said. .parquet and
.h5ad need the extras vaelab[parquet] and vaelab[anndata]."""


@dataclass(frozen=True, kw_only=True)
class Options(OnStage):
    """The latents of images, as CSV, npz, Parquet or AnnData."""

    others: Annotated[PathText | None, Argument("IMAGES")] = None
    """Other images: a folder, CSV, TIFF, npz, npy or IDX file; left out, the run's own."""
    output: Annotated[PathText, Flag("-o", metavar="FILE")]
    """Ends in .csv, .npz, .parquet or .h5ad."""
    strict: bool = False
    """Refuse images among which one is broken."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.data.feed import Feed
    from vaelab.inference import embed
    from vaelab.runs.export import check_target, write_embedding
    from vaelab.screen import Progress

    target = check_target(options.output)
    trained = options.load().at_stage(options.stage)
    collection = _images(trained, options)
    feed = Feed(collection.images, trained.intensity, trained.experiment.data.binarize)
    with Progress("embedding", len(feed), shown=not options.quiet) as bar:
        codes = embed(trained.given_table(collection.table), _watched(feed.batches(), bar))
    write_embedding(target, codes, collection.table.assign(**_clusters(trained, codes)))
    say_left_out(collection.left_out, len(collection))
    if not options.quiet:
        print(f"{len(codes):,} images, {codes.latent_dim} latents: {target}")
    return 0


def _clusters(trained: Run, codes: Embedding) -> dict[str, np.ndarray]:
    """The component of a mixture prior that each image most likely belongs to, and the probability of every one."""
    import torch
    from torch.distributions import MixtureSameFamily

    from vaelab.distributions.mixture import responsibilities
    from vaelab.models import device_of

    if not isinstance(trained.model.prior, MixtureSameFamily):
        return {}
    with torch.no_grad():
        found = (
            responsibilities(trained.model.prior, torch.from_numpy(codes.loc).to(device_of(trained.model)))
            .cpu()
            .numpy()
        )
    return {"cluster": found.argmax(1)} | {f"p_cluster_{c}": found[:, c] for c in range(found.shape[1])}


def _watched(batches: Iterator[Tensor], bar: Progress) -> Iterator[Tensor]:
    for x in batches:
        yield x
        bar.advance(len(x))


def _images(trained: Run, options: Options) -> ImageCollection:
    from dataclasses import replace

    import numpy as np

    from vaelab.data import open_source

    if options.others is None:
        collection, splits = trained.dataset.collection, trained.splits
        split = np.full(len(collection), "train", object)
        split[splits.validation], split[splits.test] = "validation", "test"
        return replace(collection, table=collection.table.assign(split=split))
    collection = open_source(options.others).load(strict=options.strict, progress=not options.quiet)
    if collection.image_shape != trained.model.image_shape:
        should = f"hold images of {_shape(trained.model.image_shape)}, as the run's were"
        mend = "Crop them, or choose their channels, likewise."
        raise InputError(options.others, should, _shape(collection.image_shape), mend)
    if str(collection.images.dtype) != trained.facts.dtype:
        should = f"hold {trained.facts.dtype} pixels, as the run's were"
        raise InputError(
            options.others, should, str(collection.images.dtype), "Convert them: intensities would not mean the same."
        )
    return collection


def _shape(shape: tuple[int, int, int]) -> str:
    channels, height, width = shape
    return f"{channels} channel{'s' if channels != 1 else ''}, {height}x{width}"
