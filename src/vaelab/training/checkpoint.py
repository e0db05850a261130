"""Checkpoints: a training in one file, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from vaelab.errors import InputError
from vaelab.files import check_folder, write
from vaelab.training.loop import State, diverged

_NUMBERS = ("step", "counted", "best", "best_step", "waited", "prior_started", "stop")


def save_checkpoint(state: State, path: Path) -> None:
    """Weights, optimiser and counters, so that training goes on from here bit for bit.

    Raises:
        InputError: A weight is not finite, or the disk is full; the file that was there stays as it was.
    """
    tensors = {f"model.{name}": value for name, value in state.model.state_dict().items()}
    tensors |= {f"companions.{name}": value for name, value in state.companions.state_dict().items()}
    for optimizer, prefix in _optimizers(state):
        for index, moments in optimizer.state_dict()["state"].items():
            tensors |= {f"{prefix}.{index}.{name}": value for name, value in moments.items()}
    tensors["totals"] = state.totals
    weights = (value for name, value in tensors.items() if name.startswith(("model.", "companions.")))
    if not all(value.isfinite().all() for value in weights):
        raise diverged(state.step, "a weight")
    _write(tensors, path, {name: getattr(state, name) for name in _NUMBERS})


def load_checkpoint(state: State, path: Path) -> None:
    """Puts a training that was just begun where the saved one was."""
    tensors, numbers = _read(path)
    _load_weights(state.model, "model.", tensors, path)
    _load_weights(state.companions, "companions.", tensors, path)
    for optimizer, name in _optimizers(state):
        for index, parameter in enumerate(p for group in optimizer.param_groups for p in group["params"]):
            moments = _beginning_with(f"{name}.{index}.", tensors)
            if moments:
                optimizer.state[parameter] = {name: value.to(parameter.device) for name, value in moments.items()}
    state.totals = tensors["totals"].to(next(state.model.parameters()).device)
    for name, value in numbers.items():
        setattr(state, name, value)


def save_weights(model: nn.Module, path: Path) -> None:
    """The model's weights alone."""
    _write({f"model.{name}": value for name, value in model.state_dict().items()}, path, {})


def load_weights(model: nn.Module, path: Path) -> None:
    """Puts saved weights, or those of a checkpoint, into the model.

    Raises:
        InputError: The file is missing, broken, or of another model.
    """
    _load_weights(model, "model.", _read(path)[0], path)


def read_numbers(path: Path) -> dict:
    """What a checkpoint says of the training: its step, why it stopped, and so on."""
    return _read(path)[1]


def check_room(folder: Path, model: nn.Module) -> None:
    """Refuses a folder that cannot be written, or a disk without room for the checkpoints of this model."""
    size = sum(value.numel() * value.element_size() for value in model.state_dict().values())
    check_folder(folder, 8 * size + (16 << 20), " for checkpoints")


def _write(tensors: dict[str, Tensor], path: Path, numbers: dict) -> None:
    data = save(
        {name: value.detach().cpu().contiguous() for name, value in tensors.items()}, {"vaelab": json.dumps(numbers)}
    )
    write(path, data, mend="The last checkpoint is unharmed; make room and resume.", flush=True)


def _read(path: Path) -> tuple[dict[str, Tensor], dict]:
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            return tensors, json.loads(file.metadata()["vaelab"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(str(path), "be a checkpoint of vaelab", f"a file that cannot be read ({error})") from None


def _optimizers(state: State) -> list[tuple[torch.optim.Optimizer, str]]:
    pairs = [(state.optimizer, "optimizer"), (state.critic_optimizer, "critic_optimizer")]
    return [(optimizer, name) for optimizer, name in pairs if optimizer is not None]


def _beginning_with(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _forms(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Name -> shape and type of number."""
    return {name: f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}" for name, value in tensors.items()}


def _load_weights(model: nn.Module, prefix: str, tensors: dict[str, Tensor], path: Path) -> None:
    weights = _beginning_with(prefix, tensors)
    expected, found = _forms(model.state_dict()), _forms(weights)
    if expected != found:
        odd = sorted(set(expected.items()) ^ set(found.items()), key=str)[0]
        raise InputError(str(path), "hold the weights of this model", f"a difference at {odd[0]} {odd[1]}")
    if wrong := next((name for name, value in weights.items() if not value.isfinite().all()), ""):
        raise InputError(str(path), "hold finite weights", f"others in {wrong}", "The file was altered; train anew.")
    model.load_state_dict(weights)
