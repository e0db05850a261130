"""What holds for every member of every open family: a new file is tested by existing."""

from __future__ import annotations

import importlib
from dataclasses import fields, is_dataclass
from inspect import isabstract, isclass
from pathlib import Path

import pytest

import vaelab
from vaelab.catalogue import find, functions, members, name_of
from vaelab.data import Source
from vaelab.errors import InputError
from vaelab.models import ModelConfig
from vaelab.networks import Decoder, Encoder
from vaelab.settings.fields import field_docs


def contracts() -> list[type]:
    """The contract of every family whose members have settings: abstract settings classes in a folder's `_base.py`."""
    found = []
    for path in sorted(Path(vaelab.__path__[0]).rglob("_base.py")):
        parts = path.relative_to(vaelab.__path__[0]).with_suffix("").parts
        module = importlib.import_module(".".join(("vaelab", *parts)))
        classes = [c for c in vars(module).values() if isclass(c) and c.__module__ == module.__name__]
        found += [c for c in classes if isabstract(c) and is_dataclass(c) and members(c)]
    return found


CONTRACTS = contracts()
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


@pytest.mark.parametrize("name", functions("vaelab.metrics"))
def test_every_metric_says_what_it_is_and_where_it_comes_from(name):
    doc = functions("vaelab.metrics")[name].__doc__
    assert doc
    assert doc.splitlines()[0].endswith(".")
    assert "*Source*" in doc


@pytest.mark.parametrize(
    ("contract", "name"),
    [p for p in MEMBERS if p.values[0] not in (Source, Encoder, Decoder, ModelConfig)],
)
def test_every_formula_names_its_source(contract, name):
    assert "*Source*" in (members(contract)[name].__doc__ or "")
