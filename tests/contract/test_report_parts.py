"""What holds for every part of a report: a new file is tested by existing."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from markupsafe import Markup
from PIL import Image

from report_runs import NASTY, Page, cells_run, digits_run, five_channels_run, hasty_classifiers, rosettes_run
from vaelab.catalogue import members
from vaelab.errors import InputError
from vaelab.report import Look, Part, PicturePart, draw, render
from vaelab.report.page import SECTIONS, parts
from vaelab.runs.confounded import confounders
from vaelab.runs.explaining import explain_run

PARTS = list(members(Part))
PICTURES = list(members(PicturePart))
RUNS = {"digits": digits_run, "five_channels": five_channels_run, "cells": cells_run, "rosettes": rosettes_run}


@pytest.fixture(scope="module")
def looks(tmp_path_factory) -> Iterator[dict[str, Look]]:
    """Runs that together have whatever a part may be for; the last is for what no other has."""
    made = {name: make(tmp_path_factory.mktemp(name)) for name, make in RUNS.items()}
    with hasty_classifiers(), pytest.MonkeyPatch.context() as patch:
        found = explain_run(made["cells"], "moa", to=NASTY, num_images=2, methods=["latent_shift"], num_targets=3)
        confounders(found, ["plate"])
        patch.setattr("vaelab.report.look.BUDGET", 1e9)
        yield {name: Look(run, num_samples=2, num_images=40) for name, run in made.items()}


def test_every_part_stands_on_the_page_once_in_a_section_that_there_is():
    assert set(parts()) == set(PARTS)
    places = [(part.section, part.order) for part in parts().values()]
    assert {section for section, _ in places} == set(SECTIONS)
    assert len(set(places)) == len(places)


def html_of(name: str, look: Look) -> Markup:
    """What a part shows of a run, made once."""
    part = parts()[name]
    return look.once(("html", name), lambda: part.html(look, part.arrays(look)))


@pytest.mark.parametrize("name", PARTS)
def test_a_part_says_what_it_is(name):
    part = parts()[name]
    assert part.__doc__
    assert part.__doc__.splitlines()[0].endswith(".")
    assert part.only_for
    assert not part.title.endswith(".")


@pytest.mark.parametrize("name", PARTS)
def test_some_run_has_it_and_what_it_shows_is_plain_and_well_formed(name, looks):
    part, shown = parts()[name], 0
    for look in looks.values():
        if not part.applies(look) or (shown and look is looks["rosettes"]):
            continue
        arrays, shown = part.arrays(look), shown + 1
        assert all(isinstance(array, np.ndarray) and array.dtype.kind in "biufU" for array in arrays.values())
        markup = html_of(name, look)
        assert isinstance(markup, Markup)
        page = Page(markup)
        assert page.unclosed == []
        assert page.text.strip() or page.of("img")
        assert all(image["alt"] for image in page.of("img"))
        assert NASTY not in markup
        assert not page.of("script")
        assert part.arrays(look) is arrays
    assert shown


@pytest.mark.parametrize("name", PICTURES)
def test_drawn_alone_it_is_what_the_page_shows(name, looks, tmp_path):
    part, drawn = parts()[name], False
    for look in looks.values():
        if not part.applies(look):
            with pytest.raises(InputError, match=f"It is for {part.only_for}"):
                draw(look.run, name, tmp_path / "a.png", num_samples=2, num_images=40)
            continue
        if drawn:
            continue
        drawn = True
        path = draw(look.run, name.replace("_", "-"), tmp_path / "a.png", num_samples=2, num_images=40)
        picture = Image.open(io.BytesIO(path.read_bytes()))
        assert picture.format == "PNG"
        assert min(picture.size) > 100
        assert picture.convert("L").getextrema()[0] < 100
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as saved:
            assert set(saved.files) == set(part.arrays(look)) != set()
            for key, array in part.arrays(look).items():
                np.testing.assert_array_equal(saved[key], array)
        assert path.read_bytes() == part.picture(look, part.arrays(look))


def test_every_part_that_applies_is_on_the_page(looks, monkeypatch):
    """Each part's html is made once, for this test and the one before."""
    for name, part in parts().items():
        shown = type(part).html

        def once(self, look, arrays, name=name, make=shown):
            return look.once(("html", name), lambda: make(self, look, arrays))

        monkeypatch.setattr(type(part), "html", once)
    for look in looks.values():
        html = render(look)
        assert Page(html).unclosed == []
        for name, part in parts().items():
            stands = part.on_page and part.applies(look)
            if stands and name != "words":  # which says how long it took
                assert part.html(look, part.arrays(look)) in html
            if part.title:
                assert (f'<h3 id="{name}">{part.title}</h3>' in html) == stands


def test_what_cannot_be_drawn_is_refused(looks, tmp_path):
    run = looks["digits"].run
    with pytest.raises(InputError, match=r"the picture should be a known name, got 'measures'. Known: best, "):
        draw(run, "measures", tmp_path / "a.png")
    with pytest.raises(InputError, match="did you mean worst"):
        draw(run, "wurst", tmp_path / "a.png")
    with pytest.raises(InputError, match=r"the output should be a file that ends in .png"):
        draw(run, "worst", tmp_path / "a.svg")
    with pytest.raises(InputError, match="should be a folder, got nothing there"):
        draw(run, "worst", tmp_path / "none" / "a.png")
    assert not list(tmp_path.iterdir())


def test_a_part_computes_only_what_it_needs(looks, tmp_path, monkeypatch):
    """Curves need no images, samples no measures, and the plane no decoder."""
    digits = looks["digits"].run
    look = Look(digits, num_samples=3, num_images=35)
    parts()["curves"].arrays(look)
    assert "x" not in vars(look)
    parts()["samples"].arrays(look)
    assert not look._done.keys() - {type(parts()["curves"]), type(parts()["samples"])}
    monkeypatch.setattr(type(digits.model), "decode", None)
    parts()["plane"].arrays(look)
