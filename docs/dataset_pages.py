"""The pictures of docs/dataset.md and docs/stills.md: training clips as they are heard, and stills."""

import numpy as np

from synesthete.config.data import DataConfig
from synesthete.media.images import contact_sheet
from synesthete.training.dataset import LiveItems
from synesthete.training.preview import clips_sheet
from synesthete.training.stills.sources import ProgramSource

__all__ = ["dataset_sheet", "stills_sheet"]

CLIPS = 8
SEED = 3
STILLS = 4
STILL_SIZE = 256


def dataset_sheet() -> np.ndarray:
    """Draw eight clips, each of another song."""
    config = DataConfig(seed=SEED, style_frames=0)
    read = LiveItems(config)
    items = [item for clip in range(CLIPS) for item in read([clip * config.clips_per_song])]
    return clips_sheet(config, items)


def stills_sheet() -> np.ndarray:
    """Draw the first four stills of each bucket."""
    source = ProgramSource(SEED, STILL_SIZE)
    names = [bucket for bucket in source.buckets for _ in range(STILLS)]
    pictures = [source.draw(bucket, place % STILLS).picture for place, bucket in enumerate(names)]
    return contact_sheet(pictures, columns=STILLS, labels=names)
