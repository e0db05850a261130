"""axe-core finds no serious fault on the explorer's pages and in its dialogs, light and dark."""

from __future__ import annotations

import importlib.util

from vaelab.explorer import explore


def faults(tab):
    """What axe-core calls serious or critical: the rule, and the first elements that break it."""
    from axe_playwright_python.sync_playwright import Axe

    found = [each for each in Axe().run(tab).response["violations"] if each["impact"] in ("serious", "critical")]
    return [(each["id"], [node["html"][:120] for node in each["nodes"][:3]]) for each in found]


def test_axe_is_installed():
    assert importlib.util.find_spec("axe_playwright_python"), "pip install -e '.[dev]'"


def faults_of_both(tab):
    """In light and in dark."""
    found = []
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        found += faults(tab)
    return found


def test_the_page_and_its_dialogs_have_no_serious_fault(tab, server):
    view = server.app.runs[0].view
    tab.goto(f"{server.url}#pin={view.rows[3]}")
    tab.wait_for_selector("body[data-ready=all]", timeout=60_000)
    tab.get_by_label("Way from").select_option("pinned")
    tab.locator("#map").press("]")
    tab.wait_for_selector(f"#pinned-title:text-is('{view.names()[4]}')")
    tab.get_by_label("to", exact=True).select_option("pinned")
    tab.wait_for_selector(".strip-row .step >> nth=8")
    tab.locator("#map").press("q")
    tab.keyboard.type(f"row > {view.rows[len(view) // 2]}")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#selection .comparing:not([hidden])")
    tab.evaluate("() => document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert faults_of_both(tab) == []
    for key, dialog in (("?", "dialog.help"), ("v", "canvas.latent-grid")):
        tab.locator("#map").press(key)
        tab.wait_for_selector(dialog)
        assert faults_of_both(tab) == [], key
        tab.keyboard.press("Escape")
    tab.get_by_role("button", name="Compare", exact=True).click()
    tab.wait_for_selector("dialog.compared", timeout=60_000)
    assert faults_of_both(tab) == []


def test_two_runs_side_by_side_have_no_serious_fault(tab, tiny):
    explorer = explore(tiny, tiny, port=0)
    try:
        tab.goto(f"{explorer.url}#pin={tiny.splits.test[0]}&focus=2")
        tab.wait_for_selector("body[data-ready=all]", timeout=60_000)
        assert faults(tab) == []
    finally:
        explorer.stop()
