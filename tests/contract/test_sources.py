"""What every source keeps to: it knows its own, gives whole collections, names what it leaves out, refuses in words."""

from __future__ import annotations

import struct
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from vaelab.catalogue import find, members, name_of
from vaelab.data import ImageCollection, Source, StoredImages, open_source
from vaelab.data.feed import Feed
from vaelab.data.packing import pack
from vaelab.data.scaling import Scaling
from vaelab.data.sources.npz import save_npz
from vaelab.errors import InputError

FILES = [name for name, member in members(Source).items() if member.opens]
OTHERS = [name for name in members(Source) if name not in FILES]
BROKEN = "broken.png"


def picture(number):
    return np.random.default_rng(number).integers(0, 256, (12, 10)).astype(np.uint8)


def pictures(folder, count=4, ending="png"):
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        Image.fromarray(picture(i)).save(folder / f"{i}.{ending}")
    return folder


def folder(place):
    (pictures(place) / BROKEN).write_bytes(b"no image")
    return place


def folder_of_single_tiffs(place):
    return pictures(place, ending="tif")


def table(place):
    names = [f"{i}.png" for i in range(4)]
    pd.DataFrame({"path": [*names, BROKEN], "dose": range(5)}).to_csv(folder(place) / "t.csv", index=False)
    return place / "t.csv"


def celeba(place):
    folder(place / "img")
    rows = "\n".join(f"{name} 1" for name in (*(f"{i}.png" for i in range(4)), BROKEN))
    (place / "list_attr_celeba.txt").write_text(f"5\nSmiling\n{rows}\n")
    return place


def npy(place):
    place.mkdir()
    np.save(place / "a.npy", np.stack([picture(i) for i in range(4)]))
    return place / "a.npy"


def npz(place):
    place.mkdir()
    images = np.stack([picture(i) for i in range(4)])[:, None]
    save_npz(ImageCollection(images=images, table=pd.DataFrame({"dose": range(4)})), place / "a.npz")
    return place / "a.npz"


def idx(place):
    place.mkdir()
    images = np.stack([picture(i) for i in range(4)])
    for name, array in (("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", np.arange(4, dtype=np.uint8))):
        head = struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape)
        (place / name).write_bytes(head + array.tobytes())
    return place


def pages(place):
    place.mkdir()
    tifffile.imwrite(place / "a.tif", np.stack([picture(i) for i in range(4)]), photometric="minisblack")
    return place / "a.tif"


def folder_of_pages(place):
    pages(place)
    (place / "z.tif").write_bytes(b"II*\0broken")
    return place


def packed(place):
    pack(open_source(folder(place.with_name("pictures"))).load(), place)
    return place


PLACES = [
    (folder, "folder"), (folder_of_single_tiffs, "folder"), (table, "table"), (celeba, "celeba"), (npy, "npz"),
    (npz, "npz"), (idx, "idx"), (pages, "tiff"), (folder_of_pages, "tiff"),
    (packed, "shards"),
]  # fmt: skip
HAVE_BROKEN = (folder, table, celeba, folder_of_pages, packed)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path_factory.mktemp("cache")))


def names_of(place):
    return sorted(inside.name for inside in place.iterdir()) if place.is_dir() else []


def check_whole(collection):
    assert isinstance(collection.images, np.ndarray | StoredImages)
    assert len(collection.images.shape) == 4
    assert collection.images.dtype in (np.uint8, np.uint16, np.float32)
    assert len(collection) == len(collection.table) > 0
    assert list(collection.table.index) == list(range(len(collection)))
    assert len(set(collection.channels)) == collection.images.shape[1]
    assert set(collection.factors) <= set(collection.table.columns)
    intensity = Scaling(range="min_max").fit(collection.images, np.arange(len(collection)))
    fed = Feed(collection.images, intensity)(np.array([len(collection) - 1, 0]))
    assert 0 <= float(fed.min()) <= float(fed.max()) <= 1


@pytest.mark.parametrize(("write", "kind"), PLACES)
def test_a_place_is_opened_by_the_source_whose_own_it_is(write, kind, tmp_path):
    place = write(tmp_path / "place")
    assert name_of(open_source(place)) == kind


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(("write", "kind"), PLACES)
def test_what_a_source_knows_for_its_own_it_loads(name, write, kind, tmp_path):
    member, place = find(Source, name), write(tmp_path / "place")
    sure = member.recognises(place, names_of(place))
    assert sure in (0, 1, 2, 3)
    if sure < 3 and name != kind:
        return
    collection = member(path=str(place)).load()
    check_whole(collection)
    if write in HAVE_BROKEN:
        assert [reason for file, reason in collection.left_out if "broken" in file or file == "z.tif"]
        with pytest.raises(InputError, match=r"hold only files that can be used") as refused:
            member(path=str(place)).load(strict=True)
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", FILES)
def test_each_source_of_files_says_what_it_opens_in_the_refusal_of_anything_else(name, tmp_path):
    (tmp_path / "x.docx").write_text("x")
    member = find(Source, name)
    assert "path" in {field.name for field in fields(member)}
    with pytest.raises(InputError) as refused:
        open_source(tmp_path / "x.docx")
    assert member.opens in str(refused.value)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("what", ["nothing", "an empty folder", "an empty file", "noise"])
def test_what_cannot_be_read_is_refused_in_one_sentence(name, what, tmp_path):
    place = tmp_path / "place"
    if what == "an empty folder":
        place.mkdir()
    elif what != "nothing":
        place.write_bytes(b"" if what == "an empty file" else np.random.default_rng(0).bytes(300))
    with pytest.raises(InputError) as refused:
        find(Source, name)(path=str(place)).load()
    assert "\n" not in str(refused.value)
    assert " should " in str(refused.value)


@pytest.mark.parametrize("name", OTHERS)
def test_a_source_without_files_gives_the_same_whole_collection_each_time(name):
    member = find(Source, name)
    small = {"num_images": 60, "size": 16}
    source = member(**{field.name: small[field.name] for field in fields(member) if field.name in small})
    first, again = source.load(), source.load()
    check_whole(first)
    np.testing.assert_array_equal(first.images, again.images)
    pd.testing.assert_frame_equal(first.table, again.table)
