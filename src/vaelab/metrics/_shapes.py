"""What the axes of the arrays are that metrics ask for."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Shaped

PerImage = Float[np.ndarray, "image"]
Codes = Float[np.ndarray, "image latent"]
Images = Float[np.ndarray, "image channel row column"]
Factors = Shaped[np.ndarray, "image factor"]
Groups = Shaped[np.ndarray, "image"]
TrainingCodes = Float[np.ndarray, "training_image latent"]
TrainingFactors = Shaped[np.ndarray, "training_image factor"]
Labels = Shaped[np.ndarray, "image"]
