"""One browser for all tests of pages, and a page of it that notes what goes wrong and what is asked for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-headless-shell") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def new_tab(browser):
    """Opens a page in a context of its own: `wrong` is what it complains of, `asked` what it asks for."""

    @contextmanager
    def opened(**settings: Any) -> Iterator[Any]:
        context = browser.new_context(**settings)
        page = context.new_page()
        page.wrong, page.asked = [], []
        page.on("console", lambda said: page.wrong.append(said.text) if _is_wrong(said) else None)
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        yield page
        context.close()

    return opened


def _is_wrong(said) -> bool:
    """Whether it is a fault of the page; it is the tests that read canvases again and again."""
    return said.type in ("error", "warning") and "willReadFrequently" not in said.text


@pytest.fixture
def tab(new_tab) -> Iterator[Any]:
    """A page of the explorer: at the end nothing has gone wrong, and nothing left home."""
    with new_tab(viewport={"width": 1280, "height": 860}) as page:
        yield page
        assert page.wrong == []
        assert {urlsplit(url).hostname for url in page.asked if not url.startswith(("data:", "file:", "blob:"))} <= {
            "127.0.0.1"
        }


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A run of small images in one channel, hardly trained."""
    from explorer_runs import tiny_run

    return tiny_run(tmp_path_factory.mktemp("tiny") / "plain")


@pytest.fixture
def server(tiny):
    """The explorer on it."""
    from vaelab.explorer import explore

    explorer = explore(tiny, port=0)
    yield explorer
    explorer.stop()
