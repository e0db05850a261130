"""pythae's side of the comparison: its own training loop on its own networks, as its documentation shows them."""

from __future__ import annotations

import tempfile
import time

import numpy as np
import torch


def images_per_second(network: str, images: np.ndarray, batch_size: int, num_epochs: int) -> tuple[float, int]:
    """Speed over the passes after the first, and the number of parameters.

    Args:
        network: ``mlp`` (its default) or ``conv`` (its benchmark network for MNIST).
        images: (image, 1, 28, 28), uint8.
        batch_size: Images in a step.
        num_epochs: Passes, 2 or more.
    """
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.models.nn.benchmarks.mnist import Decoder_Conv_AE_MNIST, Encoder_Conv_VAE_MNIST
    from pythae.trainers import BaseTrainer, BaseTrainerConfig
    from pythae.trainers.training_callbacks import TrainingCallback

    class Clock(TrainingCallback):
        """The moments at which passes end."""

        def __init__(self):
            self.moments: list[float] = []

        def on_epoch_end(self, *_, **__):
            self.moments.append(time.perf_counter())

    config = VAEConfig(input_dim=(1, 28, 28), latent_dim=10)
    model = (
        VAE(config, Encoder_Conv_VAE_MNIST(config), Decoder_Conv_AE_MNIST(config)) if network == "conv" else VAE(config)
    )
    pixels = torch.from_numpy(images).float() / 255
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        setting = BaseTrainerConfig(
            output_dir=folder, num_epochs=num_epochs, per_device_train_batch_size=batch_size, learning_rate=1e-4
        )
        dataset = BaseDataset(pixels, torch.zeros(len(pixels)))
        BaseTrainer(model, dataset, training_config=setting, callbacks=[clock]).train()
    seconds = clock.moments[-1] - clock.moments[0]
    return (num_epochs - 1) * len(images) / seconds, sum(parameter.numel() for parameter in model.parameters())
