"""The other side of the comparison: a VAE as a good student writes it in an afternoon, PNG files to Adam steps.

Stock layers, float32, a `DataLoader` that decodes with PIL, the loss read at every step for the progress line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, Dataset


class PNGFolder(Dataset):
    """The PNG files of a folder, each decoded when it is asked for."""

    def __init__(self, folder: Path):
        self.paths = sorted(folder.glob("*.png"))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor:
        with Image.open(self.paths[index]) as image:
            pixels = np.asarray(image, dtype=np.float32) / 255
        if pixels.ndim == 2:
            pixels = pixels[:, :, None]
        return torch.from_numpy(pixels).permute(2, 0, 1)


class PlainVAE(nn.Module):
    """Encoder and decoder with the Bernoulli loss; `scale` where the posterior's scale is a constant."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, scale: float | None = None):
        super().__init__()
        self.encoder, self.decoder, self.scale = encoder, decoder, scale

    def loss(self, x: Tensor) -> Tensor:
        """Minus the evidence lower bound, in nats per image."""
        codes = self.encoder(x)
        if self.scale is None:
            mean, log_scale = codes.chunk(2, dim=1)
        else:
            mean, log_scale = codes, torch.full_like(codes, np.log(self.scale))
        z = mean + log_scale.exp() * torch.randn_like(mean)
        distortion = binary_cross_entropy_with_logits(self.decoder(z), x, reduction="sum") / len(x)
        rate = 0.5 * (mean**2 + (2 * log_scale).exp() - 1 - 2 * log_scale).sum() / len(x)
        return distortion + rate


def disentanglement(channels: int) -> PlainVAE:
    """The networks of the disentanglement benchmark for 64x64 images; 690,517 parameters with one channel."""
    encoder = nn.Sequential(
        nn.Conv2d(channels, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 32, 4, 2, 1), nn.ReLU(),
        nn.Conv2d(32, 64, 2, 2), nn.ReLU(), nn.Conv2d(64, 64, 2, 2), nn.ReLU(),
        nn.Flatten(), nn.Linear(1024, 256), nn.ReLU(), nn.Linear(256, 20),
    )  # fmt: skip
    decoder = nn.Sequential(
        nn.Linear(10, 256), nn.ReLU(), nn.Linear(256, 1024), nn.ReLU(), nn.Unflatten(1, (64, 4, 4)),
        nn.ConvTranspose2d(64, 64, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(),
        nn.ConvTranspose2d(32, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, channels, 4, 2, 1),
    )  # fmt: skip
    return PlainVAE(encoder, decoder)


def rosettes() -> PlainVAE:
    """The networks of the study with a known latent space, 256x256x1: three latents of constant scale 0.1."""
    encoder = nn.Sequential(
        nn.Conv2d(1, 64, 4, 2, 1), nn.ReLU(), nn.Conv2d(64, 64, 4, 2, 1), nn.ReLU(),
        nn.Conv2d(64, 128, 4, 2, 1), nn.ReLU(), nn.Conv2d(128, 128, 4, 2, 1), nn.ReLU(),
        nn.Flatten(), nn.Linear(128 * 16 * 16, 256), nn.ReLU(), nn.Linear(256, 3),
    )  # fmt: skip
    decoder = nn.Sequential(
        nn.Linear(3, 256), nn.ReLU(), nn.Linear(256, 128 * 16 * 16), nn.Unflatten(1, (128, 16, 16)), nn.ReLU(),
        nn.Upsample(scale_factor=2), nn.Conv2d(128, 128, 3, padding=1), nn.ReLU(),
        nn.Upsample(scale_factor=2), nn.Conv2d(128, 64, 3, padding=1), nn.ReLU(),
        nn.Upsample(scale_factor=2), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(),
        nn.Upsample(scale_factor=2), nn.Conv2d(64, 1, 3, padding=1),
    )  # fmt: skip
    return PlainVAE(encoder, decoder, scale=0.1)


def iwae() -> PlainVAE:
    """784-200-200-50 with tanh, and back: the one-layer VAE of the IWAE paper."""
    encoder = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh(), nn.Linear(200, 100)
    )
    decoder = nn.Sequential(
        nn.Linear(50, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh(), nn.Linear(200, 784), nn.Unflatten(1, (1, 28, 28))
    )
    return PlainVAE(encoder, decoder)


def endless(loader: DataLoader) -> Iterator[Tensor]:
    """Pass after pass over the loader's batches."""
    while True:
        yield from loader


def images_per_second(
    make: Callable[[], PlainVAE], folder: Path, batch_size: int, workers: int, seconds: float, warm_up: int = 3
) -> float:
    """Trains for about so many seconds, the starts of workers at each pass included, after a few uncounted steps."""
    torch.manual_seed(0)
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    loader = DataLoader(PNGFolder(folder), batch_size, shuffle=True, drop_last=True, num_workers=workers)
    running, start = 0.0, time.perf_counter()
    for step, x in enumerate(endless(loader), 1):
        optimizer.zero_grad()
        loss = model.loss(x)
        loss.backward()
        optimizer.step()
        running += loss.item()
        if step == warm_up:
            start = time.perf_counter()
        elif step > warm_up and time.perf_counter() - start > seconds:
            break
    return (step - warm_up) * batch_size / (time.perf_counter() - start)
