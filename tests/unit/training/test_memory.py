"""A step that does not fit the memory is refused with the batch that would."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch

from ranked import MLP, Case
from vaelab.errors import InputError
from vaelab.training import Choices, ObjectiveStep, Training, begin_step, train


class Small(ObjectiveStep):
    """On a device that holds so many images."""

    room = 20
    error: type[Exception] = torch.OutOfMemoryError

    def forward(self, x, *inputs):
        if len(x) > self.room:
            raise self.error("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return super().forward(x, *inputs)


def run(room=20, error=torch.OutOfMemoryError, batch_size=60):
    case = Case(training=Training(batch_size=batch_size, num_steps=2))
    state, batches = case.begun()
    batches = replace(batches, validation=batches.validation[:0])
    computes = Small(state.computes.model, case.objective, state.computes.companions)
    computes.room, computes.error = room, error
    begun = begin_step(computes, batches, case.training)
    before = {name: value.clone() for name, value in computes.state_dict().items()}
    try:
        list(train(begun, batches, case.training, Choices(threads=1)))
    finally:
        if begun.step == 0:
            assert all(torch.equal(value, before[name]) for name, value in computes.state_dict().items())
            assert all(p.grad is None for p in computes.parameters())
    return begun


@pytest.mark.parametrize(
    ("room", "fits", "error"),
    [(30, 30, RuntimeError), (29, 15, MemoryError), (20, 15, torch.OutOfMemoryError), (3, 3, torch.OutOfMemoryError)],
)
def test_it_says_the_largest_half_quarter_and_so_on_that_fits_and_that_one_does(room, fits, error):
    sentence = f"training.batch_size should fit this device's memory, got 60. {fits} would fit."
    with pytest.raises(InputError, match=f"^{re.escape(sentence)}$"):
        run(room, error)
    assert run(room, error, fits).step == 2


def test_where_nothing_fits_it_says_so():
    with pytest.raises(
        InputError, match=r"got 60\. Not even 2 images would; take smaller ones, or a smaller network\."
    ):
        run(1)


def test_other_errors_are_not_taken_for_it():
    case = Case(training=Training(batch_size=8, num_steps=1), config=MLP)
    state, batches = case.begun()

    class Broken(ObjectiveStep):
        def forward(self, *inputs):
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    broken = begin_step(Broken(state.computes.model, case.objective, state.computes.companions), batches, case.training)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        next(iter(train(broken, batches, case.training, Choices(threads=1))))
