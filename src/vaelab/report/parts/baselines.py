"""The errors of the reconstructions beside those of trivial models."""

from __future__ import annotations

from markupsafe import Markup

from vaelab.report.html import html
from vaelab.report.look import Look
from vaelab.report.parts import Arrays, Part
from vaelab.report.scores import Table, chosen, error_table


class Baselines(Part):
    """What trivial models score on the same images."""

    section = "good"
    order = 30
    title = "Reconstruction, beside trivial models"
    only_for = "runs with two training images or more"

    def applies(self, look: Look) -> bool:
        """See Part."""
        return any(score.model for score in look.measured().scores)

    def html(self, look: Look, arrays: Arrays) -> Markup:
        """See Part."""
        return html(
            """{{ errors }}
            {{ note("PCA has as many components as the model has latents (%s) and reconstructs with the least squared"
            " error a linear code can have on its training images; the mean image ignores the code. A model that"
            " doesn't beat PCA has learnt little that is not linear, or spends its code otherwise." % latent_dim) }}""",
            errors=error_table("Model", _rows(look)), latent_dim=look.latent_dim,
        )  # fmt: skip


def _rows(look: Look) -> Table:
    scores = look.measured().scores
    models = list(dict.fromkeys(score.model for score in scores if score.model))
    found = {model: {score.metric: score for score in chosen(scores, model=model)} for model in models}
    shown = next(iter(found.values()))
    own = {score.metric: score for score in chosen(scores) if score.metric in shown}
    return {"This model": own, **found}
