"""A classifier that is calibrated, saved and read back: it tells the class, or the number, that a column says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vaelab.data import Intensity
from vaelab.data.feed import Feed
from vaelab.errors import InputError
from vaelab.evaluation.calibration import fit_temperature
from vaelab.evaluation.classifier import Classifier, fit_network
from vaelab.models import evaluating, local_randomness
from vaelab.settings.ranges import AtLeast1, Finite, Positive, Seed, Settings
from vaelab.settings.record import from_record, to_record
from vaelab.shapes import Images
from vaelab.training.checkpoint import load_weights, read_said, save_weights, within


@dataclass(frozen=True, kw_only=True)
class ClassifierFacts(Settings):
    """What a classifier tells of images, and of which it learnt it."""

    column: str
    """The column of the images' table that says it."""
    classes: tuple[str, ...] = ()
    """Their names, in the order of the probabilities; none where it tells a number."""
    mean: Finite = 0.0
    """Of the numbers, over the images that it learnt from."""
    scale: Positive = 1.0
    """Their standard deviation there."""
    image_shape: tuple[AtLeast1, AtLeast1, AtLeast1]
    """(channel, height, width)."""
    intensity: Intensity
    """How the images' stored pixels became numbers in [0, 1]."""
    channels: tuple[str, ...] = ()
    """The channels' names."""
    images: str = ""
    """Digest of the collection, by which it is known again."""
    split: str = ""
    """Digest of the rows that it learnt from, was calibrated with and is judged by."""
    group: str = ""
    """The column of what is never divided between these; empty: the run's own split."""
    seed: Seed = 0
    """Of its weights and the order of the images."""

    def __post_init__(self):
        super().__post_init__()
        if len(self.classes) == 1:
            raise InputError("classes", "be 2 or more, or none", 1)


class Predictor(nn.Module):
    """From images in [0, 1] to the probability of each class, calibrated, or to a number in its own unit.

    Args:
        network: What it computes with.
        facts: What it tells.
    """

    temperature: Tensor
    """By which the network's answers are divided; above 1 it was too sure."""

    def __init__(self, network: Classifier, facts: ClassifierFacts):
        super().__init__()
        self.network, self.facts = network, facts
        self.register_buffer("temperature", torch.ones(()))

    def forward(self, x: Images) -> Tensor:
        """(image, class) probabilities, or (image, 1) numbers.

        Raises:
            InputError: The images are not of the size that it learnt from.
        """
        if tuple(x.shape[1:]) != self.facts.image_shape:
            size = " x ".join(map(str, self.facts.image_shape))
            got = " x ".join(map(str, x.shape[1:]))
            raise InputError("images", f"be {size}, as those that the classifier learnt from", got)
        if self.facts.classes:
            return (self.network(x) / self.temperature).softmax(1)
        return self.facts.mean + self.facts.scale * self.network(x)


def fit_predictor(
    feed: Feed,
    facts: ClassifierFacts,
    values: np.ndarray,
    rows: np.ndarray,
    validation: np.ndarray,
    on_step: Callable[[int], None] | None = None,
) -> Predictor:
    """A predictor of these images' classes or numbers; the same images, values and seed give the same one.

    Args:
        feed: Gives images by row, on the device where it is to learn.
        facts: What it tells.
        values: (image of the collection,): the class as a number from 0, or the number.
        rows: (image,): those to learn from.
        validation: (image,): those by whose classes it is calibrated; none: its temperature is 1.
        on_step: Called after each step with 1, to show progress.
    """
    wanted = values[rows] if facts.classes else (values[rows] - facts.mean) / facts.scale
    network = fit_network(feed, rows, wanted, len(facts.classes) or 1, facts.seed, on_step)
    predictor = Predictor(network, facts).to(feed.device)
    if facts.classes and len(validation):
        with evaluating(network):
            logits = torch.cat([network(x) for x in feed.batches(validation)]).cpu().numpy().astype(np.float64)
        predictor.temperature.fill_(fit_temperature(logits, values[validation].astype(int)))
    return predictor.eval()


def save_classifier(predictor: Predictor, path: Path) -> None:
    """Its weights as safetensors, with all that is needed to rebuild it in the file's header; no code runs to read it.

    Raises:
        InputError: It cannot be written, or the disk is full; what was there stays as it was.
    """
    save_weights(predictor, path, {"classifier": to_record(predictor.facts)})


def load_classifier(path: Path | str) -> Predictor:
    """Reads it back; torch's random numbers stay as they were.

    Raises:
        InputError: The file is missing, damaged, or of something else.
    """
    path, what = Path(path), "a classifier that vaelab classify wrote"
    said = read_said(path, what)
    try:
        facts = from_record(ClassifierFacts, said.get("classifier"))
        with within(path), local_randomness(0, torch.device("cpu")):
            predictor = Predictor(Classifier(facts.image_shape, len(facts.classes) or 1), facts)
    except InputError:
        raise InputError(str(path), f"be {what}", "a file of something else") from None
    load_weights(predictor, path)
    if not predictor.temperature > 0:
        raise InputError(str(path), "hold a temperature above 0", predictor.temperature.item())
    return predictor.eval()
