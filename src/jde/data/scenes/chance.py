import numpy as np


def happens(rng: np.random.Generator, share: float) -> bool:
    """Return True in a `share` of all calls."""
    return bool(rng.random() < share)
