"""The picture of docs/dataset.md: training clips, with what is heard in them."""

import numpy as np

from synesthete.config.data import DataConfig
from synesthete.training.dataset import LiveItems
from synesthete.training.preview import clips_sheet

__all__ = ["dataset_sheet"]

CLIPS = 8
SEED = 3


def dataset_sheet() -> np.ndarray:
    """Draw eight clips, each of another song."""
    config = DataConfig(seed=SEED, style_frames=0)
    read = LiveItems(config)
    items = [item for clip in range(CLIPS) for item in read([clip * config.clips_per_song])]
    return clips_sheet(config, items)
