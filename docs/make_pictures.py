"""Makes the pictures of the README from a real run: ``python docs/make_pictures.py`` (a few minutes on two cores).

Synthetic cells whose look is set by a point of the unit square are learnt without that point being told.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

import vaelab
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.plots import (
    atlas,
    channel_colours,
    composite,
    image_grid,
    picture_png,
    reconstruction_pairs,
    shrink,
    traversal_grid,
)

FOLDER = Path(__file__).parent / "images"
NUM_EPOCHS, NUM_LATENTS = 20, 4


def trained(folder: Path) -> vaelab.Run:
    """The preset of synthetic cells with few latents, the default networks, which are smaller, and fewer passes."""
    preset = vaelab.presets.cells_synthetic()
    model = replace(preset.model, latent_dim=NUM_LATENTS, encoder=ConvEncoder(), decoder=ConvDecoder())
    training = replace(preset.training, num_epochs=NUM_EPOCHS, learning_rate=1e-3, schedule="cosine")
    return vaelab.train(replace(preset, model=model, training=training), folder)


def main() -> None:
    """Trains and writes ``docs/images/*.png``."""
    with tempfile.TemporaryDirectory() as place:
        run = trained(Path(place) / "run")
        colours = channel_colours(run.channels)
        test = run.splits.test
        x = run.feed(test)
        embedding = vaelab.embed(run.model, x)
        pairs = reconstruction_pairs(
            composite(x[:12].numpy(), colours), composite(vaelab.reconstruct(run.model, x[:12]), colours)
        )
        save("reconstructions", image_grid(pairs[..., :3], 12))
        order = np.argsort(-embedding.loc.var(axis=0))
        walks = vaelab.traverse(run.model, embedding, num_steps=12, latents=order.tolist())
        save("traversal", traversal_grid(np.stack([composite(walk, colours) for walk in walks.images])))
        small, _ = shrink(x.numpy(), 32)
        save("map", atlas(embedding.loc[:, order[:2]], composite(small, colours), cells=24))


def save(name: str, picture: np.ndarray) -> None:
    """Writes one picture, what is transparent in it white."""
    solid = (
        np.where(picture[..., 3:] == 255, picture[..., :3], 255).astype(np.uint8) if picture.shape[-1] == 4 else picture
    )
    (FOLDER / f"{name}.png").write_bytes(picture_png(solid))


if __name__ == "__main__":
    main()
