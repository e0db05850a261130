"""`vaelab embed`: the posterior of each image, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from vaelab.cli._notes import say, say_reading
from vaelab.cli._options import Flag, OnImages
from vaelab.settings.ranges import PathText

if TYPE_CHECKING:
    import pandas as pd

    from vaelab.inference import Embedding
    from vaelab.runs import Run
    from vaelab.runs.export import Rows

EXAMPLES = """\
examples:
  vaelab embed runs/cells-1 -o codes.csv              the run's own images, with a column of their split
  vaelab embed runs/cells-1 other.npz -o codes.h5ad   other images of the same size and channels
  vaelab embed runs/cells-1 folder/ -o codes.parquet
  vaelab embed runs/cells-1 folder/ -o codes.csv --size 64,64 --labels wells.csv

Other images are read as the run's were, with its crop, size, channel pattern and so on; named channels are put into its
order. Any setting of their source is a flag, as on `vaelab data info`. How many pixels were clipped, and how many codes
lie beyond those of training images, is said.

For each image: the posterior's mean (z0, z1, ...) and standard deviation (z0_scale, ...) per latent, and the columns of
the images' table; where the prior is a mixture, also the likeliest component (cluster) and the probability of each
(p_cluster_0, ...). Columns of the table keep their names: where one of ours has the same, ours begins with vaelab_. Of
a two-stage model the codes are the second stage's, unless --stage first is said. .parquet and .h5ad need the extras
vaelab[parquet] and vaelab[anndata].

Any number of images goes: codes lie on the disk while they are computed, beside the file that is written when all are
there. What a kill, Ctrl-C or a full disk interrupted goes on when the same command is given again."""


@dataclass(frozen=True, kw_only=True)
class Options(OnImages):
    """The latents of images, as CSV, npz, Parquet or AnnData."""

    output: Annotated[PathText, Flag("-o", metavar="FILE")]
    """Ends in .csv, .npz, .parquet or .h5ad."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.runs.export import check_table, check_target, write_embedding
    from vaelab.runs.others import distance
    from vaelab.runs.streamed import streamed

    target = check_target(options.output)
    trained = options.load().at_stage(options.stage)
    others = options.other_images(trained)
    collection = trained.dataset.collection if others is None else others
    check_table(target, collection.table)
    own = others is None
    with streamed(trained, collection, target, progress=not options.quiet, say=say) as codes:
        ours = [_parts(trained, len(codes))] if own else []
        notes = write_embedding(target, codes, collection.table, [*ours, *_clusters(trained, codes)])
        notes += [] if own else distance(trained, collection, codes).words()
        say_reading(collection)
        for note in notes:
            say(note)
        if not options.quiet:
            print(f"{len(codes):,} images, {codes.latent_dim} latents: {target}")
    return 0


def _parts(trained: Run, count: int) -> pd.DataFrame:
    """The column `split` of the run's own images."""
    import numpy as np
    import pandas as pd

    split = np.full(count, "train", object)
    split[trained.splits.validation], split[trained.splits.test] = "validation", "test"
    return pd.DataFrame({"split": split})


def _clusters(trained: Run, codes: Embedding) -> list[Rows]:
    """What gives the component of a mixture prior that each image most likely belongs to, and the probability of every
    one; nothing for another prior."""
    import numpy as np
    import pandas as pd
    import torch
    from torch.distributions import MixtureSameFamily

    from vaelab.distributions.mixture import responsibilities
    from vaelab.models import device_of

    prior = trained.model.prior

    def of(part: slice) -> pd.DataFrame:
        with torch.no_grad():
            some = torch.from_numpy(np.array(codes.loc[part])).split(1 << 14)
            found = torch.cat([responsibilities(prior, loc.to(device_of(trained.model))).cpu() for loc in some]).numpy()
        columns = {"cluster": found.argmax(1)} | {f"p_cluster_{c}": found[:, c] for c in range(found.shape[1])}
        return pd.DataFrame(columns)

    return [of] if isinstance(prior, MixtureSameFamily) else []
