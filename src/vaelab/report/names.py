"""Names of measures and of the terms of training, as a reader writes them."""

from __future__ import annotations

from typing import NamedTuple

MEASURES = {
    "elbo": "ELBO", "mse": "MSE", "mae": "MAE", "psnr": "PSNR", "ssim": "SSIM", "bits_per_dim": "Bits per dimension",
    "log_likelihood": "log p(x)", "active_units": "Active latents", "rate_per_latent": "Rate per latent",
    "fit": "Well fitted", "mutual_information": "Mutual information", "total_correlation": "Total correlation",
}  # fmt: skip


class Term(NamedTuple):
    """How the curve of a term is headed."""

    title: str
    note: str = ""
    unit: str = "nats per image"


TERMS = {
    "loss": Term("Loss", "what was minimised; lower is better"),
    "elbo": Term("ELBO", "higher is better"),
    "distortion": Term("Distortion", "minus the expected log p(x|z); lower is better"),
    "rate": Term("Rate", "KL(q(z|x) || p(z)): what the code carries"),
}
OF_PENALTIES = {
    "penalty": Term("Penalties", "their weighted sum, as it is in the loss"),
    "mutual_information": Term("Mutual information", "the critic's bound; dashed: its ceiling", "nats"),
    "total_correlation": Term("Total correlation", "dependence between the latents", "nats"),
    "factor_total_correlation": Term("Total correlation by a discriminator", "FactorVAE", "nats"),
    "dip_off_diagonal": Term("Covariances", "DIP-VAE: sum of their squares", "squared covariance"),
    "dip_diagonal": Term("Variances away from 1", "DIP-VAE: sum of squares", "squared variance"),
    "hsic": Term("HSIC", "dependence between pairs of latents", "sum over pairs"),
    "entanglement": Term("Entanglement", "mean |product| of two posterior means", "squared latents"),
    "anchor_distance": Term("Distance from the anchors", "of the chosen images' codes", "units of the latents"),
}
"""What penalties and their critics say of a batch."""
CEILING = "_ceiling"
"""Ends the name of a column that says how large the one before can be."""
BY_PART = ("The objective", "Penalties")
BY_STAGE = ("Both stages together", "First stage", "Second stage")
"""Headings of the curves, in order."""


def title_of(name: str) -> str:
    """A measure's name.

    >>> title_of("elbo"), title_of("effective_samples")
    ('ELBO', 'Effective samples')
    """
    return MEASURES.get(name) or name.replace("_", " ").capitalize()


def term_of(name: str) -> Term:
    """How the curve of a term is headed, that of a first stage as that of the second.

    >>> term_of("first_elbo").title, term_of("my_term").title
    ('ELBO', 'My term')
    """
    plain = name.removeprefix("first_")
    return TERMS.get(plain) or OF_PENALTIES.get(plain) or Term(plain.replace("_", " ").capitalize())


def grouped(names: tuple[str, ...]) -> dict[str, list[str]]:
    """Heading -> the terms below it; ceilings are drawn with what they limit. One group has no heading.

    >>> grouped(("loss", "rate", "penalty", "mutual_information", "mutual_information_ceiling"))
    {'The objective': ['loss', 'rate'], 'Penalties': ['penalty', 'mutual_information']}
    """
    two_stages = any(name.startswith("first_") for name in names)
    groups: dict[str, list[str]] = {title: [] for title in (BY_STAGE if two_stages else BY_PART)}
    for name in names:
        if not name.endswith(CEILING):
            groups[_group(name, two_stages)].append(name)
    filled = {title: group for title, group in groups.items() if group}
    return filled if len(filled) > 1 else dict(zip([""], filled.values(), strict=False))


def _group(name: str, two_stages: bool) -> str:
    if not two_stages:
        return BY_PART[name in OF_PENALTIES]
    together, first, second = BY_STAGE
    if name in ("loss", "penalty"):
        return together
    return first if name.startswith("first_") else second
