"""A folder of PNG frames: one file per frame, and whose they are."""

import json
from pathlib import Path

from synesthete.files import PART_SUFFIX, write_json, writing_to

__all__ = ["CLAIM_FILE", "claim_frames", "frame_file"]

CLAIM_FILE = "frames.json"
_MAX_FRAMES = 12 * 3600 * 120  # of a film of twelve hours at 120 frames a second


def frame_file(folder: Path, frame: int) -> Path:
    """Name the PNG of a frame."""
    return folder / f"frame_{frame:06d}.png"


def claim_frames(folder: Path, run_id: str, frames: int) -> None:
    """Make a folder's frames those of one run, so that another film's are never taken for them.

    Frames that the same run left are kept; other files in their places, and what a killed process of
    this run left half-written, are removed. Call it only under the run's lock.

    Parameters
    ----------
    frames
        Length of the film.

    Raises
    ------
    OutputError, RenderError
        If the folder can't be written.
    """
    claim = folder / CLAIM_FILE
    with writing_to(folder):
        owner, before = _owner(claim)
        if owner == run_id:
            leftovers = list(folder.glob(f".frame_*.png{PART_SUFFIX}"))
        else:
            leftovers = [frame_file(folder, frame) for frame in range(max(frames, before))]
        for path in leftovers:
            path.unlink(missing_ok=True)
    write_json(claim, {"run_id": run_id, "frames": frames})


def _owner(claim: Path) -> tuple[str | None, int]:
    try:
        values = json.loads(claim.read_text())
        return str(values["run_id"]), min(int(values["frames"]), _MAX_FRAMES)
    except (OSError, ValueError, KeyError, TypeError):
        return None, 0
