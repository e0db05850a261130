"""vaelab learns, measures and explains the latent space of an image collection with variational autoencoders.

import vaelab

run = vaelab.train(vaelab.presets.digits())
embedding = vaelab.embed(run.model, run.feed.batches(run.splits.test))
print(vaelab.evaluate(run.model, run.feed.batches(run.splits.test)).scores["elbo"])
vaelab.write_report(run)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaelab import presets as presets
    from vaelab.data import ImageCollection as ImageCollection
    from vaelab.data import open_source as open_source
    from vaelab.errors import InputError as InputError
    from vaelab.evaluation import Score as Score
    from vaelab.evaluation import evaluate as evaluate
    from vaelab.experiment import Experiment as Experiment
    from vaelab.inference import counterfactual as counterfactual
    from vaelab.inference import embed as embed
    from vaelab.inference import interpolate as interpolate
    from vaelab.inference import reconstruct as reconstruct
    from vaelab.inference import sample as sample
    from vaelab.inference import traverse as traverse
    from vaelab.report import write_report as write_report
    from vaelab.runs import Run as Run
    from vaelab.runs import load as load
    from vaelab.runs import resume as resume
    from vaelab.runs import train as train

_HOMES = {
    "presets": "vaelab.presets",
    "ImageCollection": "vaelab.data",
    "open_source": "vaelab.data",
    "InputError": "vaelab.errors",
    "Score": "vaelab.evaluation",
    "evaluate": "vaelab.evaluation",
    "Experiment": "vaelab.experiment",
    "counterfactual": "vaelab.inference",
    "embed": "vaelab.inference",
    "interpolate": "vaelab.inference",
    "reconstruct": "vaelab.inference",
    "sample": "vaelab.inference",
    "traverse": "vaelab.inference",
    "write_report": "vaelab.report",
    "Run": "vaelab.runs",
    "load": "vaelab.runs",
    "resume": "vaelab.runs",
    "train": "vaelab.runs",
}
__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used, so that `import vaelab` itself costs next to nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'vaelab' has no attribute {name!r}")
    home = importlib.import_module(_HOMES[name])
    return home if _HOMES[name] == f"vaelab.{name}" else getattr(home, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
