"""Pictures in a folder: a soft lamp of its own colour and place in each."""

from pathlib import Path

import numpy as np

from synesthete.media.images import write_png
from synesthete.seeding import generator_for

__all__ = ["lamp", "write_lamps"]


def lamp(number: int, *, wide: int = 40, high: int = 36) -> np.ndarray:
    """Draw a lamp; others have other numbers."""
    draw = generator_for(1, "test.lamp", number)
    y, x = np.mgrid[:high, :wide] / high
    light = np.exp(-((x - draw.random()) ** 2 + (y - draw.random()) ** 2) / 0.1)[:, :, None]
    return (255.0 * light * draw.uniform(0.2, 1.0, 3)).astype(np.uint8)


def write_lamps(folder: Path, count: int = 20) -> Path:
    """Write some into a folder of any kind."""
    for number in range(count):
        write_png(folder / f"lamp-{number}.png", lamp(number))
    return folder
