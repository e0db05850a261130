"""Folders: labels, channels in files of their own, broken files named and counted, the cache."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vaelab.data import cache as cache_module
from vaelab.data import parallel
from vaelab.data.sources.folder import FolderSource
from vaelab.data.sources.tiff import TiffSource
from vaelab.errors import InputError


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("VAELAB_CACHE", str(folder))
    return folder


def pixels(number: int, shape: tuple[int, ...] = (12, 10), kind: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(number).integers(0, np.iinfo(kind).max, shape).astype(kind)


def save(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


def decoders() -> list[multiprocessing.Process]:
    """Processes that a test left behind; joblib's, which an earlier test may have begun, stay for the next search."""
    return [each for each in multiprocessing.active_children() if not type(each).__name__.startswith("Loky")]


def one_sentence(error: InputError) -> str:
    text = str(error)
    assert "\n" not in text
    assert "Traceback" not in text
    assert " should " in text
    return text


def test_subfolders_are_labels(tmp_path):
    for i, name in enumerate(["dog/b.png", "cat/a.png", "cat/wild/c.png", "top.png"]):
        save(tmp_path / name, pixels(i))
    collection = FolderSource(path=str(tmp_path)).load()
    assert collection.table["path"].tolist() == ["cat/a.png", "cat/wild/c.png", "dog/b.png", "top.png"]
    assert collection.table["label"].tolist() == ["cat", "cat/wild", "dog", ""]
    np.testing.assert_array_equal(collection.images[:, 0], [pixels(1), pixels(2), pixels(0), pixels(3)])
    assert collection.channels == ("intensity",)


def test_every_unusable_file_is_named_with_its_reason(tmp_path):
    for i in range(5):
        save(tmp_path / f"good{i}.png", pixels(i))
    whole = (tmp_path / "good0.png").read_bytes()
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "cut.png").write_bytes(whole[:60])
    (tmp_path / "flipped.png").write_bytes(whole[:70] + bytes([whole[70] ^ 1]) + whole[71:])
    (tmp_path / "noise.jpg").write_bytes(os.urandom(99))
    (tmp_path / "noise.tif").write_bytes(b"II*\0" + bytes(40))
    (tmp_path / "README").write_text("hello")
    (tmp_path / ".hidden.png").write_bytes(b"x")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "pipe.png")
    save(tmp_path / "wide.png", pixels(9, (12, 11)))
    save(tmp_path / "deep.png", pixels(9, (12, 10), np.uint16))
    save(tmp_path / "colour.png", pixels(9, (12, 10, 3)))
    collection = FolderSource(path=str(tmp_path)).load()
    assert len(collection) == 5
    reasons = dict(collection.left_out)
    assert len(reasons) == len(collection.left_out) == 11
    expected = {
        "README": "is not an image by its name",
        "empty.png": "is empty (0 bytes)",
        "cut.png": "is truncated",
        "flipped.png": "is damaged: a checksum does not hold",
        "noise.jpg": "is not an image that can be read",
        "gone.png": "does not exist",
        "pipe.png": "is not a regular file",
        "wide.png": "is 1x12x11 uint8, most are 1x12x10 uint8",
        "deep.png": "is 1x12x10 uint16, most are 1x12x10 uint8",
        "colour.png": "is 3x12x10 uint8, most are 1x12x10 uint8",
    }
    assert {name: reasons[name] for name in expected} == expected
    assert "noise.tif" in reasons
    with pytest.raises(InputError, match="11 files that cannot be used, the first: README") as refused:
        FolderSource(path=str(tmp_path)).load(strict=True)
    one_sentence(refused.value)
    again = FolderSource(path=str(tmp_path)).load()
    assert again.left_out == collection.left_out


@settings(max_examples=30)
@given(
    contents=st.lists(st.binary(max_size=300), min_size=1, max_size=4), ending=st.sampled_from(["png", "tif", "gif"])
)
def test_a_folder_of_nothing_usable_is_one_clear_error(tmp_path_factory, contents, ending):
    folder = tmp_path_factory.mktemp("junk")
    for i, content in enumerate(contents):
        (folder / f"{i}.{ending}").write_bytes(content)
    with pytest.raises(InputError, match=r"path should hold images") as refused:
        FolderSource(path=str(folder)).load()
    assert "0." + ending in one_sentence(refused.value)


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(0, 150), min_size=1, max_size=5))
def test_png_cut_anywhere_is_left_out(tmp_path_factory, cuts):
    folder = tmp_path_factory.mktemp("cut")
    save(folder / "whole.png", pixels(0))
    data = (folder / "whole.png").read_bytes()
    for i, cut in enumerate(cuts):
        (folder / f"cut{i}.png").write_bytes(data[: min(cut, len(data) - 1)])
    collection = FolderSource(path=str(folder)).load()
    assert len(collection) == 1
    assert [name for name, _ in collection.left_out] == [f"cut{i}.png" for i in range(len(cuts))]


@settings(max_examples=30)
@given(
    shapes=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 3])), min_size=1, max_size=9),
)
def test_the_commonest_form_stays_whatever_comes_first(tmp_path_factory, shapes):
    folder = tmp_path_factory.mktemp("shapes")
    images = [pixels(i, (h, w) if c == 1 else (h, w, c)) for i, (h, w, c) in enumerate(shapes)]
    for i, image in enumerate(images):
        save(folder / f"{i}.png", image)
    collection = FolderSource(path=str(folder)).load()
    commonest = max(shapes, key=lambda shape: (shapes.count(shape), -shapes.index(shape)))
    rows = [i for i, shape in enumerate(shapes) if shape == commonest]
    assert collection.table["path"].tolist() == [f"{i}.png" for i in rows]
    assert len(collection.left_out) == len(shapes) - len(rows)
    for row, stored in zip(rows, collection.images, strict=True):
        np.testing.assert_array_equal(stored, images[row].reshape(*images[row].shape[:2], -1).transpose(2, 0, 1))


def test_size_brings_images_of_all_sizes_together(tmp_path):
    save(tmp_path / "a.png", pixels(0, (20, 30)))
    save(tmp_path / "b.png", pixels(1, (9, 8)))
    collection = FolderSource(path=str(tmp_path), size=(16, 16)).load()
    assert collection.images.shape == (2, 1, 16, 16)
    assert collection.left_out == ()


def test_one_file_per_channel(tmp_path):
    for cell in ("a", "b", "c"):
        for channel in ("w1", "w2"):
            save(tmp_path / f"plate1/{cell}_{channel}.png", pixels(ord(cell) + int(channel[1]), kind=np.uint16))
    (tmp_path / "plate1/c_w2.png").unlink()
    save(tmp_path / "odd.png", pixels(0))
    pattern = r"_(?P<channel>w\d)\."
    collection = FolderSource(path=str(tmp_path), channel_pattern=pattern).load()
    assert collection.channels == ("w1", "w2")
    assert collection.images.shape == (2, 2, 12, 10)
    assert collection.images.dtype == np.uint16
    np.testing.assert_array_equal(collection.images[1, 1], pixels(ord("b") + 2, kind=np.uint16))
    assert collection.table["label"].tolist() == ["plate1", "plate1"]
    reasons = [reason for _, reason in collection.left_out]
    assert sorted(reasons) == ["does not match source.channel_pattern", "lacks channel w2"]
    turned = FolderSource(path=str(tmp_path), channel_pattern=pattern, channels=("w2", "w1")).load()
    np.testing.assert_array_equal(turned.images, collection.images[:, ::-1])


def test_labels_from_a_table(tmp_path):
    for name in "abcd":
        save(tmp_path / f"images/{name}.png", pixels(ord(name)))
    table = pd.DataFrame({"dose": [0.5, 2.0, 1.0, 3.0], "filename": ["c.png", "a", "images/b.png", "z.png"]})
    table.to_csv(tmp_path / "labels.csv", index=False)
    collection = FolderSource(path=str(tmp_path), labels=str(tmp_path / "labels.csv")).load()
    assert dict(zip(collection.table["path"], collection.table["dose"], strict=True)) == {
        "images/a.png": 2.0,
        "images/b.png": 1.0,
        "images/c.png": 0.5,
    }
    assert {name for name, _ in collection.left_out} == {"images/d.png", "z.png"}


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"path": "nowhere"}, "path should be a folder, got .*which does not exist"),
        ({"path": "a.png"}, "path should be a folder, got .*which is not one"),
        ({"path": "bad\0name"}, "does not exist"),
        ({"path": "hollow"}, "path should hold images, got no files"),
        ({"channel_pattern": "("}, "channel_pattern should be a regular expression"),
        ({"channel_pattern": "w1"}, "should have a group called channel"),
        ({"channels": ("x", "y")}, "channels should name each of the 1 channels once"),
        ({"size": (0, 4)}, r"size\[0\] should be at least 1, got 0"),
        ({"labels": "nowhere.csv"}, "labels should be a file"),
        ({"labels": "void.csv"}, "labels should be a table with column names"),
        ({"labels": "binary.csv"}, "labels should"),
        ({"labels": "other.csv"}, "should name files in the folder, such as 'a.png'"),
        ({"labels": "twice.csv"}, "should name each file once, got 'a.png' twice"),
    ],
)
def test_refusals_are_one_sentence(tmp_path, monkeypatch, setting, words):
    monkeypatch.chdir(tmp_path)
    Path("hollow").mkdir()
    save(Path("a.png"), pixels(0))
    Path("void.csv").write_text("")
    Path("binary.csv").write_bytes(b"\xff\xfe\x00\x81" * 40)
    Path("other.csv").write_text("file,x\nb.png,1\n")
    Path("twice.csv").write_text("file,x\na.png,1\na.png,2\n")
    with pytest.raises(InputError, match=words) as refused:
        FolderSource(**{"path": ".", **setting}).load()
    one_sentence(refused.value)


def test_folders_that_may_not_be_read(tmp_path, monkeypatch):
    save(tmp_path / "open/a.png", pixels(0))
    (tmp_path / "shut").mkdir()
    scan = os.scandir

    def guarded(place):
        if str(place).endswith(shut):
            raise PermissionError(errno.EACCES, "Permission denied")
        return scan(place)

    monkeypatch.setattr(os, "scandir", guarded)
    shut = "shut"
    assert FolderSource(path=str(tmp_path)).load().left_out == (("shut/", "may not be read"),)
    shut = tmp_path.name
    with pytest.raises(InputError, match=r"be a folder that may be read, got .*Permission denied"):
        FolderSource(path=str(tmp_path)).load()


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    save(tmp_path / "a.png", pixels(0))
    save(tmp_path / "b.png", pixels(1))

    opened = os.open

    def guarded(path, *args):
        if str(path).endswith("b.png"):  # the superuser, as whom tests may run, may read every file
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *args)

    monkeypatch.setattr(os, "open", guarded)
    assert FolderSource(path=str(tmp_path)).load().left_out == (("b.png", "cannot be read (Permission denied)"),)


def test_folders_linked_in_a_circle_end(tmp_path):
    save(tmp_path / "a/x.png", pixels(0))
    (tmp_path / "a/back").symlink_to(tmp_path)
    assert FolderSource(path=str(tmp_path)).load().table["path"].tolist() == ["a/x.png"]


def test_a_link_to_itself_is_named_and_the_rest_is_read(tmp_path):
    save(tmp_path / "a.png", pixels(0))
    for name in ("link.png", "folder"):
        (tmp_path / name).symlink_to(name)
    collection = FolderSource(path=str(tmp_path)).load()
    assert collection.table["path"].tolist() == ["a.png"]
    reason = "is a link that leads back to itself"
    assert collection.left_out == (("folder", reason), ("link.png", reason))


def test_multi_page_tiff_in_a_folder_names_the_source_for_it(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 9, 9), np.uint8), photometric="minisblack")
    save(tmp_path / "b.png", pixels(0))
    assert FolderSource(path=str(tmp_path)).load().left_out == (
        ("a.tif", "holds 3 images; the source tiff reads such files"),
    )


def test_the_second_load_decodes_nothing_and_a_changed_file_everything(tmp_path, monkeypatch, own_cache):
    for i in range(4):
        save(tmp_path / f"{i}.png", pixels(i))
    first = FolderSource(path=str(tmp_path)).load()
    fill = cache_module._fill
    monkeypatch.setattr(cache_module, "_fill", lambda *_: pytest.fail("decoded again"))
    second = FolderSource(path=str(tmp_path)).load()
    assert isinstance(second.images, np.memmap)
    np.testing.assert_array_equal(second.images, first.images)
    pd.testing.assert_frame_equal(second.table, first.table)
    monkeypatch.setattr(cache_module, "_fill", fill)
    save(tmp_path / "2.png", pixels(9))
    third = FolderSource(path=str(tmp_path)).load()
    np.testing.assert_array_equal(third.images[2, 0], pixels(9))
    assert len(list((own_cache / "images").iterdir())) == 2
    assert FolderSource(path=str(tmp_path), crop=(4, 4)).load().image_shape == (1, 4, 4)


def test_a_damaged_cache_is_made_anew(tmp_path, own_cache):
    for i in range(3):
        save(tmp_path / f"{i}.png", pixels(i))
    first = np.array(FolderSource(path=str(tmp_path)).load().images)
    (stored,) = (own_cache / "images").glob("*/images.npy")
    whole = stored.read_bytes()
    for damaged in (whole[:-10], whole[:-1] + bytes([whole[-1] ^ 1])):
        stored.write_bytes(damaged)
        np.testing.assert_array_equal(FolderSource(path=str(tmp_path)).load().images, first)


@pytest.mark.parametrize("name", ["index.json", "images.npy", "seal"])
@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"\x93NUMPY\1\0\x05\0((((\n", b"{" * 5000, bytes(300)])
def test_whatever_lies_in_the_caches_place_it_is_made_anew(tmp_path, own_cache, name, content):
    for i in range(3):
        save(tmp_path / f"{i}.png", pixels(i))
    first = np.array(FolderSource(path=str(tmp_path)).load().images)
    (stored,) = (own_cache / "images").glob(f"*/{name}")
    stored.write_bytes(content)
    np.testing.assert_array_equal(FolderSource(path=str(tmp_path)).load().images, first)
    assert stored.read_bytes() != content
    assert len(list((own_cache / "images").iterdir())) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record["items"].append(0),
        lambda record: record["rows"].pop(),
        lambda record: record["channels"].append("x"),
        lambda record: record.pop("left_out"),
        lambda record: record.update(rows=[1, 2, 3]),
        lambda record: record.update(items=["a", "b", "c"]),
        lambda record: record.update(items=[0, 1, 7]),
        lambda record: record.update(items=[0, 0, 1]),
    ],
)
def test_a_cache_whose_index_does_not_fit_is_made_anew(tmp_path, own_cache, change):
    for i in range(3):
        save(tmp_path / f"{i}.png", pixels(i))
    first = FolderSource(path=str(tmp_path)).load()
    (stored,) = (own_cache / "images").glob("*/index.json")
    whole = stored.read_text()
    record = json.loads(whole)
    change(record)
    stored.write_text(json.dumps(record))
    again = FolderSource(path=str(tmp_path)).load()
    pd.testing.assert_frame_equal(again.table, first.table)
    assert stored.read_text() == whole


def test_a_file_in_the_caches_place_makes_room(tmp_path, own_cache):
    save(tmp_path / "a.png", pixels(0))
    FolderSource(path=str(tmp_path)).load()
    (place,) = (own_cache / "images").iterdir()
    shutil.rmtree(place)
    place.write_bytes(b"x")
    np.testing.assert_array_equal(FolderSource(path=str(tmp_path)).load().images[0, 0], pixels(0))


@pytest.mark.parametrize("poisoned", [False, True])
def test_processes_that_decode_the_same_files_at_once_all_read_them(tmp_path, own_cache, poisoned):
    for i in range(8):
        save(tmp_path / f"{i}.png", pixels(i))
    if poisoned:
        FolderSource(path=str(tmp_path)).load()
        (stored,) = (own_cache / "images").glob("*/index.json")
        stored.write_text("[]")
    code = (
        "import sys, time\n"
        "from vaelab.data import cache\n"
        "from vaelab.data.sources.folder import FolderSource\n"
        "fill = cache._fill\n"
        "def slow(*args):\n"
        "    failed = fill(*args)\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.readline()\n"
        "    return failed\n"
        "cache._fill = slow\n"
        "images = FolderSource(path=sys.argv[1]).load().images\n"
        "print(images.sum())\n"
    )
    how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    several = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], **how) for _ in range(3)]
    for process in several:
        assert process.stdout.readline() == "ready\n"
    for process in several:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in several:
        out, err = process.communicate(timeout=60)
        assert (out.strip(), err, process.returncode) == (str(sum(int(pixels(i).sum()) for i in range(8))), "", 0)
    assert len(list((own_cache / "images").iterdir())) == 1


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(tmp_path, monkeypatch, own_cache):
    save(tmp_path / "a.png", pixels(0))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache_module, "_write_header", full)
    with pytest.raises(InputError, match=r"the image cache .*No space left on device.*VAELAB_CACHE"):
        FolderSource(path=str(tmp_path)).load()
    assert list((own_cache / "images").iterdir()) == []


@pytest.mark.parametrize("many", [1, 1000], ids=["processes", "threads"])
def test_a_disk_that_fills_up_while_decoding_is_one_clear_error(tmp_path, monkeypatch, own_cache, many):
    for i in range(150):
        save(tmp_path / f"{i:03}.png", pixels(i, (32, 32)))
    monkeypatch.setattr(cache_module, "CHUNK_FILES", 7)
    monkeypatch.setattr(cache_module, "MANY", many)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"the image cache .*File too large.*VAELAB_CACHE") as refused:
            FolderSource(path=str(tmp_path)).load()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    one_sentence(refused.value)
    assert list((own_cache / "images").iterdir()) == []
    assert not decoders()


def test_a_cache_that_cannot_be_made_is_one_clear_error(tmp_path, monkeypatch):
    save(tmp_path / "a.png", pixels(0))
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path / "a.png"))
    with pytest.raises(InputError, match="the image cache should be a folder that can be written"):
        FolderSource(path=str(tmp_path)).load()


def test_a_killed_decode_leaves_nothing_that_is_taken_for_a_cache(tmp_path, own_cache):
    for i in range(600):
        save(tmp_path / f"{i:03}.png", pixels(i, (6, 5)))
    code = (
        "import sys, time\n"
        "from vaelab.data import cache\n"
        "from vaelab.data.sources.folder import FolderSource\n"
        "header = cache._write_header\n"
        "def slow(*args):\n"
        "    header(*args)\n"
        "    print('writing', flush=True)\n"
        "    time.sleep(60)\n"
        "cache._write_header = slow\n"
        "FolderSource(path=sys.argv[1]).load()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
    (left,) = (own_cache / "images").iterdir()
    assert ".part-" in left.name
    assert len(FolderSource(path=str(tmp_path)).load()) == 600
    assert not left.exists()


@pytest.mark.parametrize("many", [1, 1000], ids=["processes", "threads"])
@pytest.mark.parametrize("number", [1, 3])
def test_the_order_is_that_of_the_names_however_many_decode(tmp_path, monkeypatch, many, number):
    for i in range(150):
        save(tmp_path / f"{i:03}.png", pixels(i, (8, 8)))
    (tmp_path / "077.png").write_bytes(b"broken")
    monkeypatch.setattr(cache_module, "CHUNK_FILES", 7)
    monkeypatch.setattr(cache_module, "MANY", many)
    monkeypatch.setattr(parallel, "workers", lambda: number)
    collection = FolderSource(path=str(tmp_path)).load(progress=True)
    np.testing.assert_array_equal(collection.images[:, 0], [pixels(i, (8, 8)) for i in range(150) if i != 77])
    assert collection.left_out == (("077.png", "is not an image that can be read"),)


def test_a_killed_decoder_is_one_clear_error(tmp_path, monkeypatch, own_cache):
    for i in range(5):
        save(tmp_path / f"{i}.png", pixels(i))
    monkeypatch.setattr(cache_module, "MANY", 1)
    monkeypatch.setattr(cache_module, "_attempt", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(InputError, match="a decoding process should end by itself, got one that was killed"):
        FolderSource(path=str(tmp_path)).load()
    assert list((own_cache / "images").iterdir()) == []
    assert not decoders()


def test_processes_and_threads_give_the_same_of_mixed_files(tmp_path, monkeypatch, own_cache):
    forms = [((9, 7), np.uint8), ((9, 7), np.uint16), ((9, 7, 3), np.uint8), ((5, 3), np.uint8)]
    for i in range(90):
        shape, kind = forms[1 if i % 3 else i // 3 % 4]
        save(tmp_path / f"images/{i:02}.png", pixels(i, shape, kind))
        pages = pixels(i, (i % 4 + 1, *shape[:2]), kind)
        tifffile.imwrite(tmp_path / f"{i:02}.tif", pages, photometric="minisblack", metadata=None)
    for i in range(0, 90, 8):
        (tmp_path / f"images/{i:02}.png").write_bytes(b"broken")
    monkeypatch.setattr(cache_module, "CHUNK_FILES", 4)
    monkeypatch.setattr(parallel, "workers", lambda: 3)
    for source in (FolderSource(path=str(tmp_path / "images")), TiffSource(path=str(tmp_path))):
        loaded = []
        for many, slot in ((1000, 0), (1, 1 << 24), (1, 600)):
            monkeypatch.setattr(cache_module, "MANY", many)
            monkeypatch.setattr(parallel, "SLOT_BYTES", slot)
            shutil.rmtree(own_cache, ignore_errors=True)
            loaded.append(source.load())
        threads, *processes = loaded
        assert threads.images.dtype == np.uint16
        assert len(threads.left_out) > 10
        for other in processes:
            np.testing.assert_array_equal(other.images, threads.images)
            pd.testing.assert_frame_equal(other.table, threads.table)
            assert other.left_out == threads.left_out
            assert other.channels == threads.channels


@pytest.mark.parametrize("slot", [400, 1 << 20], ids=["pipe", "shared memory"])
def test_results_of_processes_stay_until_the_next_is_asked_for(monkeypatch, slot):
    def work(number):
        return number, [np.full(number, number), np.asfortranarray(pixels(number, (3, 5)))], pixels(number)[::2, ::2]

    monkeypatch.setattr(parallel, "SLOT_BYTES", slot)
    monkeypatch.setattr(parallel, "workers", lambda: 3)
    for number, result in enumerate(parallel.by_processes(work, range(100))):
        time.sleep(0.002)  # while the others go on
        expected = work(number)
        assert result[0] == number
        np.testing.assert_array_equal(result[1][0], expected[1][0])
        np.testing.assert_array_equal(result[1][1], expected[1][1])
        np.testing.assert_array_equal(result[2], expected[2])
    assert not decoders()


def test_decoders_end_with_the_process_that_was_killed():
    code = (
        "import os, time\n"
        "from vaelab.data import parallel\n"
        "parallel.workers = lambda: 2\n"
        "def work(number):\n"
        "    time.sleep(0.01)\n"
        "    return os.getpid()\n"
        "results = parallel.by_processes(work, range(10**6))\n"
        "print(next(results), next(results), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        decoders = process.stdout.readline().split()
        assert len(set(decoders)) == 2
        assert all(map(_runs, decoders))
        process.send_signal(signal.SIGKILL)
    patience = time.monotonic() + 20
    while any(map(_runs, decoders)):
        assert time.monotonic() < patience
        time.sleep(0.05)


def _runs(number: str) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
