"""Codes streamed to the disk: interrupted anywhere, they end as if nothing had been; and memory stays bounded."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import vaelab
from vaelab.cli import main
from vaelab.data import ImageCollection
from vaelab.data.packing import pack
from vaelab.errors import InputError
from vaelab.evaluation import read_table
from vaelab.inference import Embedding
from vaelab.runs import export, streamed

COUNT = 1100
"""Five batches."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    experiment = vaelab.presets.digits()
    training = replace(experiment.training, num_steps=3)
    machine = replace(experiment.machine, tune=False)
    data = replace(experiment.data, binarize="dynamic")
    experiment = replace(experiment, training=training, machine=machine, data=data)
    return vaelab.train(experiment, tmp_path_factory.mktemp("streamed") / "run", progress=False)


@pytest.fixture(scope="module")
def others(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("others") / "shards"
    images = np.random.default_rng(0).integers(0, 256, (COUNT, 1, 8, 8)).astype(np.uint8)
    table = pd.DataFrame({"name": [f"{i}" for i in range(COUNT)], "split": np.arange(COUNT) % 3})
    pack(ImageCollection(images=images, table=table), folder, shard_bytes=1 << 14)
    return folder


def command(run, others, output):
    return ["embed", str(run.folder), str(others), "-o", str(output), "--quiet"]


def killed_after(batches, argv, monkeypatch, how=signal.SIGKILL):
    """The command in a copy of this process, which is killed before it asks for one more batch."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background work ignores Ctrl-C
    real, left = streamed.posteriors, [batches]

    def some(*given):
        for codes in real(*given):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), how)
            yield codes

    streamed.posteriors = some
    os._exit(main(argv))


@pytest.mark.parametrize("ending", [".csv", ".npz", ".parquet", ".h5ad"])
def test_what_was_killed_goes_on_and_ends_as_what_was_not(run, others, tmp_path, monkeypatch, capsys, ending):
    if ending in (".parquet", ".h5ad"):
        pytest.importorskip("pyarrow" if ending == ".parquet" else "anndata")
    monkeypatch.setattr(streamed, "KEPT_EVERY_S", 0.0)
    monkeypatch.setattr(export, "MOST_VALUES", 3000)
    peaceful, target = tmp_path / f"peaceful{ending}", tmp_path / f"killed{ending}"
    assert main(command(run, others, peaceful)) == 0
    capsys.readouterr()
    for batches in (0, 1, 2) if ending == ".csv" else (3,):
        assert killed_after(batches, command(run, others, target), monkeypatch) == -signal.SIGKILL
        assert not target.exists()
    assert main(command(run, others, target)) == 0
    assert "768 of 1,100 images were embedded already; it goes on from there" in capsys.readouterr().err
    if ending == ".h5ad":
        frames = [read_table(path) for path in (peaceful, target)]
        pd.testing.assert_frame_equal(*frames)
    else:
        assert target.read_bytes() == peaceful.read_bytes()
    assert sorted(os.listdir(tmp_path)) == sorted([peaceful.name, target.name]), "nothing is left"


def test_other_weights_or_images_begin_anew(run, others, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(streamed, "KEPT_EVERY_S", 0.0)
    target = tmp_path / "codes.csv"
    assert killed_after(3, command(run, others, target), monkeypatch) == -signal.SIGKILL
    own = ["embed", str(run.folder), "-o", str(target), "--quiet"]
    assert main(own) == 0
    assert "already" not in capsys.readouterr().err
    assert len(pd.read_csv(target)) == 1797


def test_ctrl_c_says_how_far_it_came(run, others, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(streamed, "KEPT_EVERY_S", 0.0)
    argv = command(run, others, tmp_path / "codes.csv")
    assert killed_after(2, argv, monkeypatch, signal.SIGINT) == 130
    assert capfd.readouterr().err == "Stopped after 512 of 1,100 images; the same command goes on from there.\n"


def test_a_full_disk_loses_nothing(run, others, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(streamed, "KEPT_EVERY_S", 0.0)
    real, left = streamed._keep, [3]

    def full(*given):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        real(*given)

    monkeypatch.setattr(streamed, "_keep", full)
    argv = command(run, others, tmp_path / "codes.csv")
    assert main(argv) == 2
    assert "got No space left on device. Make room and give the same command again" in capsys.readouterr().err
    monkeypatch.setattr(streamed, "_keep", real)
    assert main(argv) == 0
    assert "768 of 1,100" in capsys.readouterr().err


def test_two_do_not_write_the_same(run, others, tmp_path):
    collection = run.dataset.collection
    with streamed.streamed(run, collection, tmp_path / "a.csv") as codes:
        np.testing.assert_array_equal(codes.loc.shape, (1797, run.model.latent_dim))
        with (
            pytest.raises(InputError, match="have one writer at a time"),
            streamed.streamed(run, collection, tmp_path / "a.csv"),
        ):
            pass
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_file_written_in_parts_is_that_written_at_once(tmp_path, monkeypatch, ending):
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    table = pd.DataFrame({"a": ["x", None, "1"] * 40, "b": np.arange(120) / 7, "c": [True, False] * 60})
    codes = Embedding(**dict.fromkeys(("loc", "scale"), np.random.default_rng(0).random((120, 3), np.float32)))
    ours = [lambda part: pd.DataFrame({"c": np.arange(120)[part]})]
    frames = []
    for most in (1 << 23, 33):
        monkeypatch.setattr(export, "MOST_VALUES", most)
        said = export.write_embedding(tmp_path / f"{most}{ending}", codes, table, ours)
        assert said == ["the table has a column 'c' of its own, so ours is called 'vaelab_c'"]
        frames.append(read_table(tmp_path / f"{most}{ending}"))
    pd.testing.assert_frame_equal(*frames)
    assert frames[0]["vaelab_c"].tolist() == list(range(120))
