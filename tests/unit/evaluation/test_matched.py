"""A table of codes beside the images that they are of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.manifold import trustworthiness

from vaelab.cli import main
from vaelab.data import ImageCollection
from vaelab.errors import InputError
from vaelab.evaluation import measure_table

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (60, 1, 8, 8), np.uint8)
PATHS = [f"{'ab'[i % 2]}/{i}.png" for i in range(60)]
CODES = pd.DataFrame(PIXELS[:, 0, 0, :3] + RANDOM.normal(0, 20, (60, 3)), columns=["z0", "z1", "z2"])
IMAGES = ImageCollection(images=PIXELS, table=pd.DataFrame({"path": PATHS, "kind": "crop"}))
ASKED = ["trustworthiness"]


def value(table: pd.DataFrame, images: ImageCollection = IMAGES) -> float:
    return measure_table(table, images=images, metrics=ASKED).score("trustworthiness").value


def test_neighbourhoods_are_those_of_the_images_in_whatever_order_their_names_stand():
    in_order = value(CODES)
    shuffled = RANDOM.permutation(60)
    for names in (PATHS, [path.rpartition("/")[2] for path in PATHS], [f"D:/data/{path}" for path in PATHS]):
        named = CODES.assign(file=names, note="x").iloc[shuffled].reset_index(drop=True)
        measured = measure_table(named, images=IMAGES, metrics=ASKED)
        assert measured.score("trustworthiness").value == pytest.approx(in_order)
        assert measured.notes == ("images are found by the column 'file'",)
    few = CODES.assign(file=PATHS)[:40]
    assert value(few) == pytest.approx(value(CODES[:40], IMAGES.take(np.arange(40))))
    area = measure_table(CODES, images=IMAGES, metrics=ASKED).score("trustworthiness", "area").value
    by_hand = np.mean([trustworthiness(PIXELS.reshape(60, -1) / 255, CODES, n_neighbors=k) for k in range(1, 13)])
    assert area == pytest.approx(by_hand, abs=1e-6)


def test_an_image_that_is_not_there_is_named_and_so_is_another_number_of_images():
    with pytest.raises(InputError, match=r"the column 'file' should name an image .*'b/x.png'"):
        value(CODES.assign(file=["b/x.png", *PATHS[1:]]))
    with pytest.raises(InputError, match=r"images should be 59, one for each row.*got 60"):
        value(CODES[:59])


def test_on_the_command_line(tmp_path, capsys):
    for path, image in zip(PATHS, PIXELS, strict=True):
        (tmp_path / "all" / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[0]).save(tmp_path / "all" / path)
    CODES.assign(file=PATHS)[::-1].to_csv(tmp_path / "codes.csv", index=False)
    command = ["measure", str(tmp_path / "codes.csv"), "--images", str(tmp_path / "all"), "--metrics", *ASKED]
    assert main([*command, "-o", str(tmp_path / "scores.csv"), "--quiet"]) == 0
    assert "images are found by the column 'file'" in capsys.readouterr().err
    assert pd.read_csv(tmp_path / "scores.csv")["value"][0] == pytest.approx(value(CODES))


def test_rows_that_codes_were_learnt_on_are_not_measured_with_the_others_in_silence():
    parts = ["train", "test", "validation"] * 20
    told = measure_table(CODES.assign(split=parts), metrics=["active_units"]).notes
    assert [note.split(";")[0] for note in told] == [
        "rows of test, train and validation (column 'split') are measured together"
    ]
    assert measure_table(CODES.assign(split="test"), metrics=["active_units"]).notes == ()
