"""Tell whether a film fades, burns or tires in the course of a song: its look, minute by minute."""

from typing import Final

import numpy as np
from jaxtyping import Float64

from synesthete.errors import InputError
from synesthete.evaluation.observe import Observation
from synesthete.evaluation.picture import PictureColumns

__all__ = ["COURSES", "last_over_first", "look_courses"]

COURSES: Final = ("brightness", "contrast", "saturation", "motion")
"""What is followed."""


def look_courses(
    observation: Observation, picture: PictureColumns, *, every_s: float = 60.0
) -> dict[str, Float64[np.ndarray, " stretches"]]:
    """Give the means of `COURSES` over stretches of a film.

    Where the music of all stretches is the same, only the film can make them differ.

    Parameters
    ----------
    picture
        From `synesthete.evaluation.picture.measure_picture`.
    every_s
        Length of a stretch, seconds. What is left at the film's end is no stretch, and not looked at.

    Raises
    ------
    InputError
        If there are not two stretches.
    """
    length = round(every_s * observation.frame_rate)
    count = observation.frames // max(1, length)
    if count < 2:
        raise InputError(
            f"a film of {observation.duration_s:.1f} s has no two stretches of {every_s:g} s to compare; "
            "draw more of the song"
        )
    # Nothing comes before the first frame that it could differ from.
    motion = np.concatenate([observation.motion[1:2], observation.motion[1:]])
    columns = (picture.brightness, picture.contrast, picture.saturation, motion)
    return {
        name: np.asarray(column[: count * length].reshape(count, length).mean(axis=1, dtype=np.float64))
        for name, column in zip(COURSES, columns, strict=True)
    }


def last_over_first(course: Float64[np.ndarray, " stretches"]) -> float | None:
    """Give the last stretch over the first; None where the first has nothing.

    Examples
    --------
    >>> last_over_first(np.array([0.5, 0.3, 0.4]))
    0.8
    """
    return float(course[-1] / course[0]) if course[0] > 0 else None
