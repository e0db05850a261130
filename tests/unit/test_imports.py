"""What an import costs, and what it must not touch."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import vaelab
from conftest import ROOT

OPTIONAL = {"anndata", "skimage", "tensorboard", "umap", "zarr"}


def loaded_after(statement: str) -> set[str]:
    """Top-level modules that stand in a fresh interpreter after the statement."""
    code = f"{statement}\nimport sys\nprint('\\n'.join({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines())


def modules() -> list[str]:
    """Every module of the package."""
    return [found.name for found in pkgutil.walk_packages(vaelab.__path__, "vaelab.") if "__main__" not in found.name]


def test_importing_the_package_imports_nothing_heavy():
    assert not {"torch", "numpy", "pandas", "matplotlib", "sklearn"} & loaded_after("import vaelab")


def test_the_command_line_shows_its_help_without_torch():
    silently = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):\n    main([])"
    assert "torch" not in loaded_after(f"from vaelab.cli import main\n{silently}")


def test_the_explorer_and_training_start_without_what_draws_charts_and_fits_models():
    loaded = loaded_after("import vaelab.explorer.serve, vaelab.runs.make, vaelab.runs.results")
    assert not {"matplotlib", "sklearn"} & loaded
    assert "torch" in loaded


def test_a_metric_that_is_asked_for_imports_no_other():
    wanted = "from vaelab.evaluation import all_metrics; all_metrics(['rate_per_latent'])"
    assert "sklearn" not in loaded_after(wanted)


def test_no_module_needs_an_optional_extra():
    assert not OPTIONAL & loaded_after("\n".join(f"import {name}" for name in modules()))


@pytest.mark.parametrize("name", vaelab.__all__)
def test_a_public_name_is_there_explained_and_in_the_reference(name):
    found = getattr(vaelab, name)
    assert (found.__doc__ or "").strip()
    assert not (found.__doc__ or "").startswith(f"{name}(")
    assert f"`{name}`" in (ROOT / "docs" / "reference" / "index.md").read_text()


def test_the_reference_names_no_public_name_that_is_not_there():
    table = (ROOT / "docs" / "reference" / "index.md").read_text().partition("## From")[2]
    rows = [line for line in table.splitlines() if line.startswith("| ") and "`" in line]
    assert sorted(re.findall(r"`(\w+)`", "".join(rows))) == vaelab.__all__


def test_type_checkers_see_the_same_public_names():
    tree = ast.parse(Path(vaelab.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {name.asname for node in block.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert seen == set(vaelab.__all__)


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        vaelab.no_such_name  # noqa: B018


@pytest.mark.parametrize("name", modules())
def test_every_module_says_what_it_is_for(name):
    assert (importlib.import_module(name).__doc__ or "").strip()
