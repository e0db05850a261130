"""The command line as a user meets it: every command on a real run, and every refusal in one sentence."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import vaelab.cli
from vaelab.cli import commands, main
from vaelab.evaluation import evaluate
from vaelab.experiment import read
from vaelab.presets import digits, presets
from vaelab.runs import load
from vaelab.settings.fields import field_types

QUICK = ["--training.num-steps", "40", "--machine.tune", "false", "--machine.threads", "1", "--quiet"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A short run on digits."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    assert main(["train", "digits", "--out", str(folder), *QUICK]) == 0
    return folder


def exit_code(argv):
    """Of a command, also where the parser leaves after --help."""
    try:
        return main(argv)
    except SystemExit as done:
        return done.code


def refusal(capsys, argv):
    """The one sentence on stderr with which a command is refused."""
    capsys.readouterr()
    assert main([str(a) for a in argv]) == 2
    said = capsys.readouterr().err
    assert said.endswith("\n")
    assert len(said.splitlines()) == 1
    assert "Traceback" not in said
    return said.strip()


def kept_in(said):
    """The folder of results that `vaelab evaluate` names in its last line."""
    return Path(re.search(r"^Kept in (.+)$", said, flags=re.MULTILINE).group(1))


def test_help_teaches_with_examples(capsys):
    assert main([]) == 0
    assert "vaelab train digits" in capsys.readouterr().out
    for name in commands(vaelab.cli):
        assert exit_code([name, "--help"]) == 0
        said = capsys.readouterr().out
        assert f"usage: vaelab {name}" in said
        assert "example" in said


def test_help_does_not_import_torch_and_commands_that_compute_keep_memory_before_it_does():
    code = "import sys; from vaelab.cli import main; main([]); assert 'torch' not in sys.modules, 'torch'"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    code = (
        "import sys, vaelab.machine as m; m.keep_freed_memory = lambda: seen.append('torch' in sys.modules)\n"
        "from vaelab.cli import main; seen = []; main(['train', 'digits', '--print']); assert seen == [False], seen\n"
        "assert main(['explore', 'nowhere']) == 2; assert seen == [False], 'a server'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_version(capsys):
    assert main(["--version"]) == 0
    assert re.fullmatch(r"vaelab \d+\.\d+\S*\n", capsys.readouterr().out)


@pytest.mark.parametrize("name", sorted(presets()))
def test_a_presets_help_lists_every_setting_with_its_value(name, capsys):
    assert main(["train", name.replace("_", "-"), "--help"]) == 0
    said = capsys.readouterr().out
    assert "--training.learning-rate" in said
    assert "Optimiser steps" in said
    for field in field_types(type(digits().training)):
        assert f"--training.{field.replace('_', '-')} " in said


def test_what_is_printed_is_a_file_that_trains_the_same(capsys, tmp_path):
    flags = ["--model.latent-dim", "3", "--objective.rate-weight=2", "--seed", "7"]
    assert main(["train", "digits", "--print", *flags]) == 0
    (tmp_path / "mine.json").write_text(capsys.readouterr().out)
    experiment = read(tmp_path / "mine.json")
    assert (experiment.model.latent_dim, experiment.objective.rate_weight, experiment.seed) == (3, 2.0, 7)  # pyright: ignore
    assert main(["train", str(tmp_path / "mine.json"), "--out", str(tmp_path / "a"), *QUICK]) == 0
    assert main(["train", "digits", "--out", str(tmp_path / "b"), *flags, *QUICK]) == 0
    assert read(tmp_path / "a" / "experiment.json") == read(tmp_path / "b" / "experiment.json")
    weights = [load(tmp_path / name).model.state_dict() for name in "ab"]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_a_family_member_and_its_field_in_any_order(capsys):
    flags = [
        ("--model.likelihood.scale", "0.25"),
        ("--model.likelihood", "gaussian"),
        ("--model.encoder.hidden", "32,16"),
    ]
    said = []
    for order in (flags, flags[::-1]):
        assert main(["train", "digits", "--print", *[word for flag in order for word in flag]]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    model = json.loads(said[0])["model"]
    assert model["likelihood"]["kind"] == "gaussian"
    assert model["likelihood"]["scale"] == 0.25
    assert model["encoder"]["hidden"] == [32, 16]


def test_runs_without_a_name_take_the_first_free_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for k in (1, 2):
        assert main(["train", "digits", *QUICK]) == 0
        assert (tmp_path / "runs" / f"digits-{k}" / "experiment.json").exists()
    assert "runs/digits-1" in refusal(capsys, ["train", "digits", "--out", "runs/digits-1", *QUICK])


def test_resume_of_a_finished_run_changes_nothing(trained):
    before = (trained / "checkpoints" / "last.safetensors").read_bytes()
    assert main(["resume", str(trained), "--quiet"]) == 0
    assert (trained / "checkpoints" / "last.safetensors").read_bytes() == before


def test_embed_gives_the_encoders_posterior_and_the_table(trained, tmp_path):
    assert main(["embed", str(trained), "-o", str(tmp_path / "codes.csv"), "--quiet"]) == 0
    codes, run = pd.read_csv(tmp_path / "codes.csv"), load(trained)
    x = torch.from_numpy(run.dataset.collection.images.astype(np.float32) / 255)
    with torch.no_grad():
        q = run.model.encode(x)
    np.testing.assert_allclose(codes[[f"z{i}" for i in range(4)]], q.mean, atol=2e-5)
    np.testing.assert_allclose(codes[[f"z{i}_scale" for i in range(4)]], q.stddev, atol=2e-5)
    assert list(codes["label"]) == list(run.dataset.collection.table["label"])
    assert {part: int((codes["split"] == part).sum()) for part in ("train", "validation", "test")} == {
        "train": len(run.splits.train),
        "validation": len(run.splits.validation),
        "test": len(run.splits.test),
    }


def test_embed_of_a_folder_of_the_same_pictures_gives_the_same_codes(trained, tmp_path):
    pictures = load(trained).dataset.collection.images[:5, 0]
    (tmp_path / "pictures").mkdir()
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / "pictures" / f"{i}.png")
    for images, name in (
        (["embed", str(trained)], "own"),
        (["embed", str(trained), str(tmp_path / "pictures")], "others"),
    ):
        assert main([*images, "-o", str(tmp_path / f"{name}.npz"), "--quiet"]) == 0
    own, others = np.load(tmp_path / "own.npz"), np.load(tmp_path / "others.npz")
    np.testing.assert_allclose(own["loc"][:5], others["loc"], atol=2e-5)
    assert list(others["path"]) == [f"{i}.png" for i in range(5)]


def test_embed_refuses_images_of_another_kind(trained, tmp_path, capsys):
    np.save(tmp_path / "large.npy", np.zeros((3, 16, 16), np.uint8))
    np.save(tmp_path / "colour.npy", np.zeros((3, 3, 8, 8), np.uint8))
    np.save(tmp_path / "deep.npy", np.zeros((3, 8, 8), np.uint16))
    out = ["-o", tmp_path / "out.csv"]
    said = refusal(capsys, ["embed", trained, tmp_path / "large.npy", *out])
    assert "should hold images of 1 channel, 8x8, as the run's were, got 1 channel, 16x16." in said
    assert "got 3 channels, 8x8." in refusal(capsys, ["embed", trained, tmp_path / "colour.npy", *out])
    assert "should hold uint8 pixels" in refusal(capsys, ["embed", trained, tmp_path / "deep.npy", *out])
    assert not (tmp_path / "out.csv").exists()


def test_what_was_asked_for_and_cannot_be_measured_says_why(trained, capsys):
    flags = ["--metrics", "mse", "mcc", "factor_neighbours", "hole_error", "--num-samples", "2", "--num-images", "20"]
    assert main(["evaluate", str(trained), *flags, "--quiet"]) == 0
    said = capsys.readouterr().out
    assert " mse " in said
    assert "Not measured: mcc, which asks for columns of known numbers (--factors)." in said
    assert "Not measured: factor_neighbours, which asks for columns of known numbers (--factors)." in said
    assert "Not measured: hole_error, which asks for images of a known plane with a hole." in said
    assert said.count("Not measured") == 3


def test_evaluate_prints_and_writes_what_evaluation_says(trained, capsys):
    assert main(["evaluate", str(trained), "--num-samples", "5"]) == 0
    said = capsys.readouterr().out
    folder = kept_in(said)
    numbers = json.loads((folder / "scores.json").read_text())
    run = load(trained)
    direct = evaluate(run.model, run.feed.batches(run.splits.test), num_samples=5)
    assert numbers["question"]["split"] == "test"
    assert numbers["question"]["num_images"] == len(run.splits.test)
    scores = {score["metric"]: score for score in numbers["scores"] if not (score["model"] or score["part"])}
    for name in ("elbo", "log_likelihood", "mse"):
        value, (low, high) = scores[name]["value"], scores[name]["interval"]
        assert value == pytest.approx(direct.score(name).value, rel=1e-6)
        assert low < value < high
        assert f"{value:.5g}" in said
    per_image = pd.read_csv(folder / "per_image.csv")
    assert list(per_image["row"]) == list(run.splits.test)
    assert per_image["mse"].mean() == pytest.approx(scores["mse"]["value"], rel=1e-6)


def test_evaluate_takes_a_draw_of_images_and_another_split(trained, capsys):
    flags = ["--num-samples", "2", "--num-images", "30", "--split", "validation"]
    assert main(["evaluate", str(trained), *flags]) == 0
    said = capsys.readouterr().out
    assert "30 validation images, 2 samples each" in said
    assert set(pd.read_csv(kept_in(said) / "per_image.csv")["row"]) <= set(load(trained).splits.validation)


def test_a_collapsed_code_is_said_by_training_and_by_evaluate(trained, tmp_path, capsys):
    capsys.readouterr()
    heavy = ["--objective.rate-weight", "1000", "--training.num-steps", "60"]
    assert main(["train", "digits", "--out", str(tmp_path / "run"), *QUICK, *heavy]) == 0
    assert re.fullmatch(
        r"Note: the last rate is 0\.0\d+ nats, so the posterior has collapsed: .*\n", capsys.readouterr().err
    )
    assert main(["evaluate", str(tmp_path / "run"), "--num-samples", "2", "--quiet"]) == 0
    assert "0 active latents, the posterior has collapsed" in capsys.readouterr().err
    assert main(["evaluate", str(trained), "--num-samples", "2", "--quiet"]) == 0
    assert not capsys.readouterr().err


@pytest.mark.slow
def test_each_of_several_seeds_says_it_too(tmp_path, capfd):
    heavy = ["--objective.rate-weight", "1000", "--training.num-steps", "60", "--seeds", "0", "1"]
    assert main(["train", "digits", "--out", str(tmp_path / "run"), *QUICK, *heavy]) == 0
    said = capfd.readouterr().err
    for seed in (0, 1):
        assert f"{tmp_path / 'run' / f'seed-{seed}'}: Note: the last rate is 0.0" in said


@pytest.mark.parametrize(
    "command",
    ["evaluate RUN", "embed RUN -o codes.csv", "report RUN", "explain RUN --label label", "draw RUN samples -o x.png",
     "resume RUN", "compare RUN TWIN"],
)  # fmt: skip
def test_a_device_that_is_not_there_is_refused_in_one_sentence(command, trained, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    shutil.copytree(trained, tmp_path / "twin")
    words = [{"RUN": str(trained), "TWIN": str(tmp_path / "twin")}.get(word, word) for word in command.split()]
    assert main([*words, "--device", "cuda", "--quiet"]) == 2
    assert capsys.readouterr().err == "--device should be one that is there, got cuda. Take cpu or auto.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["twin"], "nothing was written"


def test_an_estimate_at_its_ceiling_is_said_when_a_run_ends(trained, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    log = pd.read_csv(run / "metrics.csv")
    for name, value in (("mutual_information", 3.4), ("mutual_information_ceiling", 3.47)):
        log.insert(log.columns.get_loc("learning_rate"), name, value)
    log.to_csv(run / "metrics.csv", index=False)
    assert main(["resume", str(run), "--quiet"]) == 0
    words = "its estimator shows 3.47 at most; the true value may be any higher"
    assert capsys.readouterr().err == f"Note: mutual information is 3.40 nats, and {words}.\n"


def test_report_is_one_file(trained, tmp_path, capsys):
    flags = ["--num-images", "40", "--num-samples", "2", "--quiet"]
    assert main(["report", str(trained), "-o", str(tmp_path / "page.html"), *flags]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "page.html")
    assert "<html" in (tmp_path / "page.html").read_text()[:500]


def test_data_commands(tmp_path, capsys, monkeypatch, shared_data):
    monkeypatch.chdir(tmp_path)
    assert main(["data", "list"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in ("rosettes", "folder", "mnist"))
    assert main(["data", "synthesize", "rosettes", "--num-images", "20", "--size", "16", "--quiet"]) == 0
    assert main(["data", "info", "rosettes.npz", "--quiet"]) == 0
    assert "20 images, 1x16x16 uint8" in capsys.readouterr().out
    assert main(["data", "synthesize", "rosettes", "--help"]) == 0
    assert "--hole-radius 0.3" in capsys.readouterr().out
    assert main(["data", "download", "mnist", "--to", "there", "--from", str(shared_data / "mnist"), "--quiet"]) == 0
    assert capsys.readouterr().out.strip() == "there"
    assert main(["data", "info", "there"]) == 0
    assert "70,000 images" in capsys.readouterr().out


def test_data_info_names_what_it_leaves_out(tmp_path, capsys):
    for i in range(3):
        Image.fromarray(np.full((9, 9), i, np.uint8)).save(tmp_path / f"{i}.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n")
    (tmp_path / "empty.png").write_bytes(b"")
    assert main(["data", "info", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "Left out: 2" in said
    assert "broken.png: " in said
    assert "broken.png" in refusal(capsys, ["data", "info", tmp_path, "--strict"])


def test_data_info_reads_as_its_flags_say_and_refuses_others_by_name(tmp_path, capsys):
    for i in range(3):
        for channel in "ab":
            Image.fromarray(np.full((9, 9), i, np.uint8)).save(tmp_path / f"{i}_{channel}.png")
    flags = ["--channel-pattern", r"_(?P<channel>\w)\.", "--crop", "8,6", "--size=4,3"]
    assert main(["data", "info", str(tmp_path), *flags]) == 0
    assert "3 images, 2x4x3 uint8, channels: a, b" in capsys.readouterr().out
    as_trained = [flag.replace("--", "--data.source.") for flag in flags]
    assert main(["data", "info", str(tmp_path), *as_trained]) == 0
    assert "3 images, 2x4x3 uint8, channels: a, b" in capsys.readouterr().out
    assert refusal(capsys, ["data", "info", tmp_path, "--data.source.size", "4,0"]).startswith("--data.source.size[1]")
    assert refusal(capsys, ["data", "info", tmp_path, "--sizes", "4,3"]).startswith("--sizes should be a known name")
    assert refusal(capsys, ["data", "info", tmp_path, "--size", "4,0"]).startswith("--size[1] should be at least 1")
    assert refusal(capsys, ["data", "info", tmp_path, "--size", "4"]).startswith("--size should be a list of 2")
    assert main(["data", "info", str(tmp_path), "--help"]) == 0
    assert "--channel-pattern none" in capsys.readouterr().out
    assert main(["data", "info", "--help"]) == 0
    assert "PATH" in capsys.readouterr().out


def test_training_names_what_it_leaves_out(tmp_path, capsys):
    generator = np.random.default_rng(0)
    for i in range(20):
        Image.fromarray(generator.integers(0, 255, (8, 8), np.uint8)).save(tmp_path / f"{i}.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    train = ["train", "images", "--data", str(tmp_path), "--training.num-steps", "2", *QUICK[2:]]
    assert main([*train, "--out", str(tmp_path / "run")]) == 0
    said = capsys.readouterr().err
    assert said.startswith("Left out: 1 (used: 20 images)\n  broken.png: ")
    assert "broken.png" in refusal(capsys, [*train, "--strict", "--out", str(tmp_path / "none")])
    assert not (tmp_path / "none").exists()


def test_beta_of_the_study_with_the_mean_over_pixels(capsys):
    assert main(["beta", "--num-pixels", "784"]) == 0
    assert capsys.readouterr().out == "784\n"
    assert main(["beta", "--num-pixels", "784", "--latent-dim", "32", "--rate-over-latents", "mean"]) == 0
    assert capsys.readouterr().out == "24.5\n"


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["trian"], "did you mean train?"),
        (["--vresion"], "did you mean --version?"),
        (["train", "--quiet"], "vaelab train should be given a preset or a file, got neither."),
        (["train", "digts"], "did you mean digits?"),
        (["train", "digits", "digits"], "unrecognized arguments: digits"),
        (
            ["train", "digits", "--lr", "1"],
            "--lr should be a setting by its whole path, got 'lr'. Did you mean --training",
        ),
        (["train", "digits", "--training.log-every", "1"], "Did you mean --watching.log-every?"),
        (["train", "digits", "--training.lr", "1"], "Did you mean --training.learning-rate?"),
        (["train", "cells-two-stage", "--z-dim", "1"], "--model.first.latent-dim or --model.second.latent-dim?"),
        (["train", "."], "To learn its images: vaelab train images --data ."),
        (
            ["resume", "runs/x", "--model.latent-dim", "3"],
            "--model.latent-dim should stay as it was when a run goes on",
        ),
        (["train", "digits", "--sede", "1"], "--sede should be a known name, got 'sede'."),
        (["train", "digits", "--model.latent-dmi", "3"], "did you mean latent_dim?"),
        (["train", "digits", "--model.latent-dim"], "--model.latent-dim should be followed by its value, got nothing."),
        (["train", "digits", "--model.latent-dim", "--quiet"], "should be followed by its value, got --quiet."),
        (
            ["train", "digits", "--model.latent-dim", "three"],
            "latent-dim should be a whole number (at least 1), got 'three'.",
        ),
        (["train", "digits", "--model.latent-dim", "0"], "latent-dim should be at least 1, got 0."),
        (["train", "digits", "--model.likelihood", "gausian"], "did you mean gaussian?"),
        (["train", "digits", "--data.split.validation", "0.9"], "validation should sum with test to less than 1"),
        (["train", "digits", "--data.split.group", "plate"], "split.group should be a known name, got 'plate'."),
        (
            ["train", "digits", "--training.weight-column", "w"],
            "--training.weight-column should be a known name, got 'w'.",
        ),
        (
            ["train", "digits", "--model.encoder", "conv", "--model.encoder.widths", "8,8,8,8,8,8"],
            "model.encoder.widths",
        ),
        (["train", "digits", "--model.latent-dim", str(10**13)], "the settings should ask for what fits the memory"),
        (["train", "digits", "--model.latent-dim", str(10**30)], "the settings should ask for what fits the memory"),
        (["train", "digits", "--seed", "-1"], "seed should be from 0"),
        (
            ["train", "digits", "--seeds", "0", "x"],
            "--seeds should be such as 0-4 or 0,2,5, at most 10,000, below 4294967296, got 'x'.",
        ),
        (["train", "digits", "--seeds", "1", "1"], "--seeds should be different numbers"),
        (["train", "digits", "--seeds", "1", "--seed", "1"], "--seeds should be left out where --seed is given"),
        (["train", "digits", "--seeds", str(2**32)], "--seeds should be such as 0-4 or 0,2,5"),
        (["train", "digits", "--out", ""], "--out should be a path, got nothing."),
        (["train", "digits", "--data", "nowhere"], "nowhere"),
        (["train", "nowhere.json"], "nowhere.json should be an experiment's JSON file, got nothing there."),
        (["train", "images"], "--data should be given, got nothing."),
        (["resume", "nowhere"], "nowhere should be the folder of a run"),
        (["report", "nowhere"], "nowhere should be the folder of a run"),
        (["evaluate", "nowhere"], "nowhere should be the folder of a run"),
        (["evaluate", "nowhere", "--num-samples", "0"], "--num-samples should be at least 1, got 0."),
        (["evaluate", "nowhere", "--split", "tset"], "did you mean test?"),
        (["embed", "nowhere", "-o", "x.csv"], "nowhere should be the folder of a run"),
        (["embed", "nowhere", "-o", "x.doc"], "--output should end in .csv, .npz, .parquet, .h5ad, got 'x.doc'."),
        (["embed", "nowhere"], "the following arguments are required"),
        (["data", "lsit"], "did you mean list?"),
        (["data", "info", "nowhere"], "nowhere"),
        (["data", "download", "mnits"], "did you mean mnist?"),
        (["data", "download", "mnist", "--to", "there", "--from", "nowhere"], "train-images-idx3-ubyte.gz"),
        (["data", "synthesize", "sprits"], "did you mean sprites?"),
        (["data", "synthesize", "cells-synthetic", "--num-image", "5"], "did you mean num_images?"),
        (["data", "synthesize", "cells-synthetic", "-o", "x.png"], "--output should end in .npz"),
        (
            ["data", "synthesize", "cells-synthetic", "-o", "nowhere/x.npz"],
            "--output should be a file in a folder that is there",
        ),
        (["beta", "--num-pixels", "many"], "--num-pixels should be a whole number (at least 1), got 'many'."),
        (["beta", "--num-pixels", "0"], "--num-pixels should be at least 1, got 0."),
    ],
)
def test_a_mistake_is_refused_in_one_sentence_and_leaves_nothing(argv, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sentence in refusal(capsys, argv)
    assert not list(tmp_path.rglob("experiment.json"))
    assert not (tmp_path / "runs").exists()


def paths(cls=None, prefix=""):
    """Every path to a setting of the digits preset."""
    part = digits() if cls is None else cls
    found = []
    for name in field_types(type(part)):
        inner = getattr(part, name)
        found.append(prefix + name)
        if hasattr(inner, "__dataclass_fields__"):
            found += paths(inner, f"{prefix}{name}.")
    return found


texts = st.one_of(
    st.text(max_size=10),
    st.integers().map(str),
    st.floats().map(repr),
    st.sampled_from(
        ["", "none", "true", "1,2", "1e400", "-1", "0", "nan", "inf", "mlp", "conv", "softplus", "{}", "[]", "0x1"]
    ),
)


@given(st.lists(st.tuples(st.sampled_from(paths()), texts), max_size=3))
def test_any_setting_is_taken_or_refused_in_one_sentence(changes):
    argv = ["train", "digits", "--print", *[f"--{path}={text}" for path, text in changes]]
    check_quietly(argv)


WORDS = (
    "train resume evaluate embed report data info list beta digits nowhere -o x.csv --quiet --seeds --seed --data --out"
)
WORDS += " --num-samples 1 -- - --model.latent-dim --print"
words = st.one_of(st.sampled_from(WORDS.split()), st.text(max_size=6))


@given(
    st.sampled_from(["train", "resume", "evaluate", "embed", "report", "data", "beta", "x"]),
    st.lists(words, max_size=5),
)
def test_any_arguments_are_taken_or_refused_in_one_sentence(command, rest):
    check_quietly([command, *(["--print"] if command == "train" else []), *rest])


def check_quietly(argv):
    """Runs a command that is not to train; it ends with 0, or with 2 and one sentence."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = exit_code(argv)
    assert code in (0, 2)
    assert code == 0 or len(err.getvalue().splitlines()) == 1
    if code == 0 and argv[0] == "train" and out.getvalue().startswith("{"):
        assert json.loads(out.getvalue())["format"] == 3


edges = st.sampled_from([-1, 0, 1, 2, 7, 64, 10**6, 10**12, 10**25])
numbers = st.sampled_from([-1.0, 0.0, 1e-300, 1e-3, 0.5, 1.0, 1e300, float("inf")])


@settings(max_examples=25)
@given(
    changes=st.fixed_dictionaries(
        {},
        optional={
            "training.batch_size": edges,
            "training.learning_rate": numbers,
            "training.adam_epsilon": numbers,
            "training.clip_norm": numbers,
            "training.num_epochs": st.sampled_from([-1.0, 0.0, 1e-9, 0.1]),
            "training.validate_every": edges,
            "watching.checkpoint_steps": edges,
            "objective.rate_weight": numbers,
            "objective.free_bits": numbers,
            "objective.warm_up_steps": edges,
            "model.latent_dim": st.sampled_from([-1, 0, 1, 3, 10**15]),
            "model.posterior_scale": numbers,
            "data.split.test": st.sampled_from([0.0, 0.5, 1.0, 100.0, 1797.0, 1e30]),
            "data.split.validation": st.sampled_from([0.0, 0.1, 0.999, 1.0, 1e30]),
        },
    )
)
def test_any_numbers_train_or_are_refused_in_one_sentence(changes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("any") / "run"
    flags = [f"--{path}={value}" for path, value in ({"training.num_epochs": 0.2} | changes).items()]
    err = io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
        code = main(
            [
                "train",
                "digits",
                "--out",
                str(folder),
                "--machine.tune=false",
                "--machine.threads=1",
                "--quiet",
                *flags,
            ]
        )
    said = err.getvalue()
    assert code == 0 or (code == 2 and len(said.splitlines()) == 1), said
    if code == 2 and "finite numbers" not in said:
        assert not folder.exists(), said


def test_a_presets_help_shows_its_own_images(capsys):
    assert main(["train", "digits", "--help"]) == 0
    assert "--data.source digits" in capsys.readouterr().out


def test_a_training_that_stops_early_says_so(tmp_path, capsys):
    how = ["--training.learning-rate", "1e-30", "--training.validate-every", "1", "--training.patience", "2"]
    assert main(["train", "digits", "--out", str(tmp_path / "run"), "--quiet", "--machine.tune", "false", *how]) == 0
    assert "Note: training stopped at step 3: no better validation loss than at step 1" in capsys.readouterr().err


def test_infer_writes_posteriors_and_gaps(trained, tmp_path, capsys):
    out = tmp_path / "inferred"
    assert main(["infer", str(trained), "-o", str(out), "--num-images", "12", "--num-steps", "30", "--quiet"]) == 0
    table, scores = pd.read_csv(out / "posteriors.csv"), pd.read_csv(out / "scores.csv")
    assert len(table) == 12
    assert (table["num_steps"] == 30).all()
    gap = (table["inferred_elbos"] - table["elbos"]).mean()
    assert scores.set_index("metric").loc["amortisation_gap", "value"] == pytest.approx(gap)
    assert set(load(trained).splits.test) >= set(table["row"])
    assert "approximation_gap" in capsys.readouterr().out


def test_infer_completes_from_a_side_or_a_picture(trained, tmp_path):
    mask = np.zeros((8, 8), np.uint8)
    mask[:, :4] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    found = []
    for visible in ("left", str(tmp_path / "mask.png")):
        flags = ["--num-images", "6", "--num-steps", "20", "--visible", visible, "--quiet"]
        assert main(["infer", str(trained), "-o", str(tmp_path / "out"), *flags]) == 0
        found.append(pd.read_csv(tmp_path / "out" / "posteriors.csv"))
    pd.testing.assert_frame_equal(*found)
    assert {"hidden_mse/inferred", "hidden_mse/encoder", "hidden_mse/nearest"} < set(found[0])
    drawn, run = np.load(tmp_path / "out" / "drawn.npz"), load(trained)
    assert drawn["draws"].shape == (6, 5, 1, 8, 8)
    np.testing.assert_allclose(drawn["images"], run.dataset.collection.images[drawn["rows"]], atol=1e-4)
    own, whole = (run.intensity.apply(drawn[name])[..., 4:] for name in ("inferred", "images"))
    np.testing.assert_allclose(np.square(own - whole).mean((1, 2, 3)), found[0]["hidden_mse/inferred"], rtol=1e-3)


def test_infer_takes_rows_of_the_collection(trained, tmp_path, capsys):
    flags = ["--rows", "1700,3-5", "--num-steps", "5", "--quiet"]
    assert main(["infer", str(trained), "-o", str(tmp_path), *flags]) == 0
    assert pd.read_csv(tmp_path / "posteriors.csv")["row"].tolist() == [3, 4, 5, 1700]
    assert np.load(tmp_path / "drawn.npz")["rows"].tolist() == [3, 4, 5, 1700]
    assert "4 images " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (
            ["--visible", "middle"],
            "--visible should be left, right, top, bottom or a picture of 8x8 pixels, got 'middle'",
        ),
        (["--learning-rate", "0"], "--learning-rate should be"),
        (["--covariance", "round"], "--covariance should be"),
        (["--steps", "5"], "--steps should be a known name"),
        (["--num-draws", "0"], "--num-draws should be at least 1, got 0"),
        (["--rows", "0-x"], "--rows should be numbers and ranges such as 0-9,12, got '0-x'"),
        (["--rows", "9" * 5000], "--rows should be numbers and ranges such as 0-9,12, got '999"),
        (["--rows", "1-"], "--rows should be numbers and ranges such as 0-9,12, got '1-'"),
        (["--rows", "5-3"], "--rows should be rising, from 0 to 1,796, got 5-3."),
        (["--rows", "1797"], "--rows should be rising, from 0 to 1,796, got 1797."),
    ],
)
def test_infer_refuses_in_a_sentence(trained, tmp_path, flags, sentence, capsys):
    assert main(["infer", str(trained), "-o", str(tmp_path / "out"), *flags]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
