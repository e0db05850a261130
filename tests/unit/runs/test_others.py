"""Other images than a run's own are read as these were, or refused; how far they lie from them is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from vaelab import presets
from vaelab.cli import main
from vaelab.data import Data, ImageCollection, Split, open_source
from vaelab.data.scaling import Scaling
from vaelab.data.sources.folder import FolderSource
from vaelab.data.sources.table import TableSource
from vaelab.data.stored import read
from vaelab.errors import InputError
from vaelab.inference import embed
from vaelab.report.cautions import cautions
from vaelab.report.look import Look
from vaelab.report.pictures import colour, colour_words
from vaelab.runs import load, train
from vaelab.runs.others import distance, in_order, read_like


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path_factory.mktemp("cache")))


def trained(source, folder, **data):
    experiment = presets.digits()
    data = Data(source=source, split=Split(validation=4, test=4), **data)
    return train(
        replace(experiment, data=data, training=replace(experiment.training, num_steps=2, num_epochs=1)),
        folder,
        progress=False,
    )


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


@pytest.fixture
def stained(tmp_path):
    """A run on images of two named channels."""
    np.savez(tmp_path / "train.npz", images=noise(0, 24, 2, 8, 8), channels=np.array(["DNA", "actin"]))
    return trained(open_source(tmp_path / "train.npz"), tmp_path / "run")


def test_named_channels_are_put_into_the_runs_order_and_it_is_said(stained, tmp_path):
    images = noise(1, 5, 2, 8, 8)
    np.savez(tmp_path / "same.npz", images=images, channels=np.array(["DNA", "actin"]))
    np.savez(tmp_path / "swapped.npz", images=images[:, ::-1], channels=np.array(["actin", "DNA"]))
    more = np.concatenate([noise(2, 5, 1, 8, 8), images[:, ::-1]], axis=1)
    np.savez(tmp_path / "more.npz", images=more, channels=np.array(["tubulin", "actin", "DNA"]))
    (tmp_path / "ome").mkdir()
    for i, image in enumerate(images):
        metadata = {"axes": "CYX", "Channel": {"Name": ["actin", "DNA"]}}
        place = tmp_path / "ome" / f"{i}.ome.tif"
        tifffile.imwrite(place, image[::-1], metadata=metadata, photometric="minisblack")
    same = read_like(stained, tmp_path / "same.npz")
    np.testing.assert_array_equal(same.images, images)
    assert same.notes == ()
    for other in ("swapped.npz", "more.npz", "ome"):
        found = read_like(stained, tmp_path / other)
        np.testing.assert_array_equal(read(found.images, np.arange(5)), images)
        assert found.channels == ("DNA", "actin")
        assert "channels were put into the run's order: DNA, actin" in found.notes[-1]


def test_a_missing_channel_is_refused_and_nameless_ones_keep_their_order(stained, tmp_path):
    images = noise(1, 5, 2, 8, 8)
    np.savez(tmp_path / "other.npz", images=images, channels=np.array(["DNA", "tubulin"]))
    with pytest.raises(InputError, match="should have the channels DNA, actin, as the run's images had, got DNA, tub"):
        read_like(stained, tmp_path / "other.npz")
    renamed = read_like(stained, tmp_path / "other.npz", [("channels", "actin,DNA")])
    np.testing.assert_array_equal(renamed.images, images[:, ::-1])
    np.savez(tmp_path / "nameless.npz", images=images)
    found = read_like(stained, tmp_path / "nameless.npz")
    np.testing.assert_array_equal(found.images, images)
    assert "taken in their order, 0, 1 for DNA, actin" in found.notes[0]


def test_one_channel_without_a_name_needs_no_word():
    images = ImageCollection(images=noise(0, 2, 1, 8, 8), table=pd.DataFrame(index=range(2)), channels=("intensity",))
    assert in_order(images, ("DNA",), "x").notes == ()


def test_new_images_are_cropped_and_resized_as_the_runs_were(tmp_path):
    for folder in ("train", "new"):
        (tmp_path / folder).mkdir()
        for i in range(24 if folder == "train" else 3):
            height, width = np.random.default_rng(i).integers(20, 40, 2)
            Image.fromarray(noise(i, height, width)).save(tmp_path / folder / f"{i:02}.png")
    source = FolderSource(path=str(tmp_path / "train"), crop=(16, 16), size=(8, 8))
    run = trained(source, tmp_path / "run")
    found = read_like(run, tmp_path / "new")
    expected = FolderSource(path=str(tmp_path / "new"), crop=(16, 16), size=(8, 8)).load()
    np.testing.assert_array_equal(found.images, expected.images)
    other_crop = read_like(run, tmp_path / "new", [("crop", "18,18")])
    assert not np.array_equal(read(other_crop.images, np.arange(3)), read(found.images, np.arange(3)))
    table = tmp_path / "new" / "t.csv"
    table.write_text("path,dose\n01.png,3\n")
    by_table = read_like(run, table)
    np.testing.assert_array_equal(by_table.images, read(expected.images, np.array([1])))
    assert isinstance(open_source(table), TableSource)
    with pytest.raises(InputError, match=r"got 1 channel, 9x9\. Say how to read them, such as --crop or --size"):
        read_like(run, tmp_path / "new", [("size", "9,9")])


def test_new_images_of_a_file_per_channel_are_put_together_likewise(tmp_path):
    for folder, count in (("train", 24), ("new", 3)):
        (tmp_path / folder).mkdir()
        for i in range(count):
            for c in (1, 2):
                Image.fromarray(noise(2 * i + c, 8, 8)).save(tmp_path / folder / f"s{i:02}_w{c}.png")
    pattern = r"_(?P<channel>w\d)"
    run = trained(
        FolderSource(path=str(tmp_path / "train"), channel_pattern=pattern, channels=("w2", "w1")), tmp_path / "run"
    )
    found = read_like(run, tmp_path / "new")
    assert found.channels == ("w2", "w1")
    np.testing.assert_array_equal(read(found.images, np.array([1]))[0], [noise(4, 8, 8), noise(3, 8, 8)])


def test_names_that_the_run_gave_its_channels_are_given_to_new_ones(tmp_path):
    for folder, count in (("train", 24), ("new", 3)):
        (tmp_path / folder).mkdir()
        for i in range(count):
            Image.fromarray(noise(i, 8, 8, 3)).save(tmp_path / folder / f"{i:02}.png")
    run = trained(FolderSource(path=str(tmp_path / "train"), channels=("a", "b", "c")), tmp_path / "run")
    found = read_like(run, tmp_path / "new")
    assert (found.channels, found.notes) == (("a", "b", "c"), ())


def test_shares_of_clipped_pixels_and_of_codes_beyond_are_known(tmp_path):
    images = noise(0, 24, 1, 8, 8) // 2 + 20
    np.save(tmp_path / "train.npy", images)
    run = trained(open_source(tmp_path / "train.npy"), tmp_path / "run", scaling=Scaling(range="min_max"))
    new = images[:4].copy()
    new[0, 0, :2] = 255
    new[1, 0, 0] = 0
    np.save(tmp_path / "new.npy", new)
    collection = read_like(run, tmp_path / "new.npy")
    codes = embed(run.model, run.feed.batches(run.splits.train))
    found = distance(run, collection, codes)
    assert found.clipped == {"0": 24 / (4 * 64)}
    assert "which were clipped: 9.38% of 0" in found.words()[0]
    assert "clipped: 0.01% of 0" in replace(found, clipped={"0": 1e-9, "1": 0.0}).words()[0]
    assert not any("clipped" in words for words in replace(found, clipped={"0": 0.0, "1": 0.0}).words())
    assert (found.beyond, found.num_images) == (0, 16)
    far = replace(codes, loc=codes.loc + np.where(np.arange(len(codes)) < 4, 1e3, 0)[:, None].astype(np.float32))
    assert distance(run, collection, far).beyond == 0.25
    (tmp_path / "train.npy").unlink()
    run.images.__dict__.pop("dataset", None)
    assert distance(run, collection, codes).beyond is None


def test_embed_says_how_new_images_were_read(stained, tmp_path, capsys):
    np.savez(tmp_path / "new.npz", images=noise(1, 5, 2, 8, 8), channels=np.array(["actin", "DNA"]))
    out = tmp_path / "codes.csv"
    assert main(["embed", str(stained.folder), str(tmp_path / "new.npz"), "-o", str(out), "--quiet"]) == 0
    said = capsys.readouterr().err
    assert "Note: channels were put into the run's order: DNA, actin" in said
    assert "clipped" not in said
    assert "codes beyond the range of 16 training images" in said
    assert main(["embed", str(stained.folder), "-o", str(out), "--size", "8,8"]) == 2
    assert "--size should come with IMAGES, got none" in capsys.readouterr().err
    assert main(["embed", str(stained.folder), str(tmp_path / "new.npz"), "-o", str(out), "--layout", "x"]) == 2
    assert "--layout should be" in capsys.readouterr().err


def test_a_run_on_relative_paths_is_found_from_any_folder(tmp_path, monkeypatch):
    (tmp_path / "pictures").mkdir()
    for i in range(24):
        Image.fromarray(noise(i, 8, 8)).save(tmp_path / "pictures" / f"{i:02}.png")
    rows = "".join(f"{i:02}.png,{i % 2}\n" for i in range(24))
    (tmp_path / "labels.csv").write_text(f"file,label\n{rows}")
    monkeypatch.chdir(tmp_path)
    trained(FolderSource(path="pictures", labels="labels.csv"), tmp_path / "run")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    run = load(tmp_path / "run")
    assert run.dataset.collection.table["label"].tolist() == [i % 2 for i in range(24)]
    assert (run.experiment.data.source.path, run.experiment.data.source.labels) == (  # pyright: ignore
        str(tmp_path / "pictures"),
        str(tmp_path / "labels.csv"),
    )


def test_photographs_scaled_by_channel_keep_their_colours_in_pictures(tmp_path):
    pictures = noise(0, 24, 8, 8, 3) // 8
    pictures[..., 1] += 100
    pictures[..., 0] += 40
    (tmp_path / "photos").mkdir()
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / "photos" / f"{i:02}.png")
    run = trained(FolderSource(path=str(tmp_path / "photos")), tmp_path / "run", scaling=Scaling(range="min_max"))
    look = Look(run, num_samples=1)
    np.testing.assert_array_equal(colour(look.shade, look.x.numpy()), pictures[look.rows])
    assert "Colours are as stored" in colour_words(look)


def test_cautions_name_what_is_not_new_and_what_is_nearly_constant(tmp_path, capsys):
    images = noise(0, 24, 2, 16, 16)
    images[12:] = images[:12]
    images[:, 1] = 7
    np.savez(tmp_path / "t.npz", images=images, channels=np.array(["DNA", "empty"]))
    run = trained(open_source(tmp_path / "t.npz"), tmp_path / "run")
    found = dict(cautions(Look(run, num_samples=1)))
    assert "exact copies of images in other parts: the numbers are too good" in found["Held-out images are not all new"]
    assert found["A channel is nearly constant"].startswith("Channel 'empty' is constant")
    argv = ["train", "images", "--data", str(tmp_path / "t.npz"), "--out", str(tmp_path / "again"), "--quiet"]
    assert main([*argv, "--training.num-steps", "1", "--model.latent-dim", "2"]) == 0
    said = capsys.readouterr().err
    assert "exact copies" in said
    assert "Note: channel 'empty' is constant" in said
