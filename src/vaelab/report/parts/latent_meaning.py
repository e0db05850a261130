"""What each latent means."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab.explanation.directions import class_directions, latent_directions, principal_directions
from vaelab.explanation.meaning import FEWEST, NEGLIGIBLE, NUM_IMAGES, Decoder, decoder_of, in_words, meaning_of
from vaelab.explanation.measured_features import measured_features
from vaelab.inference.moved import moved_to
from vaelab.plots import Tile, picture_png, pixels_of, sheet
from vaelab.plots.effects import EffectRow, effects
from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, PicturePart
from vaelab.report.pictures import strip
from vaelab.report.words import MINUS, plural

MOST_LATENTS, FEWEST_LATENTS, MOST_CLASSES, NUM_EXTREMES, SIDE = 16, 4, 10, 3, 48
"""Latents that are moved, classes, real images at either end, and CSS pixels of one."""


class LatentMeaning(PicturePart):
    """What each latent, and each class, changes in images: channels, and features of the object in them.

    Beside them stand the real images that lie lowest and highest on each, and what is drawn at both ends.
    """

    section = "varies"
    order = 35
    title = "What does each latent mean?"
    on_page = False
    only_for = "8 or more measured images"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return len(look.rows) >= FEWEST

    def compute(self, look: Look) -> Arrays:
        """See Part.

        Returns:
            directions, features: (direction,) and (feature,): their names; latents first, those that carry most.
            vectors: (direction, latent), of length 1.
            changes, low, high, shown: (direction, feature), in standard deviations of the real images; see `Meaning`.
            spread: (feature,), that deviation.
            ends: (direction, 2): between which places codes were moved.
            rows: (moved image,), in the collection.
            least, most: (direction, image): the real images that lie lowest and highest, in the collection.
            drawn: (direction, 2, channel, height, width): the mean code at both ends.
            latents: (latent,): which the first directions are.
            label: The column of the classes; empty: there are none.
        """
        return meaning_arrays(look)

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        return html(
            "{{ note(how) }}{{ chart(figure, says) }}",
            how=" ".join(how(look, arrays)), figure=figure_of(look, arrays), says=self.says(arrays),
        )  # fmt: skip

    def picture(self, look: Look, arrays: Arrays) -> bytes:
        """See PicturePart."""
        drawn = Tile(pixels_of(figure_of(look, arrays), 2))
        return picture_png(sheet([("", [drawn])], title=self.title, note="\n".join(how(look, arrays))))

    def says(self, arrays: Arrays) -> str:
        """See PicturePart."""
        features = arrays["features"].tolist()
        each = zip(arrays["directions"].tolist(), arrays["changes"], arrays["shown"], strict=True)
        return "; ".join(f"{name}: {in_words(features, changes, shown)}" for name, changes, shown in each) + "."


def meaning_arrays(look: Look, num_axes: int = 0) -> Arrays:
    """What the part computes, as it says, with so many principal axes of the codes after the latents."""
    count = look.affords(2 * FEWEST * MOST_LATENTS, 0.5, 2 * FEWEST * FEWEST_LATENTS) // (2 * FEWEST)
    latents = look.by_importance[:count]
    directions = latent_directions(look.latent_dim, latents.tolist())
    label = look.label()
    classes = _classes(look, label)
    directions |= principal_directions(look.embedding.loc, num_axes if look.latent_dim > 1 else 0) | classes
    images = look.affords(2 * NUM_IMAGES * len(directions), 0.5) // (2 * len(directions))
    found = meaning_of(
        decoder(look),
        lambda x: measured_features(x, look.channels),
        look.embedding,
        measured_features(look.x.numpy(), look.channels),
        directions,
        num_images=int(np.clip(images, FEWEST, NUM_IMAGES)),
        num_extremes=NUM_EXTREMES,
        seed=look.seed,
    )
    middle = look.embedding.loc.mean(0, keepdims=True, dtype=np.float64)
    ways = zip(found.vectors, found.ends, strict=True)
    codes = [moved_to(middle, way, place) for way, ends in ways for place in ends]
    return {
        **{name: np.array(getattr(found, name)) for name in ("directions", "features")},
        **{name: getattr(found, name) for name in ("vectors", "changes", "low", "high", "shown", "spread", "ends")},
        **{name: look.rows[getattr(found, name)] for name in ("rows", "least", "most")},
        "drawn": look.decode(look.fixed, np.concatenate(codes)).reshape(-1, 2, *look.image_shape),
        "latents": latents,
        "label": np.array(label if classes else ""),
    }


def decoder(look: Look) -> Decoder:
    """From codes, and the places of their images among those that are measured, to what the model draws."""
    return decoder_of(look.run.given(look.rows).stages()[look.stages[-1]])


def _classes(look: Look, label: str) -> dict[str, np.ndarray]:
    """Directions towards the classes; none where there is no such column, or codes don't vary."""
    codes = look.embedding.loc
    if not label or not (codes != codes[0]).any():
        return {}
    labels = look.table[label]
    if labels.isna().to_numpy().any() or not 2 <= labels.nunique() <= MOST_CLASSES:
        return {}
    return {f"{label} {name}": way for name, way in class_directions(codes, labels.to_numpy()).items()}


def figure_of(look: Look, arrays: Arrays) -> Figure:
    lowest, highest = (look.originals(np.searchsorted(look.rows, arrays[name])) for name in ("least", "most"))
    rows = [
        EffectRow(
            name=name,
            note=note_of(look, arrays, i),
            **{key: arrays[key][i] for key in ("low", "high", "shown")},
            values=arrays["changes"][i],
            pictures=[strip(look, images[i], SIDE) for images in (lowest, arrays["drawn"], highest)],
        )
        for i, name in enumerate(arrays["directions"].tolist())
    ]
    captions = ("real, lowest", "drawn: low, high", "real, highest")
    return effects(rows, arrays["features"].tolist(), captions, first=len(look.channels), upper=len(arrays["latents"]))


def note_of(look: Look, arrays: Arrays, i: int) -> str:
    """What a latent carries, or that nothing is shown of a direction."""
    if not arrays["shown"][i].any():
        return "nothing measured"
    rates, latents = look.latent_rates, arrays["latents"]
    return f"{rates[latents[i]]:.2f} nats" if rates is not None and i < len(latents) else ""


def how(look: Look, arrays: Arrays) -> list[str]:
    """In lines of words."""
    lines = [
        f"{plural(len(arrays['rows']), 'held-out image')} drawn with the code moved from the 2.5 % to the 97.5 % "
        "quantile of where codes lie, all else kept: what is measured at the upper end less at the lower, in standard "
        "deviations of the real images.",
        f"Below each number its interval, on a line from {MINUS}3 to 3 with 0 in the middle; those of a row hold "
        f"together with 95 %. Without a colour: not shown to be more than {NEGLIGIBLE}.",
    ]
    if label := arrays["label"].item():
        lines.append(f"Below the latents: the way from the other images to those of one {label}.")
    if hidden := look.latent_dim - len(arrays["latents"]):
        lines.append(f"{plural(hidden, 'latent')} that {'carries' if hidden == 1 else 'carry'} less not shown.")
    if "solidity" not in arrays["features"]:
        lines.append("Solidity is not measured without scikit-image: pip install 'vaelab[features]'.")
    return lines
