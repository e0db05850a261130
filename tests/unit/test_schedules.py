"""Schedules against their closed forms, in plain numbers."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vaelab.schedules import Constant, Cosine, Drops, Ramp, Schedule, time_of

VALUES = st.floats(-1e6, 1e6)
STEPS = st.integers(1, 10_000)
TIMES = st.integers(0, 30_000)
KINDS = {
    "constant": Constant(2.5),
    "ramp": Ramp(2.5, steps=40),
    "late ramp": Ramp(2.5, steps=40, start=30),
    "cycles": Ramp(2.5, steps=40, start=30, cycle=60),
    "jump": Ramp(2.5, start=30),
    "cosine": Cosine(2.5, steps=40),
    "drops": Drops(2.5, steps=60),
}
every = pytest.mark.parametrize("schedule", KINDS.values(), ids=KINDS)


def at(schedule: Schedule, step: int) -> float:
    """The number at a step."""
    return float(schedule(time_of(step)))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("constant", {0: 2.5, 1: 2.5, 10**9: 2.5}),
        ("ramp", {0: 0, 1: 0.0625, 10: 0.625, 39: 2.4375, 40: 2.5, 41: 2.5, 10**9: 2.5}),
        ("late ramp", {0: 0, 29: 0, 30: 0, 31: 0.0625, 50: 1.25, 70: 2.5, 71: 2.5}),
        ("cycles", {0: 0, 30: 0, 50: 1.25, 70: 2.5, 89: 2.5, 90: 0, 91: 0.0625, 110: 1.25, 130: 2.5, 150: 0}),
        ("jump", {0: 0, 29: 0, 30: 2.5, 31: 2.5}),
        ("cosine", {0: 2.5, 10: 2.5 * (2 + 2**0.5) / 4, 20: 1.25, 30: 2.5 * (2 - 2**0.5) / 4, 40: 0}),
        ("drops", {0: 2.5, 39: 2.5, 40: 0.25, 49: 0.25, 50: 0.025, 59: 0.025, 60: 0.025}),
    ],
)
def test_in_numbers(kind, expected):
    assert {step: at(KINDS[kind], step) for step in expected} == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_no_time_is_the_end(kind):
    """What rises is whole there, by which held-out images are judged; what falls has fallen."""
    schedule = KINDS[kind]
    assert schedule(None) == schedule.end == {"cosine": 0, "drops": 0.025}.get(kind, 2.5)
    assert isinstance(schedule(None), float)


@every
def test_time_and_value_are_tensors_of_one_number(schedule):
    """So that one step that was captured serves all times."""
    value = schedule(time_of(7))
    assert isinstance(value, torch.Tensor)
    assert (value.shape, value.dtype) == ((), torch.float64)


@every
def test_time_is_left_as_it_was(schedule):
    t = time_of(35)
    first = schedule(t)
    assert torch.equal(schedule(t), first)
    assert t == 35


@given(st.integers(0, 2**53))
def test_so_many_steps_are_exactly_so_much_time(step):
    t = time_of(step)
    assert (t.shape, t.dtype, t.device.type) == ((), torch.float64, "cpu")
    assert int(t) == step


@given(VALUES, TIMES)
def test_a_constant_is_itself(value, step):
    assert at(Constant(value), step) == value


@given(VALUES, STEPS, st.integers(0, 5_000), TIMES)
def test_a_ramp_is_a_line_between_two_ends(value, steps, start, step):
    share = min(1, max(0, (step - start) / steps))
    assert at(Ramp(value, steps=steps, start=start), step) == pytest.approx(value * share, rel=1e-12, abs=1e-12)


@given(VALUES, STEPS, st.integers(0, 5_000), TIMES, st.integers(0, 2_000))
def test_cycles_are_the_same_ramp_again_and_again(value, steps, start, step, rest):
    cycle = steps + rest
    again = at(Ramp(value, steps=steps, start=start, cycle=cycle), step)
    within = start + (step - start) % cycle if step >= start else step
    assert again == at(Ramp(value, steps=steps, start=start), within)


@given(VALUES, st.integers(0, 5_000), TIMES)
def test_a_ramp_of_no_steps_is_a_jump(value, start, step):
    assert at(Ramp(value, start=start), step) == (value if step >= start else 0)


@given(VALUES, STEPS, st.floats(0, 1))
def test_half_a_cosine_in_other_words(value, steps, share):
    """(1 + cos a) / 2 = cos(a / 2)^2."""
    step = round(share * steps)
    expected = value * math.cos(math.pi * step / steps / 2) ** 2
    assert at(Cosine(value, steps=steps), step) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(st.floats(0.1, 10), STEPS, st.floats(0, 1))
def test_a_cosine_falls_and_is_as_far_below_the_top_as_it_will_be_above_0(value, steps, share):
    step = round(share * steps)
    schedule = Cosine(value, steps=steps)
    assert at(schedule, step) + at(schedule, steps - step) == pytest.approx(value, rel=1e-9)
    assert step == 0 or at(schedule, step) < at(schedule, step - 1)


@given(VALUES, STEPS, st.floats(0, 1))
def test_drops_count_the_marks_that_are_passed(value, steps, share):
    step = round(share * steps)
    passed = (3 * step >= 2 * steps) + (6 * step >= 5 * steps)
    assert at(Drops(value, steps=steps), step) == pytest.approx(value / 10**passed, rel=1e-12)


@given(st.sampled_from(sorted(KINDS)), TIMES)
def test_a_share_is_from_0_to_1(kind, step):
    assert 0 <= float(KINDS[kind].share(time_of(step))) <= 1
