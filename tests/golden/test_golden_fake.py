"""Small pictures, one grey level of tolerance; ``make golden`` accepts what is drawn now."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from synesthete.generators.base import FakeGenerator, Size
from synesthete.generators.control import Signals
from synesthete.generators.quantise import Quantiser


def test_a_disc_dithered_and_quantised(golden: Callable[[str, np.ndarray], None]) -> None:
    generator, size = FakeGenerator("energy"), Size(64, 36)
    signals = Signals(Fraction(30), {"energy": np.array([0.5])})
    picture = next(generator.frames(generator.score(signals, np.zeros((1, 4)), 0), 0, 1, size))
    golden("fake-generator", Quantiser(size).rgb8(picture).numpy())
