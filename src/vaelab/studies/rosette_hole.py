"""The study of a known latent space with a hole."""

from __future__ import annotations

from dataclasses import replace

from vaelab.data.sources.rosettes import RosettesSource
from vaelab.errors import InputError
from vaelab.experiment import Experiment
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.objectives import effective_beta
from vaelab.objectives.elbo import ELBO
from vaelab.penalties import Penalty
from vaelab.penalties.dip import DIP
from vaelab.penalties.entanglement import Entanglement
from vaelab.penalties.factor import Factor
from vaelab.penalties.hsic import HSIC
from vaelab.penalties.total_correlation import TotalCorrelation
from vaelab.presets import preset
from vaelab.studies._asked import Measuring, Shown, ask
from vaelab.studies._study import Study

_SIZE, _QUICK_SIZE = 256, 32
_WEIGHTS = {
    "entanglement": 1e-4,
    "dip-1": 0.01,
    "dip-2": 0.01,
    "total-correlation": 0.005,
    "factor": 0.005,
    "hsic": 0.1,
}
"""Of each penalty, where the error is averaged over the pixels."""


def rosette_hole(data: str | None = None, *, quick: bool = False) -> Study:
    """A known plane of curves, whole and with a hole: what does a model draw where it never saw an image?

    `punctured` never sees the hole, `full` is the oracle that does; both with the study's entanglement loss too, and
    `punctured` with better penalties: DIP I and II, total correlation, its discriminator, HSIC. All have the same test
    images: fresh points inside the hole and outside, and three lines across it. Weights are the study's, where errors
    are averaged over the pixels, in nats per image.

    *Source*: study 4 of vaelab's own list, after a blog series of 2021; the weights of its better penalties are ours.

    Args:
        data: Must be left out: the images are generated.
        quick: Images of 32x32, 2,000 points, narrow networks, 1,200 steps and one seed, in place of 256x256, 5,000
            points, 30 epochs and three.

    Raises:
        InputError: Other images are given.
    """
    if data is not None:
        raise InputError("--data", "be left out for rosette-hole", data, "Its images are generated, with their plane.")
    size = _QUICK_SIZE if quick else _SIZE
    full, punctured = (_small(each) if quick else each for each in map(preset, ("rosettes", "rosettes-punctured")))
    penalties = _penalties(size, quick)
    own = {name: _with(punctured, f"punctured-{name}", penalty) for name, penalty in penalties.items()}
    own_names = [experiment.name for experiment in own.values()]
    oracle = _with(full, "full-entanglement", penalties["entanglement"])
    return Study(
        name="rosette-hole",
        experiments=(replace(punctured, name="punctured"), replace(full, name="full"), *own.values(), oracle),
        seeds=(0,) if quick else (0, 1, 2),
        questions=(
            ask(
                "Does a model that never saw the hole draw it as well as one that saw the whole plane?",
                "hole_ratio", "punctured", "full", against="full",
            ),
            ask(
                "Is a hole drawn better than by the nearest training image, which scores 1?",
                "hole_against_nearest", "punctured", *own_names,
            ),
            ask("Whose shapes in the hole are right?", "hole_iou"),
            ask("Who failed, where something did: 1 the encoder, 0 the decoder?", "hole_encoder_share"),
            ask("Whose code tells the known plane, by a line?", "probe_r2"),
            ask(
                "How many dimensions has the embedding of a plane, of whose images some lie along three lines?",
                "intrinsic_dimension", "punctured", "full",
            ),
            ask("Which penalty leaves latents that each are one known number?", "mcc"),
        ),
        pictures=(
            Shown(part="transects", experiments=("punctured", "full")),
            Shown(part="space", experiments=("punctured", "full")),
        ),
        measuring=Measuring(factors=("a", "b"), num_samples=20),
    )  # fmt: skip


def _penalties(size: int, quick: bool) -> dict[str, Penalty]:
    """By name, their weights in nats per image of so many pixels."""
    weights = {name: effective_beta(rate_weight=weight, num_pixels=size**2) for name, weight in _WEIGHTS.items()}
    hidden = (200,) * 3 if quick else Factor().hidden
    return {
        "entanglement": Entanglement(weight=weights["entanglement"]),
        "dip-1": DIP(variant="I", weight=weights["dip-1"]),
        "dip-2": DIP(variant="II", weight=weights["dip-2"]),
        "total-correlation": TotalCorrelation(weight=weights["total-correlation"]),
        "factor": Factor(weight=weights["factor"], hidden=hidden),
        "hsic": HSIC(weight=weights["hsic"]),
    }


def _small(base: Experiment) -> Experiment:
    """The experiment on small images with few steps."""
    source = RosettesSource(subset="probed", size=_QUICK_SIZE, num_images=2000, line_width=1.0)
    encoder = ConvEncoder(widths=(16, 32, 32), norm="none")
    decoder = ConvDecoder(widths=(32, 32, 16), upsampling="nearest", norm="none")
    return replace(
        base,
        data=replace(base.data, source=source),
        model=replace(base.model, encoder=encoder, decoder=decoder),  # pyright: ignore[reportCallIssue]
        objective=ELBO(rate_weight=effective_beta(rate_weight=0.001, num_pixels=_QUICK_SIZE**2)),
        training=replace(base.training, batch_size=32, learning_rate=2e-3, num_steps=1200, patience=None),
    )


def _with(base: Experiment, name: str, penalty: Penalty) -> Experiment:
    """The experiment under another name, with a penalty."""
    return replace(base, name=name, objective=replace(base.objective, penalties=(penalty,)))
