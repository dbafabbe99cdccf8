"""The unit strains of Voigt's order in Mandel's scaling."""

import numpy as np
from jaxtyping import Float

PAIRS = {2: ((0, 0), (1, 1), (0, 1)), 3: ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))}


def unit_strains(dim: int) -> Float[np.ndarray, "s d d"]:
    """E_l, orthonormal, l = 1..d(d+1)/2: 11, 22, 12 or 11, 22, 33, 23, 13, 12, with 1/√2 in both places of a shear."""
    found = np.zeros((len(PAIRS[dim]), dim, dim))
    for strain, (i, j) in zip(found, PAIRS[dim], strict=True):
        strain[i, j] = strain[j, i] = 1.0 if i == j else 0.5**0.5
    return found
