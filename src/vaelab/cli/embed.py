"""`vaelab embed`: the posterior of each image, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vaelab.cli._notes import say_left_out
from vaelab.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from vaelab.data import ImageCollection
    from vaelab.inference import Embedding
    from vaelab.runs import Run
    from vaelab.screen import Progress

_EXAMPLES = """\
examples:
  vaelab embed runs/cells-1 -o codes.csv              the run's own images, with a column of their split
  vaelab embed runs/cells-1 other.npz -o codes.h5ad   other images of the same size and channels
  vaelab embed runs/cells-1 folder/ -o codes.parquet

For each image: the posterior's mean (z0, z1, ...) and standard deviation (z0_scale, ...) per latent, and the columns of
the images' table; where the prior is a mixture, also the likeliest component (cluster) and the probability of each
(p_cluster_0, ...). Of a two-stage model the codes are the second stage's, unless --stage first is said. .parquet and
.h5ad need the extras vaelab[parquet] and vaelab[anndata]."""


def add(commands) -> None:
    """Declares the command."""
    parser = commands.add_parser(
        "embed", help="the latents of images, as CSV, npz, Parquet or AnnData", epilog=_EXAMPLES
    )
    parser.add_argument("run", metavar="RUN", help="the run folder")
    parser.add_argument(
        "images", metavar="IMAGES", nargs="?", help="folder, CSV, TIFF, npz, npy, IDX [the run's own images]"
    )
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="ends in .csv, .npz, .parquet or .h5ad")
    parser.add_argument("--stage", metavar="STAGE", help="first or second, of a two-stage model [second]")
    parser.add_argument("--strict", action="store_true", help="refuse images among which one is broken")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(args) -> int:
    """Does it."""
    from vaelab.data.feed import Feed
    from vaelab.inference import embed
    from vaelab.runs import load
    from vaelab.runs.export import check_target, write_embedding
    from vaelab.screen import Progress

    target = check_target(args.output)
    trained = load(args.run).at_stage(args.stage)
    collection = _images(trained, args)
    feed = Feed(collection.images, trained.intensity, trained.experiment.data.binarize)
    with Progress("embedding", len(feed), shown=not args.quiet) as bar:
        codes = embed(trained.given_table(collection.table), _watched(feed.batches(), bar))
    write_embedding(target, codes, collection.table.assign(**_clusters(trained, codes)))
    say_left_out(collection.left_out, len(collection))
    if not args.quiet:
        print(f"{len(codes):,} images, {codes.latent_dim} latents: {target}")
    return 0


def _clusters(trained: Run, codes: Embedding) -> dict[str, np.ndarray]:
    """The component of a mixture prior that each image most likely belongs to, and the probability of every one."""
    import torch
    from torch.distributions import MixtureSameFamily

    from vaelab.distributions.mixture import responsibilities

    if not isinstance(trained.model.prior, MixtureSameFamily):
        return {}
    with torch.no_grad():
        found = responsibilities(trained.model.prior, torch.from_numpy(codes.loc)).numpy()
    return {"cluster": found.argmax(1)} | {f"p_cluster_{c}": found[:, c] for c in range(found.shape[1])}


def _watched(batches: Iterator[Tensor], bar: Progress) -> Iterator[Tensor]:
    for x in batches:
        yield x
        bar.advance(len(x))


def _images(trained: Run, args) -> ImageCollection:
    from dataclasses import replace

    import numpy as np

    from vaelab.data import open_source

    if args.images is None:
        collection, splits = trained.dataset.collection, trained.splits
        split = np.full(len(collection), "train", object)
        split[splits.validation], split[splits.test] = "validation", "test"
        return replace(collection, table=collection.table.assign(split=split))
    collection = open_source(args.images).load(strict=args.strict, progress=not args.quiet)
    if collection.image_shape != trained.model.image_shape:
        should = f"hold images of {_shape(trained.model.image_shape)}, as the run's were"
        mend = "Crop them, or choose their channels, likewise."
        raise InputError(args.images, should, _shape(collection.image_shape), mend)
    if str(collection.images.dtype) != trained.facts.dtype:
        should = f"hold {trained.facts.dtype} pixels, as the run's were"
        raise InputError(
            args.images, should, str(collection.images.dtype), "Convert them: intensities would not mean the same."
        )
    return collection


def _shape(shape: tuple[int, int, int]) -> str:
    channels, height, width = shape
    return f"{channels} channel{'s' if channels != 1 else ''}, {height}x{width}"
