"""Looking at a model without disturbing it, or anyone's random numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TypeVar

import torch
from torch import nn

from vaelab.models._base import Model, models_in
from vaelab.shapes import Images

M = TypeVar("M", bound=Model)
_AT_ONCE = 256


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode and full precision, without gradients; afterwards every part is as it was.

    >>> from vaelab.models import VAEConfig
    >>> vae = VAEConfig(latent_dim=2).build((1, 8, 8)).train()
    >>> with evaluating(vae):
    ...     print(vae.training, torch.is_grad_enabled())
    False False
    >>> vae.training
    True
    """
    dtypes = {part: part.network_dtype for part in models_in(model)}
    for part in dtypes:
        part.network_dtype = torch.float32
    try:
        with in_evaluation_mode(model), torch.no_grad(), torch.autocast(device_of(model).type, enabled=False):
            yield
    finally:
        for part, dtype in dtypes.items():
            part.network_dtype = dtype


@contextmanager
def in_evaluation_mode(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode, with gradients; afterwards every part is as it was."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def in_pieces(model: M, images: Images) -> Iterator[tuple[M, Images]]:
    """Many images some at a time, each time with the model for them: all at once may not fit into the memory."""
    for start in range(0, len(images), _AT_ONCE):
        some = images[start : start + _AT_ONCE]
        yield model.part(start, start + len(some)), some


@contextmanager
def local_randomness(seed: int, device: torch.device) -> Iterator[None]:
    """Random numbers from a seed of their own, on the CPU and the device; afterwards the generators are as they were.

    >>> with local_randomness(0, torch.device("cpu")):
    ...     a = torch.rand(1)
    >>> with local_randomness(0, torch.device("cpu")):
    ...     bool(torch.rand(1) == a)
    True
    """
    on_gpu = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_gpu else []):
        torch.default_generator.manual_seed(seed)
        if on_gpu:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


def device_of(model: nn.Module) -> torch.device:
    """Where the model's weights lie."""
    anything = next(chain(model.parameters(), model.buffers()), None)
    return torch.device("cpu") if anything is None else anything.device
