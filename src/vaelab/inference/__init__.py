"""What a trained model says of images: their codes, their reconstructions, and what lies between and around them.

Every function works for every model, in float32 and evaluation mode, batch by batch, without gradients, and leaves the
model and the random generators as they were.
"""

from __future__ import annotations

from vaelab.inference.batches import ImageBatches, Trained, batches, images_at_once, opened
from vaelab.inference.complete import Completion, complete, nearest_images
from vaelab.inference.decode import decode_mean, operations
from vaelab.inference.embed import Embedding, embed, posteriors
from vaelab.inference.geodesic import Bending, Geodesics, geodesics, log_magnification, pullback_metric
from vaelab.inference.infer import STUDY, Inferred, Search, infer
from vaelab.inference.interpolate import Interpolation, interpolate, interpolation_grid, one_of_every_other_class
from vaelab.inference.reconstruct import reconstruct
from vaelab.inference.sample import sample
from vaelab.inference.swap_condition import swap_condition
from vaelab.inference.traverse import Traversal, traverse

__all__ = [
    "STUDY",
    "Bending",
    "Completion",
    "Embedding",
    "Geodesics",
    "ImageBatches",
    "Inferred",
    "Interpolation",
    "Search",
    "Trained",
    "Traversal",
    "batches",
    "complete",
    "decode_mean",
    "embed",
    "geodesics",
    "images_at_once",
    "infer",
    "interpolate",
    "interpolation_grid",
    "log_magnification",
    "nearest_images",
    "one_of_every_other_class",
    "opened",
    "operations",
    "posteriors",
    "pullback_metric",
    "reconstruct",
    "sample",
    "swap_condition",
    "traverse",
]
