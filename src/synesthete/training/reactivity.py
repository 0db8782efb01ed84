"""Measure whether clips follow their sound: each against the sounds of all the other clips."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Float64

from synesthete.evaluation.chance import compare

__all__ = ["CAUSES", "EFFECTS", "ClipDynamics", "measure_reactivity"]

CAUSES: Final = ("loudness", "bass", "mid", "treble", "onset")
"""What of the sound may explain a picture."""

EFFECTS: Final = ("brightness", "motion")
"""What of a picture may follow."""

_SILENT: Final = 0.5
_LEVEL: Final = 0.05
_LEAST_OTHERS: Final = 19  # with fewer, none can be above 95 % of them
_STILL: Final = 1e-4  # standard deviation of what doesn't change by a hundredth of a grey level
_CONSTANT: Final = 1e-3  # of sound that doesn't change by 0.06 dB


@dataclass(frozen=True)
class ClipDynamics:
    """What is heard and seen in each frame of a clip but the first, which has nothing before it.

    Attributes
    ----------
    causes
        The columns `CAUSES` of the Timeline.
    silence
        Its column.
    effects
        Mean luma, 0-1, and mean absolute difference of luma to the frame before.
    """

    causes: Float32[np.ndarray, "frames causes"]
    silence: Float32[np.ndarray, " frames"]
    effects: Float32[np.ndarray, "frames effects"]


def measure_reactivity(clips: Sequence[ClipDynamics]) -> dict[str, Any]:
    """Measure how clips follow their sound.

    Parameters
    ----------
    clips
        At least one, of one length.

    Returns
    -------
    As JSON has it:

    - ``silence``: over all frames, the mean of motion and brightness where it is silent by the mean where it
      isn't; None without both.
    - For brightness and motion, ``loudness_r``: mean correlation with the clip's own loudness, and
      ``shuffled_r`` with that of every other clip. Clips in which either never changes are left out.
    - ``explained`` and ``shuffled_explained``: mean share of its variance that the clip's own `CAUSES`
      explain by least squares, and those of others; both are far above 0 in short clips.
    - ``follows``: share of the clips whose own sound explains more than 95 % of the others' do; by chance
      it is 0.05; None with under 20 clips.
    """
    found: dict[str, Any] = {"silence": {}}
    silent = np.concatenate([clip.silence for clip in clips]) > _SILENT
    together = np.concatenate([clip.effects for clip in clips])
    for place, name in enumerate(EFFECTS):
        values = together[:, place].astype(np.float64)
        usual = values[~silent].mean() if (~silent).any() else 0.0
        found["silence"][name] = float(values[silent].mean() / usual) if silent.any() and usual > 0 else None
        found[name] = _follows(clips, place)
    return found


def _follows(clips: Sequence[ClipDynamics], place: int) -> dict[str, float | int | None]:
    bases = [_basis(clip.causes) for clip in clips]
    loud = [_standardised(clip.causes[:, 0], _CONSTANT) for clip in clips]
    changing = [clip.causes[:, 0].std() > _CONSTANT for clip in clips]
    own_r, other_r, own_share, other_share, follows = [], [], [], [], []
    for number, clip in enumerate(clips):
        effect = _standardised(clip.effects[:, place], _STILL)
        if not effect.any() or not changing[number]:
            continue
        shares = [float(np.square(basis.T @ effect).sum()) / len(effect) for basis in bases]
        related = [float(effect @ curve) / len(effect) for curve in loud]
        others = [k for k in range(len(clips)) if k != number and changing[k]]
        if not others:
            continue
        own_r.append(related[number])
        other_r.append(float(np.mean([related[k] for k in others])))
        own_share.append(shares[number])
        other_share.append(float(np.mean([shares[k] for k in others])))
        if len(others) >= _LEAST_OTHERS:
            follows.append(compare(shares[number], [shares[k] for k in others]).p <= _LEVEL)
    if not own_r:
        return {"clips": 0, **dict.fromkeys(
            ("loudness_r", "shuffled_r", "explained", "shuffled_explained", "follows")
        )}  # fmt: skip
    return {
        "clips": len(own_r),
        "loudness_r": float(np.mean(own_r)),
        "shuffled_r": float(np.mean(other_r)),
        "explained": float(np.mean(own_share)),
        "shuffled_explained": float(np.mean(other_share)),
        "follows": float(np.mean(follows)) if follows else None,
    }


def _standardised(values: Float32[np.ndarray, " frames"], least: float) -> Float64[np.ndarray, " frames"]:
    """Free values of their mean and spread; 0 where they never change."""
    wide = np.asarray(values, np.float64)
    spread = wide.std()
    return np.zeros_like(wide) if spread <= least else (wide - wide.mean()) / spread


def _basis(causes: Float32[np.ndarray, "frames causes"]) -> Float64[np.ndarray, "frames directions"]:
    """Give orthonormal directions that span what changes in the causes."""
    columns = np.stack([_standardised(column, _CONSTANT) for column in causes.T], axis=1)
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-6 * max(1.0, float(sizes[0]))])
