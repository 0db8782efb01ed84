"""The pictures of docs/dataset.md and docs/stills.md: training clips as they are heard, and stills."""

from pathlib import Path

import numpy as np

from synesthete.config.data import DataConfig
from synesthete.config.stills import BUCKETS
from synesthete.media.images import contact_sheet
from synesthete.training.dataset import LiveItems
from synesthete.training.preview import clips_sheet
from synesthete.training.stills.write import read_still

__all__ = ["dataset_sheet", "stills_sheet"]

CLIPS = 8
SEED = 3
EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "stills"
STILLS = 6


def dataset_sheet() -> np.ndarray:
    """Draw eight clips, each of another song."""
    config = DataConfig(seed=SEED, style_frames=0)
    read = LiveItems(config)
    items = [item for clip in range(CLIPS) for item in read([clip * config.clips_per_song])]
    return clips_sheet(config, items)


def stills_sheet() -> np.ndarray:
    """Lay out some of the stills that ship, a row of each bucket."""
    files = [file for bucket in BUCKETS for file in sorted((EXAMPLES / bucket).glob("*.png"))[:STILLS]]
    return contact_sheet(
        [read_still(file) for file in files], columns=STILLS, labels=[file.parent.name for file in files]
    )
