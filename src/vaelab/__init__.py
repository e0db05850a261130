"""vaelab learns, measures and explains the latent space of an image collection with variational autoencoders.

import vaelab

run = vaelab.train("digits")
embedding = vaelab.embed(run)
print(vaelab.evaluate(run).score("elbo"))
vaelab.write_report(run)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaelab import presets as presets
    from vaelab.data import Data as Data
    from vaelab.data import ImageCollection as ImageCollection
    from vaelab.data import Scaling as Scaling
    from vaelab.data import Split as Split
    from vaelab.data import StoredImages as StoredImages
    from vaelab.data import open_source as open_source
    from vaelab.data import prepare as prepare
    from vaelab.data.feed import Feed as Feed
    from vaelab.data.sources.npz import save_npz as save_npz
    from vaelab.errors import InputError as InputError
    from vaelab.evaluation import Score as Score
    from vaelab.evaluation import evaluate as evaluate
    from vaelab.evaluation import load_classifier as load_classifier
    from vaelab.experiment import Experiment as Experiment
    from vaelab.explanation import explain as explain
    from vaelab.explanation import judge_of as judge_of
    from vaelab.explorer import explore as explore
    from vaelab.inference import Embedding as Embedding
    from vaelab.inference import decode_mean as decode_mean
    from vaelab.inference import embed as embed
    from vaelab.inference import interpolate as interpolate
    from vaelab.inference import reconstruct as reconstruct
    from vaelab.inference import sample as sample
    from vaelab.inference import swap_condition as swap_condition
    from vaelab.inference import traverse as traverse
    from vaelab.models import TwoStageConfig as TwoStageConfig
    from vaelab.models import VAEConfig as VAEConfig
    from vaelab.objectives import effective_beta as effective_beta
    from vaelab.objectives.elbo import ELBO as ELBO
    from vaelab.report import write_report as write_report
    from vaelab.runs import Run as Run
    from vaelab.runs import load as load
    from vaelab.runs import resume as resume
    from vaelab.runs import train as train
    from vaelab.runs.classify import classify as classify
    from vaelab.runs.export import write_embedding as write_embedding
    from vaelab.runs.guide import guide as guide
    from vaelab.training import Machine as Machine
    from vaelab.training import Training as Training
    from vaelab.training import Watching as Watching
    from vaelab.training.fit import fit as fit

_NAMES = {
    "vaelab": "presets",
    "vaelab.data": "Data ImageCollection Scaling Split StoredImages open_source prepare",
    "vaelab.data.feed": "Feed",
    "vaelab.data.sources.npz": "save_npz",
    "vaelab.errors": "InputError",
    "vaelab.evaluation": "Score evaluate load_classifier",
    "vaelab.experiment": "Experiment",
    "vaelab.explanation": "explain judge_of",
    "vaelab.explorer": "explore",
    "vaelab.inference": "Embedding decode_mean embed interpolate reconstruct sample swap_condition traverse",
    "vaelab.models": "TwoStageConfig VAEConfig",
    "vaelab.objectives": "effective_beta",
    "vaelab.objectives.elbo": "ELBO",
    "vaelab.report": "write_report",
    "vaelab.runs": "Run load resume train",
    "vaelab.runs.classify": "classify",
    "vaelab.runs.export": "write_embedding",
    "vaelab.runs.guide": "guide",
    "vaelab.training": "Machine Training Watching",
    "vaelab.training.fit": "fit",
}
"""Where the public names stand."""
_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}
__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used, so that `import vaelab` itself costs next to nothing."""
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version(__name__)
    if name not in _HOMES:
        raise AttributeError(f"module 'vaelab' has no attribute {name!r}")
    if _HOMES[name] == __name__:
        return importlib.import_module(f"{__name__}.{name}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return ["__version__", *__all__]
