"""The record of a run: written, read back exactly, hashed, and refused in one sentence."""

from __future__ import annotations

import dataclasses
import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ROOT
from vaelab.data.sources.folder import FolderSource
from vaelab.errors import InputError
from vaelab.experiment import as_json, read, write
from vaelab.presets import digits, preset, presets
from vaelab.settings.text import override

NAMES = sorted(presets())


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("experiments")


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_is_read_back_exactly(name, place):
    experiment = preset(name, FolderSource(path="a folder/\udce9"))
    write(experiment, place / "x.json")
    again = read(place / "x.json")
    assert again == experiment
    assert again.hash == experiment.hash
    assert (place / "x.json").read_text() == as_json(again) + "\n"


def test_a_short_file_takes_the_defaults_for_the_rest(place):
    short = {
        "name": "short",
        "data": {"source": {"kind": "digits"}},
        "model": {"kind": "vae"},
        "objective": {"kind": "elbo"},
    }
    (place / "short.json").write_text(json.dumps({**short, "training": {}}))
    assert read(place / "short.json").training == type(digits().training)()
    (place / "short.json").write_text(json.dumps(short))
    with pytest.raises(
        InputError, match=r"^training should be the fields of Training, got nothing. It has no default.$"
    ):
        read(place / "short.json")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "should be JSON"),
        ("{", "should be JSON"),
        ("[" * 100_000, "should be JSON"),
        ("1" * 5000, "should be JSON"),
        ("[]", "should hold one JSON object, an experiment, got list"),
        ("null", "should hold one JSON object"),
        ('{"name": "a", "name": "b"}', "name should stand once in its part of the file, got 2 times"),
        ('{"format": 4}', "format should be 1 to 3, got 4. If a newer vaelab wrote the file, update yours."),
        ('{"format": 1, "nmae": "a"}', "nmae should be a known name, got 'nmae'. Known: .* did you mean name?"),
        ("{}", "name should be text, got nothing"),
    ],
)
def test_a_file_that_is_no_experiment_is_refused_in_one_sentence(text, sentence, place):
    (place / "bad.json").write_text(text)
    with pytest.raises(InputError, match=sentence) as refusal:
        read(place / "bad.json")
    assert "\n" not in str(refusal.value)


def test_files_that_cannot_be_read_are_refused(place):
    (place / "bytes.json").write_bytes(b"\xff\xfe\x00")
    for name, sentence in (
        ("bytes.json", "UTF-8"),
        ("missing.json", "nothing there"),
        (".", "a file that can be read"),
    ):
        with pytest.raises(InputError, match=sentence):
            read(place / name)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_in_one_sentence(place, data):
    (place / "any.json").write_bytes(data)
    with pytest.raises(InputError) as refusal:
        read(place / "any.json")
    assert len(str(refusal.value).splitlines()) == 1


@settings(max_examples=30)
@given(st.text(max_size=8))
def test_a_name_is_the_beginning_of_a_folder(name):
    with suppress(InputError):
        assert dataclasses.replace(digits(), name=name).name not in ("", ".", "..")
        assert not set(name) & set("/\\\0 \n")


@pytest.mark.parametrize("seed", [-1, 2**32, True])
def test_a_seed_that_no_generator_takes_is_refused(seed):
    with pytest.raises(InputError, match=r"^seed should be"):
        dataclasses.replace(digits(), seed=seed)


OLD = ROOT / "tests" / "data" / "format_1"
STILL = [
    ("machine.tune", "false"), ("machine.precision", "float32"), ("machine.threads", "1"), ("machine.device", "cpu"),
    ("data.split.group", "none"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "base", "settings"),
    [
        ("digits", "digits", [("training.num_steps", "120"), ("watching.log_every", "10")]),
        (
            "penalties",
            "digits",
            [
                ("training.num_steps", "60"),
                ("watching.log_every", "10"),
                ("objective.penalties", "total_correlation,factor,dip,hsic,entanglement,mutual_information"),
                ("objective.penalties.factor.hidden", "32,32"),
                ("training.adaptive_clip", "true"),
            ],
        ),
        (
            "two_stage_stop",
            "cells_two_stage",
            [
                ("data.source.num_images", "300"),
                ("training.num_steps", "12"),
                ("training.patience", "none"),
                ("training.batch_size", "16"),
                ("watching.log_every", "4"),
                ("model.stop_gradient", "true"),
                ("data.condition", "process"),
            ],
        ),
    ],
)
def test_a_file_of_format_1_is_read_as_the_experiment_that_it_was(name, base, settings):
    """The files were written before format 2: their training holds the machine and the watching."""
    old = read(OLD / f"{name}.json")
    new = override(preset(base), [*STILL, *settings])
    assert old == new
    assert old.hash == new.hash
    assert json.loads(as_json(old))["format"] == 3


def test_synthetic_cells_of_format_2_are_read_under_their_name_of_now(place):
    now = preset("cells-synthetic")
    record = json.loads(as_json(now))
    record["data"]["source"]["kind"] = "cells"
    (place / "old.json").write_text(json.dumps(record | {"format": 2}))
    assert read(place / "old.json") == now
    (place / "new.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"data.source should be a known name, got 'cells'.*cells_synthetic"):
        read(place / "new.json")


def test_a_file_of_format_1_has_no_parts_that_came_later(place):
    record = json.loads((OLD / "digits.json").read_text())
    (place / "old.json").write_text(json.dumps({**record, "training": record["training"] | {"devise": "cpu"}}))
    with pytest.raises(InputError, match=r"training.devise should be a known name"):
        read(place / "old.json")
