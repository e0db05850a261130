"""Makes the pictures of the reference pages of models, priors, penalties, bounds and critics, from real runs.

``python docs/make_family_pictures.py`` takes some minutes on two cores. All runs learn scikit-learn's 8x8 digits; the
pictures of bounds and critics are drawn from the last calibration in ``benchmarks/results/mutual_information.json``.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from torch.distributions import MixtureSameFamily

import vaelab
from vaelab.bounds.info_nce import InfoNCE
from vaelab.metrics.total_correlation import total_correlation
from vaelab.models import TwoStageConfig, local_randomness
from vaelab.networks.mlp import MLPEncoder
from vaelab.networks.residual import ResidualDecoder, ResidualEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.objectives.importance_weighted import ImportanceWeighted
from vaelab.objectives.two_stage import TwoStageObjective
from vaelab.penalties import Penalty
from vaelab.penalties.dip import DIP
from vaelab.penalties.entanglement import Entanglement
from vaelab.penalties.factor import Factor
from vaelab.penalties.guidance import Guidance
from vaelab.penalties.hsic import HSIC
from vaelab.penalties.mutual_information import MutualInformation
from vaelab.penalties.total_correlation import TotalCorrelation
from vaelab.plots import image_grid, picture_png
from vaelab.plots.style import FIRST, INK, MUTED, PALETTE, SECOND, styled
from vaelab.priors.mixture import MixturePrior
from vaelab.priors.vamp import VampPrior
from vaelab.runs.guide import guide

FOLDER = Path(__file__).parent / "images"
CALIBRATION = Path(__file__).parents[1] / "benchmarks" / "results" / "mutual_information.json"
SIDE = 6
"""Screen pixels of one pixel of a digit."""
PENALTIES: dict[str, tuple[Penalty, ...]] = {
    "none": (),
    "total_correlation 5": (TotalCorrelation(weight=5.0),),
    "factor 10": (Factor(weight=10.0, hidden=(256,) * 4),),
    "dip I 10": (DIP(variant="I", weight=10.0),),
    "hsic 300": (HSIC(weight=300.0),),
    "entanglement 1": (Entanglement(weight=1.0),),
}


class Studio:
    """Trains digits in many ways, each in a folder of its own."""

    def __init__(self, place: Path):
        self.place, self.base = place, vaelab.presets.digits()
        self.count = 0

    def run(self, epochs: float = 60, **changes: object) -> vaelab.Run:
        """The preset with parts replaced: model, objective, data or single fields of the model."""
        parts = {name: changes.pop(name) for name in ("model", "objective", "data") if name in changes}
        parts = {"model": replace(self.base.model, **changes), **parts}
        training = replace(self.base.training, num_epochs=epochs)
        self.count += 1
        experiment = replace(self.base, training=training, watching=vaelab.Watching(log_every=20), **parts)
        return vaelab.train(experiment, self.place / f"{self.count}", progress=False)


def save_images(name: str, rows: Sequence[np.ndarray]) -> None:
    """Rows of digits, (image, channel, height, width) in [0, 1], as a grid."""
    grey = np.concatenate(rows)[:, 0].clip(0, 1)
    big = (255 * grey).astype(np.uint8).repeat(SIDE, 1).repeat(SIDE, 2)
    sheet = image_grid(np.repeat(big[..., None], 3, -1), len(rows[0]))
    solid = np.where(sheet[..., 3:] == 255, sheet[..., :3], 255).astype(np.uint8) if sheet.shape[-1] == 4 else sheet
    (FOLDER / f"{name}.png").write_bytes(picture_png(solid))


def save_figure(name: str, sheet: Figure) -> None:
    """A chart."""
    sheet.savefig(FOLDER / f"{name}.png", dpi=110, facecolor="white", bbox_inches="tight")


@styled
def panels(count: int, width: float = 2.6, height: float = 2.5, columns: int = 6) -> tuple[Figure, list]:
    """A figure with so many axes beside each other."""
    columns = min(columns, count)
    lines = -(-count // columns)
    sheet = Figure(figsize=(width * columns, height * lines), layout="constrained")
    return sheet, list(np.atleast_1d(sheet.subplots(lines, columns)).flat)


def two_stages(studio: Studio) -> None:
    """Above the image, in the middle what the first stage keeps of it, below what the second does."""
    first = replace(studio.base.model, latent_dim=12)
    second = replace(studio.base.model, latent_dim=2, encoder=MLPEncoder(hidden=(64,)))
    run = studio.run(model=TwoStageConfig(first=first, second=second), objective=TwoStageObjective())
    x = run.feed(run.splits.test[:16])
    save_images("two_stage", [x.numpy(), *(vaelab.reconstruct(model, x) for model in run.model.stages().values())])


def conditions(studio: Studio) -> None:
    """Each row an image (left), and what it would look like as each of the ten digits."""
    run = studio.run(data=replace(studio.base.data, condition=("label:category",)))
    rows = run.splits.test[:8]
    x = run.feed(rows)
    others = [vaelab.swap_condition(run.given(rows), run.under({"label": digit}), x) for digit in range(10)]
    table = np.stack([x.numpy(), *others], 1)
    save_images("conditions", list(table))


def noise_latents(studio: Studio) -> None:
    """Each row one code under different noise."""
    run = studio.run(latent_dim=6, noise_latents=3)
    codes = torch.from_numpy(vaelab.embed(run.model, run.feed(run.splits.test[:4])).loc)
    with local_randomness(0, torch.device("cpu")), torch.no_grad():
        z = codes[:, None].repeat(1, 12, 1)
        z[..., 3:] = torch.randn(4, 12, 3)
        drawn = run.model.decode(z.flatten(0, 1)).mean.numpy()
    save_images("noise_latents", list(drawn.reshape(4, 12, *drawn.shape[1:])))


def learned_priors(studio: Studio) -> None:
    """Each row samples of one component; and the learnt images of a VampPrior above samples from it."""
    run = studio.run(120, prior=MixturePrior(num_components=10), objective=ELBO(autoencoder_steps=600))
    with local_randomness(0, torch.device("cpu")), torch.no_grad():
        prior = run.model.prior
        assert isinstance(prior, MixtureSameFamily)
        z = prior.component_distribution.sample(torch.Size([16]))
        drawn = run.model.decode(z.flatten(0, 1)).mean.numpy().reshape(16, 10, 1, 8, 8)
    save_images("mixture", list(drawn.swapaxes(0, 1)))
    run = studio.run(prior=VampPrior(num_components=32))
    held = next(p for name, p in run.model.named_parameters() if p.shape[1:] == (1, 8, 8))
    save_images(
        "vamp", [held.detach().numpy()[:16], held.detach().numpy()[16:], *_halves(vaelab.sample(run.model, 32))]
    )


def _halves(images: np.ndarray) -> list[np.ndarray]:
    return [images[:16], images[16:]]


def residual(studio: Studio) -> None:
    """Images above their reconstructions by residual networks."""
    run = studio.run(30, encoder=ResidualEncoder(widths=(32, 64)), decoder=ResidualDecoder(widths=(64, 32)))
    x = run.feed(run.splits.test[:16])
    save_images("residual", [x.numpy(), vaelab.reconstruct(run.model, x)])


@styled
def penalties(studio: Studio) -> None:
    """The covariance of the latents' means on held-out images, and their total correlation, with each penalty."""
    sheet, axes = panels(len(PENALTIES), columns=6)
    for ax, (name, parts) in zip(axes, PENALTIES.items(), strict=True):
        run = studio.run(latent_dim=6, objective=ELBO(penalties=parts))
        codes = vaelab.embed(run.model, run.feed(run.splits.test))
        value = total_correlation(codes.loc, codes.scale)[0].value
        ax.imshow(np.abs(np.cov(codes.loc.T)), cmap="Blues", vmin=0, vmax=1)
        ax.set_title(f"{name}\ntotal correlation {value:.2f} nats", fontsize=10, color=INK)
        ax.set(xticks=[], yticks=[])
        ax.grid(visible=False)
    save_figure("penalties", sheet)


@styled
def information(studio: Studio) -> None:
    """The mutual information in the log of two InfoMax trainings, with its ceiling."""
    sheet, axes = panels(2, width=4.2, height=2.6)
    for ax, (name, part) in zip(
        axes,
        {"info_nce": MutualInformation(bound=InfoNCE()), "interpolated": MutualInformation()}.items(),
        strict=True,
    ):
        log = studio.run(objective=ELBO(penalties=(part,))).metrics()
        log = log[log["split"] == "train"]
        ax.plot(log["step"], log["mutual_information"], color=FIRST)
        ax.plot(log["step"], log["mutual_information_ceiling"], color=SECOND, linestyle="--")
        ax.annotate("ceiling", (0, log["mutual_information_ceiling"].iloc[0]), xytext=(4, -12),
                    textcoords="offset points", color=MUTED)  # fmt: skip
        ax.set(title=name, xlabel="step", ylabel="nats", ylim=(0, None))
    save_figure("information", sheet)


@styled
def guidance(studio: Studio) -> None:
    """The codes before and after six images were given places, a ring by digit."""
    run = studio.run(latent_dim=2)
    labels = np.asarray(run.dataset.collection.table["label"])
    rows = [int(np.flatnonzero(labels == digit)[0]) for digit in range(6)]
    angles = [np.pi * digit / 3 for digit in range(6)]
    places = tuple((float(3 * np.cos(a)), float(3 * np.sin(a))) for a in angles)
    wish = Guidance(weight=10.0, rows=tuple(rows), anchors=places)
    done = guide(run, wish, studio.place / "guided", num_steps=800, learning_rate=1e-3, progress=False)
    sheet, axes = panels(2, width=3.6, height=3.4)
    test = run.splits.test
    for ax, each, title in zip(axes, (run, done.run), ("before", "after"), strict=True):
        loc = vaelab.embed(each.model, each.feed(test)).loc
        ax.scatter(*loc.T, c=[PALETTE[label] for label in labels[test]], s=6, linewidths=0)
        mine = vaelab.embed(each.model, each.feed(np.array(rows))).loc
        for (x, y), place, digit in zip(mine, places, range(6), strict=True):
            ax.plot([x, place[0]], [y, place[1]], color=MUTED, linewidth=0.8)
            ax.plot(*place, marker="o", markersize=9, color=PALETTE[digit], markeredgecolor=INK)
        ax.set(title=title, xlabel="z0", ylabel="z1")
    save_figure("guidance", sheet)


@styled
def importance(studio: Studio) -> None:
    """The bound that each objective raises, on held-out images, as training goes."""
    sheet, (ax,) = panels(1, width=5, height=3)
    for k, colour in zip((1, 5, 50), (SECOND, PALETTE[0], FIRST), strict=True):
        log = studio.run(40, objective=ImportanceWeighted(num_samples=k)).metrics()
        log = log[log["split"] == "validation"]
        ax.plot(log["step"], log["importance_bound"], color=colour)
        end, up = (log["step"].iloc[-1], log["importance_bound"].iloc[-1]), {50: 4, 5: -4}.get(k, 0)
        ax.annotate(f"K = {k}", end, xytext=(4, up), textcoords="offset points", color=colour, va="center",
                    annotation_clip=False)  # fmt: skip
    ax.set(xlabel="step", ylabel="bound of log p(x), nats per image", ylim=(100, None))
    save_figure("importance_weighted", sheet)


@styled
def calibration(studio: Studio) -> None:
    """What each bound says of Gaussians whose mutual information is known, with each critic."""
    rows = json.loads(CALIBRATION.read_text())[-1]["rows"]
    pairs = sorted({(row["critic"], row["bound"]) for row in rows})
    sheet, axes = panels(len(pairs), width=2.3, height=2.3, columns=5)
    for ax in axes[len(pairs) :]:
        ax.set_visible(False)
    for ax, (critic, bound) in zip(axes, pairs, strict=False):
        mine = [row for row in rows if (row["critic"], row["bound"]) == (critic, bound)]
        true = np.array([row["truth"] for row in mine])
        found = true + np.array([row["bias"] for row in mine])
        ax.plot(true, true, color=SECOND, linestyle="--", linewidth=1)
        ax.errorbar(
            true, found, yerr=[row["std"] for row in mine], color=FIRST, marker="o", markersize=4, linewidth=1.5
        )
        ax.set(title=f"{bound}\n{critic}", xlim=(0, 11), ylim=(0, 12), xticks=[0, 5, 10], yticks=[0, 5, 10])
    sheet.supxlabel("true mutual information, nats", fontsize=11, color=MUTED)
    sheet.supylabel("estimate, nats", fontsize=11, color=MUTED)
    save_figure("bounds", sheet)


def main() -> None:
    """Trains and writes ``docs/images/*.png``."""
    pictures: list[Callable[[Studio], None]] = [
        calibration, two_stages, conditions, noise_latents, learned_priors, residual, penalties, information, guidance,
        importance,
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        for draw in pictures:
            (Path(place) / draw.__name__).mkdir()
            draw(Studio(Path(place) / draw.__name__))
            print(draw.__name__)


if __name__ == "__main__":
    main()
