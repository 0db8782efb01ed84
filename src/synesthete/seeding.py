"""Every random draw is a pure function of (seed, name, index); no global generator is touched."""

import hashlib

import numpy as np

__all__ = ["MAX_SEED", "generator_for", "seed_sequence"]

MAX_SEED = 2**63 - 1


def seed_sequence(seed: int, name: str, index: int = 0) -> np.random.SeedSequence:
    """Give the seed sequence of one named draw.

    Parameters
    ----------
    seed
        The user's seed, 0 to 2**63 - 1.
    name
        What is drawn, for instance ``"cppn.weights"``; other names are independent streams.
    index
        Which item of a series, non-negative.
    """
    word = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    return np.random.SeedSequence([seed, word, index])


def generator_for(seed: int, name: str, index: int = 0) -> np.random.Generator:
    """Give a fresh NumPy generator for one named draw; the same arguments give the same numbers.

    Examples
    --------
    >>> float(generator_for(7, "wander").random()) == float(generator_for(7, "wander").random())
    True
    """
    return np.random.Generator(np.random.PCG64(seed_sequence(seed, name, index)))
