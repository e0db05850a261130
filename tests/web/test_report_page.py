"""A report in a real browser: nothing missing, nothing asked of the network, nothing wider than the window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from report_runs import digits_run, quick
from vaelab.models import TwoStageConfig
from vaelab.networks.mlp import MLPEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.objectives.two_stage import TwoStageObjective
from vaelab.penalties.mutual_information import MutualInformation
from vaelab.presets import preset
from vaelab.priors.mixture import MixturePrior
from vaelab.report import write_report
from vaelab.runs import train


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    return write_report(digits_run(tmp_path_factory.mktemp("runs")), num_samples=4, num_images=200)


@pytest.fixture(scope="module")
def family(tmp_path_factory) -> Path:
    """The report of a run with conditions, two stages, a mixture prior and a critic: every panel there is."""
    digits = preset("digits")
    mixture = replace(
        digits.model, latent_dim=3, encoder=MLPEncoder(hidden=(32,)), prior=MixturePrior(num_components=3)
    )
    info_max = ELBO(penalties=(MutualInformation(),))
    experiment = replace(
        digits,
        data=replace(digits.data, condition=("label:category",)),
        model=TwoStageConfig(first=digits.model, second=mixture),
        objective=TwoStageObjective(first=info_max, second=info_max, first_alone_steps=20),
    )
    run = train(quick(experiment, 60), tmp_path_factory.mktemp("runs") / "family", progress=False)
    return write_report(run, num_samples=4, num_images=200)


@pytest.fixture
def tab(new_tab, request) -> Iterator[Any]:
    """A page, parametrised by the context's settings."""
    with new_tab(**getattr(request, "param", {})) as page:
        yield page


WINDOWS = [
    pytest.param({"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}, id="desktop"),
    pytest.param({"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"}, id="dark"),
    pytest.param({"viewport": {"width": 360, "height": 740}}, id="phone"),
    pytest.param({"viewport": {"width": 1280, "height": 900}, "java_script_enabled": False}, id="without scripts"),
]


@pytest.mark.parametrize("tab", WINDOWS, indirect=True)
def test_it_opens_whole_and_asks_for_nothing(tab, report):
    tab.goto(report.as_uri())
    assert tab.wrong == []
    assert [url for url in tab.asked if not url.startswith("data:")] == [report.as_uri()]
    assert tab.locator("h1").inner_text() == "digits"
    assert tab.locator("section").count() == 5


@pytest.mark.parametrize("kind", ["report", "family"])
@pytest.mark.parametrize("tab", WINDOWS[:3], indirect=True)
def test_every_picture_is_there_and_nothing_is_cut(tab, kind, request):
    tab.goto(request.getfixturevalue(kind).as_uri())
    tab.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    broken = "[...document.querySelectorAll('main img')].filter(i => !i.complete || !i.naturalWidth).length"
    assert tab.evaluate(broken) == 0
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cut = """[...document.querySelectorAll('.chart svg')].flatMap(svg => {
        const box = svg.parentElement.closest('.chart').getBoundingClientRect();
        return [...svg.querySelectorAll('text')].filter(text => {
            const own = text.getBoundingClientRect();
            return !svg.closest('.wide') && (own.left < box.left || own.right > box.right
                || own.top < box.top || own.bottom > box.bottom);
        }).map(text => text.textContent);
    })"""
    assert tab.evaluate(cut) == []


def test_each_image_is_framed_once_under_its_own_condition(tab, family):
    tab.goto(family.as_uri())
    swapped = tab.locator(".swaps").first
    rows = swapped.locator("tbody tr")
    assert rows.count() == 6
    for i in range(6):
        assert rows.nth(i).locator("td").count() == 10
        assert rows.nth(i).locator("td.own").count() == 1
    style = "getComputedStyle(document.querySelector('.swaps .own img')).outlineStyle"
    assert tab.evaluate(style) == "solid"
    assert tab.evaluate("(s => s.scrollWidth <= s.clientWidth)(document.querySelector('.swaps').parentElement)")
    assert tab.locator(".walk.component").count() == 3


@pytest.mark.parametrize("tab", WINDOWS[:3], indirect=True)
def test_text_can_be_told_from_its_ground(tab, report):
    """At least 4.5 to 1, the ratio that WCAG 2 asks for."""
    tab.goto(report.as_uri())
    contrast = """([text, ground]) => {
        const probe = document.createElement('i');
        document.body.append(probe);
        const light = name => {
            probe.style.color = `var(${name})`;
            const parts = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255);
            const [r, g, b] = parts.map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
            return .2126 * r + .7152 * g + .0722 * b;
        };
        const [a, b] = [light(text), light(ground)].sort((x, y) => y - x);
        return (a + .05) / (b + .05);
    }"""
    pairs = ["ink page", "ink paper", "muted page", "muted paper", "first page", "first paper", "warn warn-page"]
    for pair in pairs:
        assert tab.evaluate(contrast, [f"--{name}" for name in pair.split()]) >= 4.5, pair


def test_a_picture_is_enlarged_by_mouse_and_by_key(tab, report):
    tab.goto(report.as_uri())
    small = tab.locator(".tile img").first
    for opened in (lambda: small.click(), lambda: small.press("Enter")):
        opened()
        assert tab.evaluate("document.querySelector('dialog').open")
        wide, natural = tab.evaluate("(i => [i.width, i.naturalWidth])(document.querySelector('dialog img'))")
        assert wide > natural
        assert wide % natural == 0
        assert tab.locator("dialog img").get_attribute("alt") == small.get_attribute("alt")
        tab.keyboard.press("Escape")
        assert not tab.evaluate("document.querySelector('dialog').open")
    assert tab.wrong == []


def test_a_picture_is_as_large_as_its_pixels_times_a_whole_number(tab, report):
    tab.goto(report.as_uri())
    scales = tab.evaluate("[...document.querySelectorAll('.tile img')].map(i => i.width / i.naturalWidth)")
    assert scales
    assert all(scale == int(scale) for scale in scales)


def test_on_paper_there_is_no_menu_and_the_ground_is_white(tab, report):
    tab.goto(report.as_uri())
    tab.emulate_media(media="print")
    assert not tab.locator("nav").is_visible()
    assert tab.evaluate("getComputedStyle(document.body).getPropertyValue('--page')").strip() == "#fff"
