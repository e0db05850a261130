"""Embeddings as files: what is read back by other libraries is what was written."""

from __future__ import annotations

import os
import warnings

import numpy as np
import pandas as pd
import pytest

from vaelab.errors import InputError
from vaelab.evaluation import measure_table, read_table
from vaelab.inference import Embedding
from vaelab.runs import export
from vaelab.runs.export import check_table, check_target, write_embedding


@pytest.fixture
def embedding():
    generator = np.random.default_rng(0)
    loc, scale = generator.normal(size=(2, 5, 3)).astype(np.float32)
    table = pd.DataFrame(
        {
            "file": ["a/1.png", "b,2.png", 'c"3.png', "d\n4.png", "é.png"],
            "z1": [1, 2, 3, 4, 5],
            "moa": pd.Categorical(["x", None, "x", "y", "y"]),
            "dose": [0.5, np.nan, 1.0, 2.0, 3.0],
            "mixed": [1, "two", None, 4.0, True],
            "ok": [True, False, True, False, True],
            "when": pd.date_range("2020-01-01", periods=5),
            7: range(5),
        }
    )
    return loc, scale, table


def check_columns(columns, table):
    """The table's columns as any format gives them back."""
    np.testing.assert_array_equal(columns["z1"], table["z1"])
    np.testing.assert_array_equal(columns["dose"], table["dose"])
    np.testing.assert_array_equal(columns["7"], table[7])
    np.testing.assert_array_equal(columns["ok"], table["ok"])
    assert list(columns["file"]) == list(table["file"])
    assert list(map(str, columns["moa"])) in (["x", "", "x", "y", "y"], ["x", "nan", "x", "y", "y"])
    assert str(list(columns["when"])[1]).startswith("2020-01-02")


def test_csv_is_read_back_by_pandas(tmp_path, embedding):
    loc, scale, table = embedding
    write_embedding(tmp_path / "out.csv", Embedding(loc=loc, scale=scale), table)
    back = pd.read_csv(tmp_path / "out.csv")
    names = [f"vaelab_z{i}" for i in range(3)]
    np.testing.assert_array_equal(back[names].to_numpy(np.float32), loc)
    np.testing.assert_array_equal(back[[f"{name}_scale" for name in names]].to_numpy(np.float32), scale)
    check_columns(back, table)


def test_npz_is_read_back_by_numpy_without_pickle(tmp_path, embedding):
    loc, scale, table = embedding
    write_embedding(tmp_path / "out.npz", Embedding(loc=loc, scale=scale), table)
    with np.load(tmp_path / "out.npz", allow_pickle=False) as back:
        np.testing.assert_array_equal(back["vaelab_loc"], loc)
        np.testing.assert_array_equal(back["vaelab_scale"], scale)
        check_columns(back, table)


def test_parquet_is_read_back_by_pandas(tmp_path, embedding):
    pytest.importorskip("pyarrow")
    loc, scale, table = embedding
    write_embedding(tmp_path / "out.parquet", Embedding(loc=loc, scale=scale), table)
    back = pd.read_parquet(tmp_path / "out.parquet")
    np.testing.assert_array_equal(back[[f"vaelab_z{i}_scale" for i in range(3)]].to_numpy(), scale)
    check_columns(back, table)


def test_h5ad_is_read_back_by_anndata(tmp_path, embedding):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        anndata = pytest.importorskip("anndata")
        loc, scale, table = embedding
        write_embedding(
            tmp_path / "out.h5ad", Embedding(loc=loc, scale=scale), table.assign(**{"a/b": 1, "a_b": 3, "_index": 2})
        )
        back = anndata.read_h5ad(tmp_path / "out.h5ad")
    np.testing.assert_array_equal(back.X, loc)
    np.testing.assert_array_equal(back.layers["scale"], scale)
    check_columns(back.obs, table)
    assert back.obs[["a_b_", "a_b", "table_index"]].iloc[0].tolist() == [1, 3, 2]


@pytest.mark.parametrize("ending", [".csv", ".npz", ".parquet", ".h5ad"])
def test_the_tables_own_columns_are_kept_and_ours_are_renamed_and_it_is_said(tmp_path, embedding, ending):
    loc, scale, _ = embedding
    codes, out = Embedding(loc=loc, scale=scale), tmp_path / f"out{ending}"
    names = ["split", "vaelab_split", "cluster", "z0", "table_z0", "loc", "index"]
    own = pd.DataFrame({name: [f"{name}{i}" for i in range(5)] for name in names}).assign(
        moa=["DMSO", "", "a", "b", "c"]
    )
    ours = [pd.DataFrame({"split": ["train"] * 5}), pd.DataFrame({"cluster": range(5), "p_cluster_0": [0.5] * 5})]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_table(out, own)
        said = write_embedding(out, codes, own, ours)
        back = read_table(out)
    for name in own:
        assert back["z0_obs" if ending == ".h5ad" and name == "z0" else name].fillna("").tolist() == own[name].tolist()
    assert back["vaelab_vaelab_split"].tolist() == ["train"] * 5
    assert back["vaelab_cluster"].tolist() == list(range(5))
    z = "z" if ending == ".h5ad" else "vaelab_z"
    np.testing.assert_array_equal(back[[f"{z}{i}" for i in range(3)]].to_numpy(np.float32), loc)
    assert any("'split' of its own, so ours is called 'vaelab_vaelab_split'" in line for line in said)
    measured = measure_table(back.assign(x=loc[:, 0]), factors=["x"], metrics=["probe_r2"])
    np.testing.assert_array_equal(measured.codes.astype(np.float32), loc)


def test_a_table_that_a_format_cannot_hold_is_refused_before_any_work(tmp_path, embedding, monkeypatch):
    def no(*_):
        raise TypeError("no such names\nreally")

    monkeypatch.setitem(export.WRITERS, ".csv", no)
    with pytest.raises(InputError, match=r"cannot hold \(no such names\). Write .csv, or rename its columns."):
        check_table(tmp_path / "out.csv", embedding[2])


def test_a_target_that_cannot_be_written_is_refused_before_any_work(tmp_path, monkeypatch):
    for name in ("out", "out.txt", "out.CSV", "missing/out.csv"):
        with pytest.raises(InputError, match="--output should"):
            check_target(tmp_path / name)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="be a file"):
        check_target(tmp_path / "folder.csv")
    monkeypatch.setattr(export, "find_spec", lambda module: None if module in ("pyarrow", "anndata") else "there")
    with pytest.raises(InputError, match=r"pip install 'vaelab\[parquet\]'"):
        check_target(tmp_path / "out.parquet")
    with pytest.raises(InputError, match=r"pip install 'vaelab\[anndata\]'"):
        check_target(tmp_path / "out.h5ad")
    assert check_target(tmp_path / "out.csv") == tmp_path / "out.csv"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, embedding, monkeypatch):
    loc, scale, table = embedding
    (tmp_path / "out.csv").write_text("old")

    def full(path, *_):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(export.WRITERS, ".csv", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_embedding(tmp_path / "out.csv", Embedding(loc=loc, scale=scale), table)
    assert os.listdir(tmp_path) == ["out.csv"]
    assert (tmp_path / "out.csv").read_text() == "old"
