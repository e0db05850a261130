"""Images packed into shards: exactly what the source gave, whatever interrupted, and nothing altered goes unseen."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
import zlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from vaelab.cli import main
from vaelab.data import ImageCollection, content_hash, open_source, packing, shards
from vaelab.data.packing import pack
from vaelab.data.shards import PAGE, check
from vaelab.data.sources.shards import ShardsSource
from vaelab.data.stored import blocks, read
from vaelab.errors import InputError

SMALL = 700
"""Bytes of a shard: a few images."""


def collection(count=23, dtype=np.uint8, channels=2):
    generator = np.random.default_rng(count)
    images = generator.integers(0, 200, (count, channels, 5, 7)).astype(dtype)
    table = pd.DataFrame(
        {
            "path": [f"ü/{i}.png" for i in range(count)],
            "label": pd.Series(["a", None, "b"] * count)[:count],
            "moa": pd.Categorical.from_codes(generator.integers(-1, 2, count), ["x", "y"], ordered=True),
            "mixed": pd.Series([1, True, "1", 1.0, np.nan, 2.5] * count)[:count],
            "dose": np.where(generator.random(count) < 0.2, np.nan, generator.random(count)),
            "ok": generator.random(count) < 0.5,
            "when": pd.date_range("2020-01-01", periods=count),
        }
    )
    return ImageCollection(
        images=images, table=table, channels=tuple("abcd"[:channels]), factors=("dose",),
        left_out=(("x.png", "is empty"),), files=np.arange(count) // 2, notes=("read with care",),
    )  # fmt: skip


def loaded(folder):
    return ShardsSource(path=str(folder)).load()


def outcome(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("shard_bytes", [1, SMALL, 1 << 30])
def test_what_is_read_back_is_what_was_packed(tmp_path, dtype, shard_bytes):
    given = collection(dtype=dtype)
    assert pack(given, tmp_path / "s", shard_bytes=shard_bytes) == 0
    back = loaded(tmp_path / "s")
    np.testing.assert_array_equal(read(back.images, np.arange(23)), given.images)
    assert back.images.dtype == given.images.dtype
    pd.testing.assert_frame_equal(back.table, given.table)
    assert [type(value) for value in back.table["mixed"]] == [type(value) for value in given.table["mixed"]]
    np.testing.assert_array_equal(back.files, given.files)
    for name in ("channels", "factors", "left_out", "notes"):
        assert getattr(back, name) == getattr(given, name)
    assert content_hash(back) == content_hash(given)
    assert check(back.images) == sum(map(len, back.images.sums))


def test_rows_in_any_order_are_those_of_the_array(tmp_path):
    given, generator = collection(97), np.random.default_rng(0)
    pack(given, tmp_path / "s", shard_bytes=SMALL)
    images = loaded(tmp_path / "s").images
    assert len(images.shards) > 9
    for size in (0, 1, 5, 97, 300):
        rows = generator.integers(0, 97, size)
        np.testing.assert_array_equal(read(images, rows), given.images[rows])
    np.testing.assert_array_equal(np.concatenate([block.copy() for _, block in blocks(images)]), given.images)


def test_a_shard_is_an_array_that_numpy_maps_from_a_page_on(tmp_path):
    given = collection()
    pack(given, tmp_path / "s", shard_bytes=SMALL)
    files = [path for path in sorted((tmp_path / "s").glob("images-*.npy")) if ".sums" not in path.name]
    arrays = [np.load(path, mmap_mode="r") for path in files]
    np.testing.assert_array_equal(np.concatenate(arrays), given.images)
    assert all(array.offset == PAGE and array.nbytes <= SMALL for array in arrays)
    sums = np.load(files[0].with_suffix(".sums.npy"))
    assert sums.tolist() == [zlib.crc32(arrays[0].tobytes())]


def pack_and_die(folder, steps):
    """Packs in a copy of this process, which is killed (kill -9) before its next call of a function that writes."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    left = [steps]

    def dies(real):
        def counted(*given, **named):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*given, **named)

        return counted

    for name in ("checksum", "write", "replacing", "_as_file"):
        setattr(packing, name, dies(getattr(packing, name)))
    pack(collection(), folder, shard_bytes=SMALL, origin="here")
    os._exit(0)


def test_what_was_killed_at_any_moment_goes_on_and_ends_as_if_nothing_had_been(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "BLOCK_BYTES", 140)
    monkeypatch.setattr(packing, "BLOCK_BYTES", 140)  # so that what is written is on its way to the disk at once
    pack(collection(), tmp_path / "peaceful", shard_bytes=SMALL, origin="here")
    folder, resumed = tmp_path / "killed", set()
    for steps in range(0, 99, 3):
        code = pack_and_die(folder, steps)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        if (folder / "shards.json").exists():
            with pytest.raises(InputError, match=r"packed to the end, got .* of 3 shards\. Give the same"):
                loaded(folder)
            with pytest.raises(InputError, match=r"where the packing of here was interrupted"):
                pack(collection(), folder, shard_bytes=SMALL, origin="there")
        done = len(list(folder.glob("*.sums.npy")))
        resumed.add(pack(collection(), folder, shard_bytes=SMALL, origin="here") - done)
        assert outcome(folder) == outcome(tmp_path / "peaceful")
        shutil.rmtree(folder)
    assert steps > 20
    assert resumed == {0}, "whole shards are kept"


def test_a_disk_that_fills_up_loses_nothing(tmp_path, monkeypatch):
    given, folder, left = collection(), tmp_path / "s", [1]

    def full(pixels):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return shards.checksum(pixels)

    monkeypatch.setattr(packing, "checksum", full)
    with pytest.raises(InputError, match=r"images-00001.npy .*No space left on device.*the same command again"):
        pack(given, folder, shard_bytes=SMALL)
    monkeypatch.undo()
    assert pack(given, folder, shard_bytes=SMALL) == 1
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"images-00000.npy .*File too large.*the same command again"):
            pack(given, tmp_path / "t", shard_bytes=SMALL)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert pack(given, tmp_path / "t", shard_bytes=SMALL) == 0
    assert outcome(tmp_path / "t") == outcome(folder)


def test_a_disk_without_room_is_refused_before_a_shard_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 1000))
    with pytest.raises(InputError, match=r"have 0 MB free for the shards, got 0 MB. Make room and give the same"):
        pack(collection(), tmp_path / "s")
    assert not list((tmp_path / "s").iterdir())


def test_any_altered_byte_of_any_file_is_found(tmp_path):
    given, generator = collection(), np.random.default_rng(0)
    pack(given, tmp_path / "s", shard_bytes=SMALL)
    right = content_hash(given)
    for path in sorted((tmp_path / "s").iterdir()):
        data = path.read_bytes()
        for _ in range(8):
            place = int(generator.integers(len(data)))
            path.write_bytes(data[:place] + bytes([data[place] ^ int(generator.integers(1, 256))]) + data[place + 1 :])
            with pytest.raises(InputError, match=rf"{path.name} should .*got .*\."):
                assert content_hash(loaded(tmp_path / "s")) == right, "seen only in the hash"
            path.write_bytes(data)
    assert content_hash(loaded(tmp_path / "s")) == right


@pytest.mark.parametrize("name", ["images-00001.npy", "images-00001.sums.npy", "table.npz"])
def test_a_file_that_is_cut_short_or_gone_is_named_and_mended_by_packing_again(tmp_path, name, capsys):
    given, path = collection(), tmp_path / "s" / name
    pack(given, tmp_path / "s", shard_bytes=SMALL)
    right = outcome(tmp_path / "s")
    path.write_bytes(path.read_bytes()[:-3])
    assert main(["data", "check", str(tmp_path / "s")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{name} should " in said
    path.unlink()
    with pytest.raises(InputError, match=rf"{name} should "):
        loaded(tmp_path / "s")
    pack(given, tmp_path / "s", shard_bytes=SMALL)
    assert outcome(tmp_path / "s") == right


def test_altered_pixels_are_refused_when_they_are_read_and_all_by_the_check(tmp_path, capsys):
    given = collection()
    pack(given, tmp_path / "s", shard_bytes=SMALL)
    with (tmp_path / "s" / "images-00001.npy").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    images = loaded(tmp_path / "s").images
    np.testing.assert_array_equal(read(images, np.arange(10)), given.images[:10])
    with pytest.raises(InputError, match=r"images-00001.npy should hold the pixels that were packed, got others from"):
        read(images, np.array([19, 10]))
    assert main(["data", "check", str(tmp_path / "s"), "--quiet"]) == 2
    assert "images-00001.npy" in capsys.readouterr().err
    pack(given, tmp_path / "s", shard_bytes=SMALL)
    assert main(["data", "check", str(tmp_path / "s"), "--share", "0.4"]) == 0
    assert "1 of 3 blocks are as packed" in capsys.readouterr().out


def test_another_version_is_refused(tmp_path):
    pack(collection(), tmp_path / "s")
    index = tmp_path / "s" / "shards.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"format": 9}))
    with pytest.raises(InputError, match=r"shards.json should be of format 1, got 9. Read it with the vaelab that"):
        loaded(tmp_path / "s")


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"new or empty folder, got one that holds 'notes.txt'"):
        pack(collection(), tmp_path)
    pack(collection(), tmp_path / "s")
    before, other = outcome(tmp_path / "s"), collection()
    other.images[3, 0, 0, 0] += 1
    for given in (other, collection(9)):
        with pytest.raises(InputError, match=r"got one that holds other packed images"):
            pack(given, tmp_path / "s")
    assert outcome(tmp_path / "s") == before


def test_the_command_packs_what_a_source_reads_with_its_settings(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path / "cache"))
    for i in range(6):
        (tmp_path / "in" / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((12 + i, 14, 3), 9 * i, np.uint8)).save(tmp_path / "in" / "ab"[i % 2] / f"{i}.png")
    (tmp_path / "in" / "broken.png").write_bytes(b"nothing")
    command = ["data", "pack", str(tmp_path / "in"), "-o", str(tmp_path / "s"), "--size", "8,8"]
    assert main(command) == 0
    said = capsys.readouterr()
    assert "1 shard, ImageCollection(6 images, 3x8x8 uint8" in said.out
    assert "broken.png" in said.err
    packed = open_source(tmp_path / "s")
    assert isinstance(packed, ShardsSource)
    source = open_source(tmp_path / "in", size=(8, 8)).load()
    assert content_hash(packed.load()) == content_hash(source)
    assert packed.load().left_out == source.left_out
    assert main(command) == 0
    assert "1 shard was there already" in capsys.readouterr().err
    assert main([*command[:-2], "--strict"]) == 2
    assert main(command[:3]) == 2
