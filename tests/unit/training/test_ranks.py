"""Several processes that train together have the numbers of one."""

from __future__ import annotations

import pytest
import torch

from ranked import CASES, PLAIN, RESUMED, together, trained
from vaelab.training import train
from vaelab.training.checkpoint import load_checkpoint


@pytest.fixture(scope="module")
def alone():
    return {name: trained(case) for name, case in CASES.items()}


@pytest.fixture(scope="module", params=[2, *(pytest.param(n, marks=pytest.mark.slow) for n in (3, 4))])
def folder(request, tmp_path_factory):
    return request.param, tmp_path_factory.mktemp("ranks")


@pytest.fixture(scope="module")
def found(folder):
    return together(*folder)


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def near(a, b, name):
    """As near as sums in another order are, after some steps."""
    assert a["weights"].keys() == b["weights"].keys()
    for key, value in a["weights"].items():
        torch.testing.assert_close(
            b["weights"][key], value, rtol=1e-3, atol=2e-5, msg=lambda m, k=key: f"{name} {k} {m}"
        )
    for (terms, validation), (own_terms, own_validation) in zip(a["said"], b["said"], strict=True):
        for one, other in ((terms, own_terms), (validation, own_validation)):
            assert (one is None) == (other is None)
            for stage in one or {}:
                assert other[stage] == pytest.approx(one[stage], rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_the_ranks_have_the_numbers_of_one_process_to_rounding_and_the_same_among_each_other(name, found, alone):
    for each in found[1:]:
        assert same(each[name]["weights"], found[0][name]["weights"])
        assert each[name]["said"] == found[0][name]["said"]
    near(alone[name], found[0][name], name)


@pytest.mark.parametrize("name", RESUMED)
def test_at_the_same_number_of_ranks_it_is_resumed_bit_for_bit(name, found):
    for each in found:
        assert same(each["resumed"][name]["weights"], each[name]["weights"])
        assert each["resumed"][name]["said"] == each[name]["said"]


@pytest.mark.parametrize("name", RESUMED)
def test_one_process_goes_on_with_what_several_have_begun(name, found, folder, alone):
    state, batches = CASES[name].begun()
    load_checkpoint(state, folder[1] / f"{name}.safetensors")
    assert state.step == 4
    said = [(state.terms, state.validation) for _ in train(state, batches, CASES[name].training, PLAIN, 3, 3)]
    whole = alone[name]
    near({**whole, "said": whole["said"][4:]}, {"weights": dict(state.computes.state_dict()), "said": said}, name)
