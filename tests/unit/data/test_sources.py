"""The sources beside plain folders: tables, TIFF, NumPy, IDX, CelebA's layout; and the guess of which one it is."""

from __future__ import annotations

import gzip
import shutil
import struct
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vaelab.data import ImageCollection, open_source
from vaelab.data.sources.celeba import CelebaSource
from vaelab.data.sources.idx import IdxSource
from vaelab.data.sources.npz import NpzSource, save_npz
from vaelab.data.sources.table import TableSource
from vaelab.data.sources.tiff import TiffSource
from vaelab.errors import InputError


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path_factory.mktemp("cache")))


def pixels(number: int, shape: tuple[int, ...] = (12, 10), kind: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(number).integers(0, np.iinfo(kind).max, shape).astype(kind)


def save(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


# --- tables


def test_a_table_with_a_path_column_per_channel(tmp_path):
    rows = []
    for i in range(3):
        for channel in ("dna", "actin"):
            save(tmp_path / f"img/{i}_{channel}.png", pixels(i + 10 * len(channel), kind=np.uint16))
        rows.append({"well": f"A{i}", "dna": f"img/{i}_dna.png", "actin": f"img/{i}_actin.png"})
    rows.append({"well": "B1", "dna": "img/0_dna.png", "actin": "img/none.png"})
    rows.append({"well": "B2", "dna": "img/0_dna.png", "actin": None})
    pd.DataFrame(rows).to_csv(tmp_path / "t.csv", index=False)
    collection = TableSource(path=str(tmp_path / "t.csv"), path_columns=("actin", "dna")).load()
    assert collection.channels == ("actin", "dna")
    assert collection.table["well"].tolist() == ["A0", "A1", "A2"]
    np.testing.assert_array_equal(collection.images[2, 1], pixels(32, kind=np.uint16))
    assert set(collection.left_out) == {("img/none.png", "does not exist"), ("row 5", "names no file")}
    with pytest.raises(InputError, match="did you mean actin"):
        TableSource(path=str(tmp_path / "t.csv"), path_columns=("actinn",)).load()
    with pytest.raises(InputError, match=r"Name it in source\.path_columns"):
        TableSource(path=str(tmp_path / "t.csv")).load()


def test_a_table_with_one_path_column_and_a_root(tmp_path):
    save(tmp_path / "deep/down/a.png", pixels(0, (12, 10, 3)))
    (tmp_path / "t.tsv").write_text("File\tdose\ndown/a.png\t3\n")
    collection = open_source(tmp_path / "t.tsv", root=str(tmp_path / "deep")).load(strict=True)
    assert collection.images.shape == (1, 3, 12, 10)
    assert collection.table["dose"].tolist() == [3]


# --- TIFF


def test_ome_tiff_of_planes_becomes_images_with_their_places(tmp_path):
    stack = pixels(0, (2, 4, 3, 12, 10), np.uint16)
    metadata = {"axes": "TZCYX", "Channel": {"Name": ["DNA", "actin", "tubulin"]}}
    tifffile.imwrite(tmp_path / "a.ome.tif", stack, metadata=metadata)
    collection = open_source(tmp_path / "a.ome.tif").load(strict=True)
    assert collection.channels == ("DNA", "actin", "tubulin")
    assert collection.images.dtype == np.uint16
    assert collection.table[["time", "z"]].to_numpy().tolist() == [[t, z] for t in range(2) for z in range(4)]
    np.testing.assert_array_equal(collection.images, stack.reshape(8, 3, 12, 10))


def test_a_folder_of_ome_tiffs_with_labels(tmp_path):
    for i, name in enumerate(["ctrl/a", "drug/b"]):
        (tmp_path / name).parent.mkdir()
        tifffile.imwrite(tmp_path / f"{name}.ome.tif", pixels(i, (2, 12, 10)), metadata={"axes": "CYX"})
    (tmp_path / "ctrl/bad.tif").write_bytes(b"II*\0garbage")
    source = open_source(tmp_path)
    assert isinstance(source, TiffSource)
    collection = source.load()
    assert collection.table["label"].tolist() == ["ctrl", "drug"]
    assert [name for name, _ in collection.left_out] == ["ctrl/bad.tif"]


def test_pages_as_channels_and_wrong_axes(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", pixels(0, (5, 12, 10)), photometric="minisblack", metadata=None)
    path = str(tmp_path / "a.tif")
    assert len(TiffSource(path=path).load()) == 5
    assert TiffSource(path=path, axes="cyx", channels=tuple("abcde")).load().channels == tuple("abcde")
    with pytest.raises(InputError, match=r"a.tif has the axes IYX of sizes \(5, 12, 10\), not ZCYX"):
        TiffSource(path=path, axes="ZCYX").load()
    with pytest.raises(InputError, match=r"axes should be letters"):
        TiffSource(path=path, axes="CC")


@given(kind=st.sampled_from(["<f4", ">f4", "<f8", "<i2", ">u2", "u1", "?"]))
def test_pixel_types_of_tiff_are_kept_or_widened(tmp_path_factory, kind):
    values = (
        (np.arange(120).reshape(12, 10) % 2).astype(kind)
        if kind == "?"
        else np.arange(120).reshape(12, 10).astype(kind)
    )
    path = tmp_path_factory.mktemp("t") / "a.tif"
    tifffile.imwrite(path, values, photometric="minisblack")
    images = TiffSource(path=str(path)).load().images
    assert images.dtype == {"u1": np.uint8, "?": np.uint8, ">u2": np.uint16}.get(kind, np.float32)
    np.testing.assert_array_equal(images[0, 0], values.astype(np.uint8) * 255 if kind == "?" else values)


# --- NumPy


@given(
    shape=st.sampled_from(
        [(4, 28, 28), (4, 1, 28, 28), (4, 28, 28, 1), (4, 3, 40, 33), (4, 40, 33, 12), (4, 9, 64, 64)]
    ),
    kind=st.sampled_from([np.uint8, np.uint16, np.float32, np.float64, np.int64, np.bool_]),
    npy=st.booleans(),
)
def test_arrays_of_any_layout_and_type(tmp_path_factory, shape, kind, npy):
    values = np.random.default_rng(0).integers(0, 2 if kind is np.bool_ else 256, shape).astype(kind)
    folder = tmp_path_factory.mktemp("n")
    np.save(folder / "a.npy", values) if npy else np.savez(folder / "a.npz", crops=values, dose=np.arange(4.0))
    collection = NpzSource(path=str(folder / ("a.npy" if npy else "a.npz"))).load()
    expected = values[:, None] if values.ndim == 3 else values
    expected = np.moveaxis(expected, -1, 1) if shape[1:] in {(28, 28, 1), (40, 33, 12)} else expected
    np.testing.assert_array_equal(collection.images, expected.astype(np.uint8) * 255 if kind is np.bool_ else expected)
    assert collection.images.dtype in (np.uint8, np.uint16, np.float32)
    assert list(collection.table.columns) == ([] if npy else ["dose"])
    assert len(collection.table) == 4


def test_npy_is_mapped_not_read(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 16, 16, 2), np.uint16))
    images = NpzSource(path=str(tmp_path / "a.npy")).load().images
    assert isinstance(images, np.memmap)
    assert images.shape == (3, 2, 16, 16)


@pytest.mark.parametrize(
    ("given", "setting", "words"),
    [
        ({"a": np.zeros((2, 9, 9)), "b": np.zeros((2, 9, 9))}, {}, r"several that could be: a \(2, 9, 9\), b"),
        ({"a": np.zeros(4)}, {}, r"name the array of images, got none among: a \(4,\).*Set source.images"),
        ({"a": np.zeros((2, 9, 9))}, {"images": "A1"}, "images should be a known name"),
        ({"a": np.zeros((2, 16, 16, 16))}, {}, "where both are possible. Set source.layout"),
        ({"a": np.zeros((2, 64, 64, 64))}, {}, "where neither fits. Set source.layout"),
        ({"a": np.zeros((2, 9, 9))}, {"channels": ("x", "y")}, "name each of the 1 channels once"),
        ({"a": np.full((2, 9, 9), 1 << 40)}, {}, "more than 32-bit floats resolve"),
        ({"a": np.zeros(3)}, {"images": "a"}, r"be numbers of shape \(image, height, width\)"),
        ({"a": np.zeros((0, 9, 9))}, {"images": "a"}, r"be numbers of shape \(image, height, width\)"),
    ],
)
def test_unclear_archives_name_the_field_to_set(tmp_path, given, setting, words):
    np.savez(tmp_path / "a.npz", **given)
    with pytest.raises(InputError, match=words):
        NpzSource(path=str(tmp_path / "a.npz"), **setting).load()


@given(data=st.data(), archive=st.booleans())
def test_a_broken_numpy_file_is_one_clear_error(tmp_path_factory, data, archive):
    path = tmp_path_factory.mktemp("n") / "a.npz"
    if data.draw(st.booleans()):
        path.write_bytes(data.draw(st.binary(max_size=100)))
    else:
        with open(path, "wb") as file:
            np.savez_compressed(file, images=pixels(0, (3, 9, 9))) if archive else np.save(file, pixels(0, (3, 9, 9)))
        whole = path.read_bytes()
        path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(InputError, match=r"^path should be a whole \.npz or \.npy file") as refused:
        NpzSource(path=str(path)).load()
    assert "\n" not in str(refused.value)


def test_pickled_objects_are_not_read(tmp_path):
    np.savez(tmp_path / "a.npz", imgs=np.ones((2, 9, 9), np.uint8), metadata=np.array({"a": 1}, dtype=object))
    assert len(NpzSource(path=str(tmp_path / "a.npz")).load()) == 2
    np.save(tmp_path / "b.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"be a whole .npz or .npy file"):
        NpzSource(path=str(tmp_path / "b.npy")).load()


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)
COLUMNS = {
    "whole": st.integers(-9, 9),
    "real": st.floats(width=32, allow_nan=True),
    "truth": st.booleans(),
    "text": TEXT,
    "gaps": st.one_of(st.none(), TEXT),
    "day": st.dates(min_value=date(1700, 1, 1), max_value=date(2200, 1, 1)),
}


@settings(max_examples=40)
@given(
    rows=st.lists(st.fixed_dictionaries(COLUMNS), min_size=1, max_size=5),
    kind=st.sampled_from([np.uint8, np.uint16, np.float32]),
    channels=st.sampled_from([("a",), ("DNA", "actin")]),
)
def test_a_saved_collection_comes_back_exactly(tmp_path_factory, rows, kind, channels):
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table["day"] = pd.to_datetime(table["day"]).astype("datetime64[s]")
    table["text"] = table["text"].astype(pd.Series(["a"]).dtype)
    table["gaps"] = table["gaps"].astype(pd.Series(["a", None]).dtype)
    table["kind"] = pd.Categorical(table["whole"] > 0, categories=[True, False], ordered=True)
    images = np.random.default_rng(0).integers(0, 200, (len(rows), len(channels), 5, 4)).astype(kind)
    left_out = (("x.png", "is empty (0 bytes)"),)
    saved = ImageCollection(images=images, table=table, channels=channels, factors=("real",), left_out=left_out)
    path = tmp_path_factory.mktemp("s") / "out.npz"
    save_npz(saved, path)
    back = open_source(path).load()
    np.testing.assert_array_equal(back.images, images)
    assert back.images.dtype == kind
    pd.testing.assert_frame_equal(back.table, table)
    assert (back.channels, back.factors, back.left_out) == (channels, ("real",), left_out)
    assert [file.name for file in path.parent.iterdir()] == ["out.npz"]


def test_saving_refuses_what_it_cannot_keep(tmp_path):
    images = np.zeros((2, 1, 8, 8), np.uint8)
    odd = ImageCollection(images=images, table=pd.DataFrame({"x": [{"a": 1}, "b"]}))
    with pytest.raises(InputError, match="column 'x' should hold numbers"):
        save_npz(odd, tmp_path / "a.npz")
    plain = ImageCollection(images=images, table=pd.DataFrame({"x": [1, 2]}))
    with pytest.raises(InputError, match="the output should be a file that can be written"):
        save_npz(plain, tmp_path / "nowhere/a.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ([0, 1, 3], "the names of 'l' are not used, as its codes go from 0 to 3 and there are 2 names"),
        ([-1, 0, 1], "the names of 'l' are not used, as its codes go from -1 to 1 and there are 2 names"),
        ([0.0, 1.0, 1.0], "the names of 'l' are not used, as its codes are float64, no whole numbers"),
        ([[1, 2, 3]] * 3, "the names of 'l' are not used, as it has 3 columns and there are 2 names"),
    ],
)
def test_names_that_do_not_fit_their_codes_are_said(tmp_path, codes, words):
    images = np.zeros((3, 8, 8), np.uint8)
    np.savez(tmp_path / "a.npz", images=images, l=np.array(codes), l_names=np.array(["DMSO", "taxol"]))
    collection = open_source(tmp_path / "a.npz").load()
    assert collection.notes == (words,)
    assert collection.table.to_numpy().tolist() == np.reshape(codes, (3, -1)).tolist()
    np.savez(tmp_path / "a.npz", images=images, l=np.array([1, 0, 1]), l_names=np.array(["DMSO", "taxol"]))
    assert open_source(tmp_path / "a.npz").load().notes == ()


def test_bbbc021_as_it_is(shared_data):
    path = shared_data / "bbbc021" / "bbbc021_cells64.npz"
    collection = open_source(path).load(strict=True)
    assert collection.images.shape == (5942, 3, 64, 64)
    assert collection.channels == ("DNA", "actin", "tubulin")
    with np.load(path) as archive:
        np.testing.assert_array_equal(collection.images, np.moveaxis(archive["images"], -1, 1))
        assert (collection.table["moa"].to_numpy() == archive["moa_names"][archive["moa"]]).all()
        assert (collection.table["plate"].to_numpy() == archive["plate_names"][archive["plate"]]).all()
    assert {"compound", "concentration", "well", "site", "replicate", "subset", "cell_id"} <= set(
        collection.table.columns
    )


def test_dsb2018_as_it_is(shared_data):
    collection = open_source(shared_data / "dsb2018" / "dsb2018_nuclei64_fluo.npz").load(strict=True)
    assert collection.images.shape == (7851, 1, 64, 64)
    assert "area_px" in collection.table.columns
    assert collection.table["source_image"].max() < 664


# --- IDX


def write_idx(path: Path, array: np.ndarray, magic: int | None = None, packed: bool = False) -> None:
    magic = 0x800 + array.ndim if magic is None else magic
    data = struct.pack(f">I{array.ndim}I", magic, *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(data) if packed else data)


@pytest.fixture
def idx_folder(tmp_path):
    for part, count in (("train", 6), ("t10k", 3)):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte", pixels(count, (count, 9, 8)), packed=part == "train")
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte", np.arange(count, dtype=np.uint8))
    (tmp_path / "train-images-idx3-ubyte").rename(tmp_path / "train-images-idx3-ubyte.gz")
    return tmp_path


def test_idx_files_packed_or_not(idx_folder):
    collection = open_source(idx_folder).load()
    np.testing.assert_array_equal(collection.images[:6, 0], pixels(6, (6, 9, 8)))
    np.testing.assert_array_equal(collection.images[6:, 0], pixels(3, (3, 9, 8)))
    assert collection.table["label"].tolist() == [0, 1, 2, 3, 4, 5, 0, 1, 2]
    assert collection.table["split"].tolist() == ["train"] * 6 + ["test"] * 3


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda d: (d / "t10k-images-idx3-ubyte").write_bytes(b""), "begins with the number 2051, got 0 bytes"),
        (lambda d: write_idx(d / "t10k-images-idx3-ubyte", pixels(0, (3, 9, 8)), magic=2049), "2051, got 2049"),
        (lambda d: write_idx(d / "t10k-labels-idx1-ubyte", np.zeros(2, np.uint8)), "hold 3 labels.*got 2"),
        (lambda d: write_idx(d / "t10k-images-idx3-ubyte", pixels(0, (3, 9, 9))), "one size, got 9x8 and 9x9"),
        (lambda d: (d / "t10k-labels-idx1-ubyte").unlink(), "hold the labels of t10k-images-idx3-ubyte, got none"),
        (lambda d: [p.unlink() for p in d.iterdir()], "vaelab data download mnist fetches them"),
        (lambda d: shutil.copy(d / "t10k-images-idx3-ubyte", d / "b-test-images-idx3-ubyte"), "hold one set of test"),
    ],
)
def test_damaged_idx_is_one_clear_error(idx_folder, damage, words):
    damage(idx_folder)
    with pytest.raises(InputError, match=words) as refused:
        IdxSource(path=str(idx_folder)).load()
    assert "\n" not in str(refused.value)


@given(cut=st.integers(0, 300), name=st.sampled_from(["train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte"]))
def test_idx_cut_anywhere_is_refused(tmp_path_factory, cut, name):
    folder = tmp_path_factory.mktemp("idx")
    for part in ("train", "t10k"):
        write_idx(folder / f"{part}-images-idx3-ubyte", pixels(1, (3, 9, 8)))
        write_idx(folder / f"{part}-labels-idx1-ubyte", np.zeros(3, np.uint8))
    if name.endswith(".gz"):
        (folder / name[:-3]).unlink()
        write_idx(folder / name, pixels(1, (3, 9, 8)), packed=True)
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: min(cut, len(data) - 1)])
    with pytest.raises(InputError):
        IdxSource(path=str(folder)).load()


def test_mnist_as_it_is(shared_data):
    collection = open_source(shared_data / "mnist").load(strict=True)
    assert collection.images.shape == (70_000, 1, 28, 28)
    assert (collection.table["split"] == "train").sum() == 60_000
    # label counts and mean intensity as published: 0.1307 and 0.3081 are the figures used to normalise MNIST
    train = collection.images[:60_000]
    assert np.bincount(collection.table["label"][:60_000]).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip
    assert train.mean() / 255 == pytest.approx(0.1307, abs=1e-4)
    assert train.std() / 255 == pytest.approx(0.3081, abs=1e-4)


# --- CelebA


@pytest.fixture
def faces(tmp_path):
    names = [f"{i:06}.jpg" for i in range(1, 5)]
    for i, name in enumerate(names):
        save(tmp_path / "img_align_celeba" / name, pixels(i, (218, 178, 3)))
    lines = ["4", "Bald Smiling", *(f"{name}  {1 if i % 2 else -1} {-1 if i else 1}" for i, name in enumerate(names))]
    (tmp_path / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_celeba_with_attributes_parts_crop_and_size(faces):
    parts = ["000001.jpg 0", "000002.jpg 1", "000003.jpg 2", "000004.jpg 0"]
    (faces / "list_eval_partition.txt").write_text("\n".join(parts))
    (faces / "img_align_celeba/000003.jpg").unlink()
    save(faces / "img_align_celeba/extra.jpg", pixels(9, (218, 178, 3)))
    source = open_source(faces, crop=(148, 148), size=(64, 64))
    assert isinstance(source, CelebaSource)
    collection = source.load()
    assert collection.images.shape == (3, 3, 64, 64)
    assert collection.table["Bald"].tolist() == [0, 1, 1]
    assert collection.table["Smiling"].tolist() == [1, 0, 0]
    assert collection.table["split"].tolist() == ["train", "validation", "train"]
    assert [name for name, _ in collection.left_out] == ["000003.jpg", "img_align_celeba/extra.jpg"]


def test_celeba_as_csv(faces):
    (faces / "list_attr_celeba.txt").unlink()
    (faces / "list_attr_celeba.csv").write_text("image_id,Bald\n000001.jpg,-1\n000002.jpg,1\n")
    (faces / "list_eval_partition.csv").write_text("image_id,partition\n000001.jpg,0\n000002.jpg,2\n")
    collection = CelebaSource(path=str(faces)).load()
    assert collection.image_shape == (3, 218, 178)
    assert collection.table["split"].tolist() == ["train", "test"]


def test_celeba_as_csv_reads_tables_as_everywhere(faces):
    """Semicolons, quotes and blanks in a name, as a spreadsheet saves them; no cell becomes a number by guess."""
    (faces / "img_align_celeba/000001.jpg").rename(faces / "img_align_celeba/a b.jpg")
    (faces / "list_attr_celeba.txt").unlink()
    (faces / "list_attr_celeba.csv").write_text('image_id;Bald\n"a b.jpg";-1\n000002.jpg;1\n')
    (faces / "list_eval_partition.csv").write_text('image_id,partition\n"a b.jpg",0\n000002.jpg,2\n')
    collection = CelebaSource(path=str(faces)).load()
    assert collection.table["path"].tolist() == ["img_align_celeba/a b.jpg", "img_align_celeba/000002.jpg"]
    assert collection.table["Bald"].tolist() == [0, 1]
    assert collection.table["split"].tolist() == ["train", "test"]
    for cell in ("1.0", "", "yes", "2"):
        (faces / "list_attr_celeba.csv").write_text(f"image_id,Bald\na b.jpg,-1\n000002.jpg,{cell}\n")
        with pytest.raises(InputError, match=r"list_attr_celeba.csv should list a file name and a -1 or 1"):
            CelebaSource(path=str(faces)).load()
    (faces / "list_attr_celeba.csv").write_text("image_id,Bald\na b.jpg,-1\n000002.jpg,1\n")
    (faces / "list_eval_partition.csv").write_text("image_id,partition,more\na b.jpg,0,0\n000002.jpg,2,0\n")
    with pytest.raises(InputError, match=r"list_eval_partition.csv should list a file name and a part"):
        CelebaSource(path=str(faces)).load()


@pytest.mark.parametrize(
    "text", ["", "3\nBald\n", "1\nBald\nx.jpg 5\n", "2\nBald\nx.jpg 1\n", "1\nBald\nx.jpg y\n", "a\nb\nc\n"]
)
def test_damaged_attributes_are_one_clear_error(faces, text):
    (faces / "list_attr_celeba.txt").write_text(text)
    with pytest.raises(InputError, match=r"list_attr_celeba.txt should list a file name") as refused:
        CelebaSource(path=str(faces)).load()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["000001.jpg 0\n", "000001.jpg 7\n", "what\n"])
def test_damaged_parts_are_one_clear_error(faces, text):
    (faces / "list_eval_partition.txt").write_text(text)
    with pytest.raises(InputError, match=r"list_eval_partition.* should"):
        CelebaSource(path=str(faces)).load()


# --- the guess


def test_the_guess_and_its_refusals(tmp_path):
    save(tmp_path / "f/a.png", pixels(0))
    assert open_source(str(tmp_path / "f"), size=(8, 8)).load().image_shape == (1, 8, 8)
    for path, words in [
        (tmp_path / "f/a.png", "Give the folder that holds it"),
        (tmp_path / "none", "which does not exist"),
        (tmp_path / "f/x.docx", "does not exist"),
        ("\0", "the path of the images should be"),
    ]:
        with pytest.raises(InputError, match=words):
            open_source(path)
    (tmp_path / "x.docx").write_text("x")
    with pytest.raises(InputError, match=r"be a folder .*a folder of images.*\.npz.*\.csv.*\.tiff file, got"):
        open_source(tmp_path / "x.docx")
    with pytest.raises(InputError, match="did you mean size"):
        open_source(tmp_path / "f", sizes=(8, 8))
