"""What every test stands on: shapes checked at each call, one thread, fixed random examples, real data."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

ROOT = Path(__file__).resolve().parents[1]
ROOMS_WITH_SHAPES = sorted(
    {
        ".".join(path.relative_to(ROOT / "src").with_suffix("").parts[:2])
        for path in (ROOT / "src" / "vaelab").rglob("*.py")
        if any(word in path.read_text() for word in ("jaxtyping", "vaelab.shapes"))
    }
)
"""Where signatures say shapes; pyright checks the types of all others, and each call that is checked costs."""

install_import_hook(ROOMS_WITH_SHAPES, "typecheck.check")

settings.register_profile("thorough", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", settings.get_profile("thorough"), max_examples=25)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, database=None)
settings.load_profile("ci" if "CI" in os.environ else "default")


def pytest_collection_modifyitems(items):
    """Browsers first, then whole processes: who waits for them is not left alone at the end."""
    first = {"web": 0, "run": 1}
    items.sort(key=lambda item: first.get(item.path.parent.name, 2))


@pytest.fixture(scope="session", autouse=True)
def allocator_as_it_is():
    """Commands keep freed memory for the rest of their process, and here that is the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vaelab.machine.keep_freed_memory", lambda: True)
        yield


@pytest.fixture(scope="session", autouse=True)
def few_starts_of_mixtures():
    """A prior's mixture is the likeliest of 48 fits, which takes seconds; of 4 it is one as well, if a worse one."""
    from vaelab.priors import mixture

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mixture, "fit_mixture", partial(mixture.fit_mixture, n_init=4))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real image data: $VAELAB_DATA, else ../shared/data beside the repository; skips without it."""
    folder = Path(os.environ.get("VAELAB_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data: neither $VAELAB_DATA nor {folder} is a folder")
    return folder


@pytest.fixture(scope="session")
def explored(shared_data, tmp_path_factory):
    """A run of real cells, and the explorer that shows its held-out images."""
    from explorer_runs import explored_run
    from vaelab.explorer import explore

    run = explored_run(shared_data, tmp_path_factory.mktemp("explored"))
    explorer = explore(run, port=0)
    yield explorer
    explorer.stop()


@pytest.fixture(scope="session")
def explained(tmp_path_factory):
    """A run of digits that was explained, and the explorer that shows all of its images."""
    from explorer_runs import explained_run
    from vaelab.explorer import explore

    explorer = explore(explained_run(tmp_path_factory.mktemp("explained")), on="all", port=0)
    yield explorer
    explorer.stop()


@pytest.fixture(scope="session")
def staged(tmp_path_factory):
    """A run of two stages under two conditions, and the explorer that shows its held-out images."""
    from report_runs import cells_run
    from vaelab.explorer import explore

    explorer = explore(cells_run(tmp_path_factory.mktemp("staged"), 20), port=0)
    yield explorer
    explorer.stop()


@pytest.fixture(scope="session")
def explored_pair(explored):
    """The run of `explored` and another of the same images, side by side."""
    from explorer_runs import another_run
    from vaelab.explorer import explore

    run = explored.app.runs[0].view.run
    explorer = explore(run, another_run(run, run.folder.parent / "another"), port=0)
    yield explorer
    explorer.stop()
