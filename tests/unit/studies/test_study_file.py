"""Studies read from files: lists, grids, names, and what is refused."""

from __future__ import annotations

import json

import pytest

from vaelab.errors import InputError
from vaelab.experiment import as_json
from vaelab.presets import digits
from vaelab.studies import Study, find, read_study, studies, write_study


@pytest.fixture
def study(tmp_path):
    def read(**record):
        path = tmp_path / "study.json"
        path.write_text(json.dumps(record))
        return read_study(path)

    return read


def test_a_list_holds_names_names_with_changes_and_whole_experiments(study):
    whole = json.loads(as_json(digits())) | {"name": "whole", "settings": {"training.learning-rate": 1e-05}}
    wide = {"experiment": "digits", "name": "wide", "settings": {"model.encoder.hidden": [512, 9]}}
    none = {"training.patience": None}
    found = study(name="s", experiments=["digits", wide, whole], seeds=[3, 1], settings=none)
    assert (found.name, found.seeds) == ("s", (3, 1))
    assert [experiment.name for experiment in found.experiments] == ["digits", "wide", "whole"]
    assert found.experiments[1].model.encoder.hidden == (512, 9)
    assert found.experiments[2].training.learning_rate == 1e-05
    assert found.varied() == ["model.encoder.hidden", "training.learning_rate"]


def test_a_grid_is_every_combination_with_names_that_tell_them_apart(study):
    grid = {
        "objective.rate_weight": [0.5, 4],
        "model.encoder.hidden": [[16], [16, 8]],
        "model.likelihood": ["gaussian"],
    }
    found = study(name="g", base={"experiment": "digits", "name": "d"}, grid=grid)
    assert [experiment.name for experiment in found.experiments] == [
        f"d-rate_weight-{weight}-hidden-{hidden}-likelihood-gaussian"
        for weight in ("0.5", "4")
        for hidden in ("16", "16-8")
    ]
    assert [experiment.objective.rate_weight for experiment in found.experiments] == [0.5, 0.5, 4, 4]
    assert [experiment.model.encoder.hidden for experiment in found.experiments] == [(16,), (16, 8)] * 2
    assert found.seeds == (0,)


def test_settings_whose_last_words_are_the_same_stand_with_their_paths(study):
    found = study(base="digits", grid={"model.encoder.hidden": [[8]], "model.decoder.hidden": [[4]]})
    assert [experiment.name for experiment in found.experiments] == [
        "digits-model.encoder.hidden-8-model.decoder.hidden-4"
    ]


def test_a_study_is_written_and_read_back_whole(study, tmp_path):
    found = study(name="g", base="digits", grid={"model.latent_dim": [2, 3]}, seeds=[1, 2])
    write_study(found, tmp_path / "again.json")
    assert read_study(tmp_path / "again.json") == found


def test_other_images_take_the_place_of_those_of_every_experiment(tmp_path):
    (tmp_path / "s.json").write_text(json.dumps({"experiments": ["mnist", {"experiment": "images"}]}))
    with pytest.raises(InputError, match="--data should be given"):
        read_study(tmp_path / "s.json")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.png").write_bytes(b"")
    found = find(str(tmp_path / "s.json"), str(tmp_path / "mine"))
    assert [experiment.data.source.path for experiment in found.experiments] == [str(tmp_path / "mine")] * 2


REFUSED = [
    ({"grids": {}}, "grids should be a known name, got 'grids'. Known: base, experiments, grid"),
    ({}, "should hold either experiments, or a base and a grid, got neither"),
    ({"base": "digits", "experiments": []}, "should hold either experiments, or a base and a grid, got both"),
    ({"base": "digits"}, "grid should be an object: the path of a setting -> a list of its values, got nothing"),
    ({"base": "digits", "grid": {"model.latent_dim": []}}, "grid.model.latent_dim should be a list of at least one"),
    ({"base": "digits", "grid": {"model.latent_dim": 2}}, "grid.model.latent_dim should be a list"),
    ({"base": "digits", "grid": {"model.latent_dim": [2, 0]}}, "grid.model.latent_dim should be at least 1, got 0"),
    ({"base": "digits", "grid": {"model.latents": [2]}}, "grid.model.latents should be a known name"),
    (
        {"base": "digits", "grid": {"model.latent_dim": [[[1]]]}},
        r"grid.model.latent_dim\[0\] should be a number",
    ),
    (
        {"base": "digits", "grid": {"training.num_steps": list(range(1, 10_002))}},
        "the study should have at most",
    ),
    (
        {"base": "digits", "grid": {"training.num_steps": [5, 5]}},
        "experiments should be different ones, got digits",
    ),
    ({"experiments": []}, "experiments should be at least one, got none"),
    ({"experiments": "digits"}, "experiments should be a list"),
    (
        {"experiments": ["digits", "digits"]},
        "experiments should be different ones, got digits twice. Give",
    ),
    ({"experiments": ["digit"]}, r"experiments\[0\] should be a known name, got 'digit'. .*did you mean digits"),
    ({"experiments": [3]}, r"experiments\[0\] should be a preset's name, a file's, or an object, got int"),
    ({"experiments": [{"name": "x"}]}, r"experiments\[0\].data should be"),
    ({"experiments": [{"experiment": "digits", "model": {}}]}, r"experiments\[0\].model should be a known name"),
    ({"experiments": [{"experiment": "digits", "name": "a/b"}]}, r"experiments\[0\].name should be 1 to 100 letters"),
    (
        {"experiments": [{"experiment": "digits", "settings": {"model.latent-dim": -1}}]},
        r"experiments\[0\].settings.model.latent_dim should be at least 1, got -1",
    ),
    ({"experiments": ["digits"], "settings": {"a.b": 1}}, "settings.a should be a known name"),
    ({"experiments": ["digits"], "settings": [1]}, "settings should be an object"),
    ({"experiments": ["digits"], "seeds": [0, -1]}, r"seeds\[1\] should be from 0 to 4294967295, got -1"),
    ({"experiments": ["digits"], "seeds": [2, 2]}, "seeds should be different ones, got 2 twice"),
    ({"experiments": ["digits"], "seeds": []}, "seeds should be at least one, got none"),
    ({"experiments": ["digits"], "seeds": 4}, "seeds should be a list of whole numbers"),
    ({"experiments": ["digits"], "name": ".."}, "name should be 1 to 100 letters"),
    ({"experiments": ["digits"], "name": 3}, "name should be text"),
]


@pytest.mark.parametrize(("record", "said"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_be_used_is_refused_by_its_place_in_the_file(record, said, study):
    with pytest.raises(InputError, match=said):
        study(**record)


def test_a_file_that_is_none_and_a_name_that_is_not_known_are_refused(tmp_path):
    (tmp_path / "list.json").write_text("[]")
    for name, said in {
        str(tmp_path / "no.json"): "should be a study's JSON file, got nothing there",
        str(tmp_path / "list.json"): "should hold one JSON object, a study, got list",
        "nowhere": "the study should be a known name",
    }.items():
        with pytest.raises(InputError, match=said):
            find(name)
    with pytest.raises(InputError, match="--quick should be of a study by name"):
        find("a.json", quick=True)


@pytest.mark.parametrize("name", studies())
def test_a_study_by_name_is_there_small_and_whole(name):
    quick, whole = find(name.replace("_", "-"), quick=True), find(name)
    assert isinstance(quick, Study)
    assert [e.name for e in quick.experiments] == [e.name for e in whole.experiments]
    assert len(quick.seeds) <= len(whole.seeds)
