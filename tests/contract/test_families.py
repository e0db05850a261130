"""What holds for every member of every open family: a new file is tested by existing."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import pytest

from vaelab import evaluation
from vaelab.bounds import Bound
from vaelab.catalogue import find, functions, members, name_of
from vaelab.critics import Critic
from vaelab.data import Source
from vaelab.errors import InputError
from vaelab.likelihoods import Likelihood
from vaelab.models import ModelConfig
from vaelab.networks import Decoder, Encoder
from vaelab.objectives import Objective
from vaelab.penalties import Penalty
from vaelab.priors import Prior
from vaelab.settings.fields import field_docs

CONTRACTS = [Bound, Critic, Decoder, Encoder, Likelihood, ModelConfig, Objective, Penalty, Prior, Source]
MEMBERS = [
    pytest.param(contract, name, id=f"{contract.__name__}-{name}")
    for contract in CONTRACTS
    for name in members(contract)
]


@pytest.mark.parametrize(("contract", "name"), MEMBERS)
def test_a_member_is_found_by_its_files_name_and_says_what_it_is(contract, name):
    member = find(contract, name.replace("_", "-"))
    assert name_of(member) == name
    assert is_dataclass(member)
    assert member.__dataclass_params__.frozen
    assert member.__doc__
    assert member.__doc__.splitlines()[0].endswith(".")


@pytest.mark.parametrize(("contract", "name"), MEMBERS)
def test_every_setting_is_explained(contract, name):
    member = members(contract)[name]
    docs = field_docs(member)
    assert [f.name for f in fields(member) if not docs.get(f.name)] == []


@pytest.mark.parametrize("contract", CONTRACTS)
def test_an_unknown_name_is_refused_with_those_known(contract):
    name = next(iter(members(contract)))
    with pytest.raises(InputError, match=f"did you mean {name}"):
        find(contract, name + "x")


@pytest.mark.parametrize("name", functions(evaluation.__name__))
def test_every_metric_says_what_it_is_and_where_it_comes_from(name):
    doc = functions(evaluation.__name__)[name].__doc__
    assert doc
    assert doc.splitlines()[0].endswith(".")
    assert "*Source*" in doc


@pytest.mark.parametrize(
    ("contract", "name"),
    [p for p in MEMBERS if p.values[0] in (Bound, Critic, Likelihood, Objective, Penalty, Prior)],
)
def test_every_formula_names_its_source(contract, name):
    assert "*Source*" in (members(contract)[name].__doc__ or "")
