"""Images per second of training: vaelab against pythae 0.1.2, each training the same two networks its own way.

    python -m benchmarks.against_pythae [--quick]

28x28 images in memory, batch 256: pythae's default MLP VAE, and its benchmark network for MNIST. The distortion is
pythae's default, half the squared error, which is a Gaussian of scale 1.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import ledger, pictures, vaelab_side
from benchmarks.ledger import against
from benchmarks.rounds import alternate, medians, quiet_rounds
from vaelab import presets
from vaelab.data import Data, open_source
from vaelab.experiment import Experiment
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.models import VAEConfig
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.networks.mlp import MLPDecoder, MLPEncoder

BATCH = 256
ROUNDS = 3
FLOORS = {"mlp": (1.9, 2.5), "conv": (1.5, 2.0)}
LENGTHS = {"mlp": (60_000, 3, 1500), "conv": (2_560, 3, 40)}
"""Images, passes of pythae (the first is not timed), steps of vaelab."""


def model(network: str) -> VAEConfig:
    """pythae's network in vaelab's parts; it ends in a sigmoid there, and in the likelihood here."""
    likelihood = GaussianLikelihood(scale=1.0)
    if network == "mlp":
        return VAEConfig(
            latent_dim=10, encoder=MLPEncoder(hidden=(512,)), decoder=MLPDecoder(hidden=(512,)), likelihood=likelihood
        )
    encoder = ConvEncoder(widths=(128, 256, 512, 1024), kernels=(4,), dense=(), norm="batch")
    decoder = ConvDecoder(widths=(1024, 512, 256), kernels=(3,), dense=(), norm="batch", activate_first=False)
    return VAEConfig(latent_dim=10, encoder=encoder, decoder=decoder, likelihood=likelihood)


def experiment(network: str, array: Path) -> Experiment:
    """pythae's default setting as an experiment of vaelab."""
    base = presets.digits()
    training = replace(base.training, batch_size=BATCH, learning_rate=1e-4, schedule="constant")
    return replace(base, name="pythae", data=Data(source=open_source(array)), model=model(network), training=training)


def main() -> None:
    """Measures both networks and prints the table; with ``--contestant``, is one process of one round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two short rounds, not kept")
    parser.add_argument("--contestant", nargs=4, metavar=("NETWORK", "ARRAY", "WHO", "LENGTH"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.contestant:
        network, array, who, length = args.contestant
        print(json.dumps(contestant(network, Path(array), who, int(length))))
        return
    with tempfile.TemporaryDirectory() as workplace:
        os.environ["VAELAB_CACHE"] = str(Path(workplace) / "cache")
        rows = [compare(network, Path(workplace), quick=args.quick) for network in FLOORS]
    ledger.show("Training the networks of pythae 0.1.2, images per second (medians of quiet rounds)", rows)
    ledger.keep("against_pythae", rows, quick=args.quick)


def compare(network: str, workplace: Path, *, quick: bool) -> dict[str, object]:
    """All rounds of one network."""
    num_images, num_epochs, num_steps = LENGTHS[network]
    if quick:
        num_images, num_epochs, num_steps = num_images // 4, 2, num_steps // 2
    array = workplace / f"{network}.npy"
    np.save(array, pictures.make("digits", num_images))
    lengths = {"pythae": num_epochs, "vaelab": num_steps}
    contestants = {who: ["--contestant", network, str(array), who, str(n)] for who, n in lengths.items()}
    results = alternate("benchmarks.against_pythae", contestants, 2 if quick else ROUNDS)
    speeds = medians(results, "images_per_second")
    parameters = {int(measured[0].values["parameters"]) for measured in results.values()}
    if len(parameters) > 1:
        raise RuntimeError(f"the {network} models differ in their numbers of parameters: {parameters}")
    return {
        "model": f"{network}, {parameters.pop():,} parameters",
        **{key: round(value, 1) for key, value in speeds.items()},
        **against(speeds["vaelab"], speeds["pythae"], *FLOORS[network]),
        "quiet": f"{len(quiet_rounds(results))} of {len(results['vaelab'])}",
        "bfloat16": bool(results["vaelab"][-1].values["bfloat16"]),
        "threads": int(results["vaelab"][-1].values["threads"]),
    }


def contestant(network: str, array: Path, who: str, length: int) -> dict[str, float]:
    """One training, of so many passes by pythae or steps by vaelab."""
    if who == "pythae":
        from benchmarks.pythae_side import images_per_second

        speed, parameters = images_per_second(network, np.load(array), BATCH, length)
        return {"images_per_second": speed, "parameters": parameters}
    ours = experiment(network, array)
    parameters = sum(parameter.numel() for parameter in ours.model.build((1, 28, 28)).parameters())
    return {**vaelab_side.train(vaelab_side.timed(ours, length)), "parameters": parameters}


if __name__ == "__main__":
    main()
