"""Choosing by timing: within a budget, by a clock that the test turns."""

from __future__ import annotations

import json
import time

import pytest
import torch

from vaelab import machine
from vaelab.models import VAEConfig
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.training import Choices, choices, choose
from vaelab.training.choices import _Race


class Clock:
    """A clock that only goes when it is told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(choices.time, "perf_counter", clock)
    monkeypatch.setattr(machine, "busy_seconds", lambda: 0.0)
    return clock


def small():
    return VAEConfig(latent_dim=2, encoder=MLPEncoder(hidden=(4,)), decoder=MLPDecoder(hidden=(4,))).build((1, 8, 8))


def ways(clock, *seconds):
    """Ways that take so many seconds, and how often each was tried."""
    tried = [0] * len(seconds)

    def way(number):
        tried[number] += 1
        clock.now += seconds[number]
        return seconds[number]

    return [lambda number=number: way(number) for number in range(len(seconds))], tried


def race(budget):
    made = _Race(small(), lambda model, num_images: None, 100, 4)
    made.budget = budget
    return made


def test_the_fastest_way_wins_and_a_tie_keeps_the_first(clock):
    assert race(100).fastest(ways(clock, 0.2, 0.1, 0.15)[0]) == 1
    assert race(100).fastest(ways(clock, 0.2, 0.199)[0]) == 0


def test_a_hopeless_way_is_tried_once(clock):
    timed, tried = ways(clock, 1.0, 100.0, 0.5)
    assert race(1000).fastest(timed) == 2
    assert tried[1] == 1
    assert tried[2] > 2


def test_a_way_that_only_its_first_step_holds_up_is_not_given_up(clock):
    calls = []

    def slow_first():
        calls.append(1)
        took = 0.9 if len(calls) == 1 else 0.01
        clock.now += took
        return took

    assert race(1000).fastest([ways(clock, 0.02)[0][0], slow_first]) == 1


def test_nothing_is_tried_once_the_budget_is_spent(clock):
    timed, tried = ways(clock, 1.0, 0.9)
    assert race(2.5).fastest(timed) == 0
    assert tried == [1, 1], "a third would end after 2.9 s"
    assert clock.now < 2.5


def test_what_can_not_win_any_more_is_given_up_the_sooner_the_clearer_it_is(clock):
    timed, tried = ways(clock, 0.01, 0.03, 0.017, 0.013, 0.009)
    assert race(1000).fastest(timed) == 4
    assert tried[1:4] == [2, 2, 3], "a warm-up, and one or two steps"
    assert tried[4] == tried[0] > 10


@pytest.mark.parametrize("num_steps", [100, 1_000_000])
@pytest.mark.parametrize("per_image", [0.01, 0.125])
def test_the_budget_is_ten_seconds_or_two_percent_of_the_run(clock, num_steps, per_image):
    """Whether a step of 16 images is timed whole, or on two of them."""

    def step(model, num_images):
        clock.now += per_image * num_images

    made = _Race(small(), step, num_steps, 16)
    made.start(Choices(threads=1))
    assert made.num_images == (16 if per_image == 0.01 else 2)
    assert made.budget == pytest.approx(min(10.0, 0.02 * num_steps * 16 * per_image))


@pytest.mark.parametrize("slow", [8.0, 154.0])
def test_long_steps_are_chosen_for_within_the_budget(slow, clock, monkeypatch, tmp_path):
    """As at 256x256 on a processor without bfloat16, where nobody can tell that it has none."""
    monkeypatch.setattr(choices, "has_bfloat16", lambda: None)

    def step(model, num_images):
        clock.now += num_images / 32 * (slow if model.network_dtype == torch.bfloat16 else 8.0)

    found = choose(small(), step, batch_size=32, threads=1, memory=tmp_path / "choices.json")
    assert found.precision == "float32"
    assert clock.now <= (10 if slow == 8 else 10 + slow / 8)


@pytest.mark.parametrize("supported", [True, False])
def test_bfloat16_is_tried_only_where_the_processor_knows_it(supported, clock, monkeypatch, tmp_path):
    monkeypatch.setattr(choices, "has_bfloat16", lambda: supported)
    seen = set()

    def step(model, num_images):
        seen.add(model.network_dtype)
        clock.now += 0.01 if model.network_dtype == torch.bfloat16 else 0.1

    said = []
    found = choose(small(), step, batch_size=4, threads=1, memory=tmp_path / "choices.json", say=said.append)
    assert (torch.bfloat16 in seen) == supported
    assert found.precision == ("bfloat16" if supported else "float32")
    assert said == [f"Computed with 1 thread, {found.precision} (chosen by timing in {clock.now:.1f} s)."]


def test_the_processors_own_word_decides(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False, "amx_bf16": False}, raising=False)
    assert not choices.has_bfloat16()
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False, "amx_bf16": True}, raising=False)
    assert choices.has_bfloat16()


@pytest.mark.parametrize(
    ("file", "known"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512_bf16\n", True),
        ("model name\t: x\nflags\t\t: fpu avx512f\n\nflags\t\t: avx512_bf16\n", False),
        ("Features\t: fp asimd bf16\n", True),
        ("Features\t: fp asimd\n", False),
        (None, None),
    ],
)
def test_else_the_systems(file, known, monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    path = tmp_path / "cpuinfo"
    if file is not None:
        path.write_text(file)
    monkeypatch.setattr(machine, "Path", lambda name: path)
    assert choices.has_bfloat16() is known


def test_what_was_chosen_beside_others_is_not_remembered(clock, monkeypatch, tmp_path):
    memory, said = tmp_path / "choices.json", []

    def step(model, num_images):
        clock.now += 0.01

    for share, remembered in ((0.34, False), (0.1, True)):
        monkeypatch.setattr(machine.Watch, "others", lambda watch, share=share: share)
        choose(small(), step, batch_size=4, threads=1, precision="float32", memory=memory, say=said.append)
        assert memory.exists() == remembered
    assert said[0].endswith(" s, and not remembered: other processes had 34 % of the machine).".replace(" %", "%"))


def test_the_share_of_others(clock, monkeypatch):
    """Of 2 cores for 10 s, others had 15 s less our own 3."""
    busy, own = Clock(), Clock()
    monkeypatch.setattr(machine, "busy_seconds", busy)
    monkeypatch.setattr(machine.time, "process_time", own)
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 2)
    watch = machine.Watch()
    clock.now, busy.now, own.now = 10.0, 15.0, 3.0
    assert watch.others() == pytest.approx(0.6)
    busy.now = 2.9
    assert watch.others() == 0


def test_the_machines_own_account_counts_our_work():
    before, begun = machine.busy_seconds(), time.process_time()
    while time.process_time() - begun < 0.1:
        pass
    assert machine.busy_seconds() - before > 0.05


def test_a_choice_is_remembered_for_the_same_run(clock, tmp_path):
    memory, steps = tmp_path / "memory" / "choices.json", []

    def step(model, num_images):
        steps.append(1)
        clock.now += 0.1

    said = []
    found = choose(small(), step, batch_size=4, threads=1, memory=memory)
    count = len(steps)
    assert choose(small(), step, batch_size=4, threads=1, memory=memory, say=said.append) == found
    assert len(steps) == count
    assert said == [f"Computed with {found} (chosen by timing before)."]
    assert choose(small(), step, batch_size=4, num_steps=100, threads=1, memory=memory) == found, "of a longer run"
    assert len(steps) == count
    choose(small(), step, batch_size=4, num_steps=2_000_000, threads=1, memory=memory)
    assert len(steps) > count, "a longer run has longer to choose"
    count = len(steps)
    choose(small(), step, batch_size=5, threads=1, memory=memory)
    assert len(steps) > count
    assert len(json.loads(memory.read_text())) == 2


def test_a_broken_memory_only_means_timing_anew(clock, tmp_path):
    memory = tmp_path / "choices.json"
    memory.write_text("{")
    choose(small(), lambda model, num_images: None, batch_size=4, threads=1, memory=memory)
    assert json.loads(memory.read_text())


def test_choices_in_words():
    assert str(Choices(threads=1)) == "1 thread, float32"
    many = Choices(threads=2, precision="bfloat16", channels_last=True, kernels={"a": "x", "b": "y"})
    assert str(many) == "2 threads, bfloat16, channels last, 2 layers by other kernels"
