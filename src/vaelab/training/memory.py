"""What is said of a step that does not fit the memory of its device: which batch would."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from vaelab import ranks
from vaelab.errors import InputError


def is_out_of_memory(error: BaseException) -> bool:
    """Whether that is what it says: torch has a class for it on a GPU only."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "allocate memory" in str(error)


def too_large(batch_size: int, gradients: Callable[[int], object], model: nn.Module, moments: bool) -> InputError:
    """The refusal of a batch that does not fit, with the largest of its halves, quarters and so on that does.

    Args:
        batch_size: Images of the batch, of all ranks.
        gradients: Computes those of so many images of this rank; whatever it leaves in the weights' `grad` is dropped.
        model: Whose weights they are.
        moments: Whether Adam's are already there; else room is left for them.
    """
    size = batch_size // ranks.count() // 2
    while size > 1 and not _fits(size, gradients, model, moments):
        size //= 2
    what, where = "training.batch_size", "this device's memory"
    if size < 2:
        mend = "Not even 2 images would; take smaller ones, or a smaller network."
        return InputError(what, f"fit {where}", batch_size, mend)
    return InputError(what, f"fit {where}", batch_size, f"{size * ranks.count()} would fit.")


def _fits(size: int, gradients: Callable[[int], object], model: nn.Module, moments: bool) -> bool:
    model.zero_grad(set_to_none=True)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    try:
        room = [] if moments else [torch.empty_like(p) for p in model.parameters() for _ in range(2)]
        with ranks.alone():
            gradients(size)
        del room
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return False
    finally:
        model.zero_grad(set_to_none=True)
    return True
