"""What was explained, on the explorer's page: series, the pixels that matter, the warning, what latents mean."""

from __future__ import annotations

import numpy as np
import pytest

from explorer_pages import opened, picture

CHANNELS = "0_1~ffffff~0~16"


@pytest.fixture
def drawn(explained):
    return np.load(explained.app.runs[0].view.run.folder / "explanations" / "bright-yes" / "series.npz")


def grey(images) -> np.ndarray:
    """Images of grey levels from 0 to 16 as the page draws them."""
    return np.rint(255 * np.clip(np.asarray(images, np.float32).astype(np.float64) / 16, 0, 1)).astype(np.uint8)


def test_the_pinned_images_series_is_drawn_with_what_was_wanted_and_said(tab, explained, drawn):
    opened(tab, explained, f"pin={drawn['rows'][1]}&channels={CHANNELS}")
    tab.wait_for_selector("#explained .saliencies figure >> nth=3")
    panel = tab.locator("#explained")
    assert "does not say the same of reconstructions" in panel.locator(".warning").inner_text()
    assert panel.locator(".asked span").all_inner_texts() == ["0.13", "0.38", "0.63", "0.88"]
    strips = panel.locator(".film:not(.asked)")
    assert panel.locator("h3").all_inner_texts()[:2] == ["latent shift", "random direction · baseline"]
    for m, method in enumerate(("latent_shift", "random_direction")):
        heard = [float(words) for words in strips.nth(m).locator("figcaption").all_inner_texts()]
        np.testing.assert_allclose(heard, drawn[f"{method}/said"][1], atol=0.006)
        for k in (0, 3):
            shown = picture(tab, f"#explained .film:not(.asked) >> nth={m} >> canvas >> nth={k}")
            np.testing.assert_array_equal(shown[..., 0], grey(drawn[f"{method}/images"][1, k, 0]))
    assert "label" in panel.locator(".dragged").inner_text()


def test_the_saliency_is_laid_over_the_image_and_follows_its_channels(tab, explained, drawn):
    opened(tab, explained, f"pin={drawn['rows'][1]}&channels={CHANNELS}")
    tab.wait_for_selector("#explained .saliencies figure >> nth=3")
    names = tab.locator("#explained .saliencies figcaption").all_inner_texts()
    image = grey(drawn["images"][1, 0]).astype(np.float64)
    values = drawn["saliency/gradient"][1].sum(0, dtype=np.float64)
    share = (values / values.max())[..., None]
    for ground in (image, 0 * image):
        expected = (1 - share) * ground[..., None] + share * np.array([255, 140, 0])
        shown = picture(tab, f"#explained .saliencies canvas >> nth={names.index('gradient')}")
        np.testing.assert_allclose(shown[..., :3], expected, atol=1)
        tab.locator("#channels input[type=checkbox]").first.uncheck()


def test_an_image_that_was_not_explained_says_which_were_and_leads_there(tab, explained, drawn):
    away = next(row for row in range(5) if row not in drawn["rows"])
    opened(tab, explained, f"pin={away}")
    tab.wait_for_selector("#explained .neighbour >> nth=2")
    assert "This image is none of the 3 that were explained" in tab.locator("#explained").inner_text()
    tab.locator("#explained .neighbour").nth(2).click()
    tab.wait_for_selector("#explained .film")
    assert f"pin={drawn['rows'][2]}" in tab.url


def test_what_a_latent_means_stands_beside_its_slider(tab, explained):
    opened(tab, explained)
    with np.load(explained.app.runs[0].view.run.folder / "explanations" / "latents" / "meaning.npz") as file:
        arrays = {name: file[name] for name in ("latents", "says", "goes_with")}
    first = int(explained.app.runs[0].view.latents_in_order()[0])
    place = arrays["latents"].tolist().index(first)
    line = tab.locator(".sliders li").first.locator(".meant")
    assert arrays["says"][place] in line.inner_text()
    assert f"Goes with {arrays['goes_with'][place]}." in line.get_attribute("title")


def test_where_nothing_was_explained_the_command_stands(tab, explored):
    opened(tab, explored)
    commands = tab.locator("#explained code").all_inner_texts()
    folder = explored.app.runs[0].view.run.folder
    assert commands == [f"vaelab explain {folder} --label moa --to CLASS", f"vaelab explain {folder} --latents"]
