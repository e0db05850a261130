"""Networks: tensors in, tensors out."""

from __future__ import annotations

from vaelab.networks._base import Decoder, Encoder, num_parameters
from vaelab.networks._transpose import kernels

__all__ = ["Decoder", "Encoder", "kernels", "num_parameters"]
