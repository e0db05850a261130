"""What the axes of the arrays are that metrics ask for."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped, UInt16

PerImage = Float[np.ndarray, "image"]
Codes = Float[np.ndarray, "image latent"]
Images = Float[np.ndarray, "image channel row column"]
Steps = Float[np.ndarray, "image target"]
StepCodes = Float[np.ndarray, "image target latent"]
StepFeatures = Float[np.ndarray, "image target feature"]
PerChannel = Float[np.ndarray, "image channel"]
ReplacedClasses = Int[np.ndarray, "image 2 step"]
Replaced = Float[np.ndarray, "image 2 step"]
Ranks = UInt16[np.ndarray, "drawn_image neighbour 2"]
Mask = Bool[np.ndarray, "image"]
Moves = Float[np.ndarray, "drawn_image latent channel"]
Regions = Bool[np.ndarray, "image region"]
Pixels = Float[np.ndarray, "drawn_image pixel"]
Factors = Shaped[np.ndarray, "image factor"]
Groups = Shaped[np.ndarray, "image"]
TrainingCodes = Float[np.ndarray, "training_image latent"]
TrainingFactors = Shaped[np.ndarray, "training_image factor"]
Labels = Shaped[np.ndarray, "image"]
Features = Float[np.ndarray, "image feature"]
Classes = Int[np.ndarray, "image"]
Probabilities = Float[np.ndarray, "image class"]
Numbers = Shaped[np.ndarray, "image"]
