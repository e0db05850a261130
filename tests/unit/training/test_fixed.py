"""The step on fixed buffers, without a capture, has the plain step's numbers, bit for bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ranked import CASES, PLAIN, trained
from vaelab.data.buffer import Buffer
from vaelab.data.feed import Feed
from vaelab.data.scaling import Intensity
from vaelab.training import train
from vaelab.training.fixed import FixedSteps
from vaelab.training.loop import learning_rate_schedule

FIXED = replace(PLAIN, captured=True)
RATES = {"convolutions": "step", "double": "cosine", "clipped": "cosine"}


def same(a, b):
    assert a["weights"].keys() == b["weights"].keys()
    return all(torch.equal(a["weights"][name], b["weights"][name]) for name in a["weights"]) and a["said"] == b["said"]


@pytest.mark.parametrize(
    "name", ["total_correlation", "free bits", "capacity", "several samples", "convolutions", "vamp", "mixture",
             "conditions", "clipped", "double", "single"]
)  # fmt: skip
def test_it_has_the_numbers_of_the_plain_step(name):
    case = CASES[name]
    case = replace(case, training=replace(case.training, schedule=RATES.get(name, "constant")))
    whole = trained(case)
    assert same(trained(case, choices=FIXED), whole)
    assert not same(trained(replace(case, training=replace(case.training, learning_rate=2e-3))), whole)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("resident", [True, False], ids=["on the device", "streamed"])
def test_a_buffer_gives_the_images_that_were_sent_last(kind, resident):
    images = np.random.default_rng(0).integers(0, 200, (20, 2, 4, 4)).astype(kind)
    feed = Feed(images, Intensity(lo=(0.0, 3.0), hi=(255.0, 199.0), square_root=True), resident=resident)
    buffer, places = Buffer(feed, 3), set()
    for rows in np.random.default_rng(1).integers(0, 20, (4, 3)):
        buffer.fill(rows)
        found = buffer(torch.from_numpy(rows))
        assert torch.equal(found, feed(rows))
        places.add(getattr(buffer, "place", found.new_zeros(())).data_ptr() if not resident else 0)
    assert len(places) == 1, "it stays where it is"
    assert ("lie on the device" in str(buffer)) == resident


def test_where_it_cannot_be_captured_the_reason_is_said_once_and_the_numbers_are_the_same(monkeypatch):
    """There is nothing to capture on a processor, so to try it fails as a part does that a graph does not know."""
    case, said = CASES["clipped"], []
    monkeypatch.setattr(FixedSteps, "_aside", FixedSteps._compute)
    begun = FixedSteps.__init__

    def as_on_a_gpu(self, *inputs):
        begun(self, *inputs)
        self.captures = True

    monkeypatch.setattr(FixedSteps, "__init__", as_on_a_gpu)
    state, batches = case.begun()
    lines = [(state.terms, state.validation) for _ in train(state, batches, case.training, FIXED, 3, 3, said.append)]
    assert len(said) == 1
    assert said[0].startswith("The step is not captured as one graph (")
    assert said[0].endswith("); it is computed anew each time.")
    assert same({"weights": dict(state.computes.state_dict()), "said": lines}, trained(case))


def test_the_learning_rate_is_one_tensor_that_is_written_anew():
    case = CASES["double"]
    training = replace(case.training, schedule="cosine")
    state, batches = case.begun()
    steps = FixedSteps(state, batches, training, 3, learning_rate_schedule(training, 6), lambda line: None)
    order, rates = batches.train, []
    for _ in range(3):
        steps(order, 0, 12)
        state.step += 1
        rates.append(state.learning_rate)
        assert state.optimizer.param_groups[0]["lr"] is steps.rates[0][0]
    assert rates == pytest.approx([1e-2 * (1 + np.cos(np.pi * k / 6)) / 2 for k in range(3)])
