"""Checkpoints: a training in one file, written whole or not at all, with a digest by which a change is seen."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vaelab.errors import InputError, one_line
from vaelab.files import check_folder, write
from vaelab.training.loop import diverged
from vaelab.training.state import State

_NUMBERS = {
    "step": int, "counted": int, "best": float | int, "best_step": int, "waited": int, "prior_started": bool,
    "stop": str,
}  # fmt: skip
"""What a checkpoint says of the training, and its types."""
_SLACK = 64 << 20
"""Bytes that building a model may take beyond four times those of its checkpoint."""
_MAKERS = (torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn)
_ALTERED = "The file was altered; train anew."
_WHAT = "a checkpoint of vaelab"


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
    """Puts a training that was just begun where the saved one was.

    Raises:
        InputError: The file is broken, was altered, or is of another training.
    """
    tensors, numbers = _read(path)
    _check_numbers(numbers, path)
    _load_weights(state.model, "model.", tensors, path)
    _load_weights(state.companions, "companions.", tensors, path)
    for optimizer, name in _optimizers(state):
        for index, parameter in enumerate(p for group in optimizer.param_groups for p in group["params"]):
            moments = _beginning_with(f"{name}.{index}.", tensors)
            if any(v.shape not in (parameter.shape, ()) or not v.isfinite().all() for v in moments.values()):
                raise InputError(str(path), "hold finite moments of this model", f"others in {name}.{index}", _ALTERED)
            if moments:
                optimizer.state[parameter] = {name: value.to(parameter.device) for name, value in moments.items()}
    state.totals = tensors["totals"].to(next(state.model.parameters()).device)
    for name, value in numbers.items():
        setattr(state, name, value)


def save_weights(model: nn.Module, path: Path, said: dict | None = None) -> None:
    """The model's weights alone, and what is said of them in plain values.

    Raises:
        InputError: The disk is full; the file that was there stays as it was.
    """
    _write({f"model.{name}": value for name, value in model.state_dict().items()}, path, said or {})


def read_said(path: Path, what: str = _WHAT) -> dict:
    """What `save_weights` was told to say of the weights.

    Args:
        path: The file.
        what: What it should be, for the refusal.

    Raises:
        InputError: The file is missing, broken, or was altered.
    """
    return _read(path, what)[1]


def load_weights(model: nn.Module, path: Path) -> None:
    """Puts saved weights, or those of a checkpoint, into the model.

    Raises:
        InputError: The file is missing, broken, or of another model.
    """
    _load_weights(model, "model.", _read(path)[0], path)


def read_numbers(path: Path) -> dict:
    """What a checkpoint says of the training: its step, why it stopped, and so on."""
    numbers = _read(path)[1]
    _check_numbers(numbers, path)
    return numbers


@contextmanager
def within(path: Path) -> Iterator[None]:
    """Lets nothing be made inside the block that is far larger than the checkpoint there, if one is there.

    Raises:
        InputError: It would be: settings that were altered ask for all of the memory before the weights are compared.
    """
    most = 4 * path.stat().st_size + _SLACK if path.exists() else math.inf
    try:
        with _Within(most):
            yield
    except _TooLarge:
        should, got = f"describe the model of {path}", "a far larger one"
        raise InputError("the run's settings", should, got, "Put experiment.json and data.json back.") from None


def check_room(folder: Path, model: nn.Module) -> None:
    """Refuses a folder that cannot be written, or a disk without room for the checkpoints of this model."""
    size = sum(value.numel() * value.element_size() for value in model.state_dict().values())
    check_folder(folder, 8 * size + (16 << 20), " for checkpoints")


class _TooLarge(Exception):
    pass


class _Within(TorchFunctionMode):
    """Counts the bytes of the tensors that are made."""

    def __init__(self, most: float):
        super().__init__()
        self.left = most

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        """See torch."""
        if func in _MAKERS:
            size = (kwargs or {}).get("size", args)
            size = size[0] if size and isinstance(size[0], tuple | list) else size
            self.left -= 4 * math.prod(int(length) for length in size)
            if self.left < 0:
                raise _TooLarge
        return func(*args, **(kwargs or {}))


def _digest(tensors: Mapping[str, Tensor], numbers: dict) -> str:
    """Of all names, shapes, types of number and bytes, and of what is said of the training."""
    found = hashlib.sha256(json.dumps(numbers).encode())
    for name, value in sorted(tensors.items()):
        found.update(f"{name} {value.dtype} {tuple(value.shape)}".encode("utf-8", "surrogatepass"))
        found.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def _check_numbers(numbers: dict, path: Path) -> None:
    wrong = [name for name, kind in _NUMBERS.items() if not isinstance(numbers.get(name), kind)]
    if wrong or numbers.keys() - _NUMBERS.keys() or min(numbers["step"], numbers["counted"], numbers["waited"]) < 0:
        got = f"another {wrong[0]}" if wrong else "others"
        raise InputError(str(path), "hold the numbers of a training", got, _ALTERED)


def _write(tensors: dict[str, Tensor], path: Path, numbers: dict) -> None:
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    record = numbers | {"sha256": _digest(plain, numbers)}
    data = save(plain, {"vaelab": json.dumps(record)})  # one entry: several would stand in any order
    write(path, data, mend="The last checkpoint is unharmed; make room and resume.", flush=True)


def _read(path: Path, what: str = _WHAT) -> tuple[dict[str, Tensor], dict]:
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            numbers = dict(json.loads(file.metadata()["vaelab"]))
            digest = numbers.pop("sha256", None)  # none in checkpoints of before
            is_whole = digest is None or digest == _digest(tensors, numbers)
    except Exception as error:  # a hostile file may raise anything
        got = f"a file that cannot be read ({one_line(error)})"
        raise InputError(str(path), f"be {what}", got) from None
    if not is_whole:
        raise InputError(str(path), "hold what was saved", "other numbers", _ALTERED)
    return tensors, numbers


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
        raise InputError(str(path), "hold finite weights", f"others in {wrong}", _ALTERED)
    model.load_state_dict(weights)
