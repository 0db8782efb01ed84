"""How a film moves through time: the shutter's angle, and what of a song is to be a loop."""

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from synesthete.clock import parse_timestamp
from synesthete.errors import ConfigError

__all__ = ["LEAST_LOOP_S", "LoopWish", "ShutterAngle"]

LEAST_LOOP_S = 1
_LOOP_FORM = "is no length of a loop; write seconds (8s, 8, 0:08), or whole if the song is a loop itself"


def _loop(value: Any) -> Any:
    if value is None:
        return None
    text = str(value).strip().lower()
    if text == "whole":
        return "whole"
    try:
        seconds = parse_timestamp(value if isinstance(value, int | float) else text.removesuffix("s").strip())
    except ConfigError:
        raise ValueError(f"{text[:40]!r} {_LOOP_FORM}") from None
    if isinstance(value, bool) or seconds < LEAST_LOOP_S:
        raise ValueError(f"a loop lasts {LEAST_LOOP_S} s or more; pass for instance 8s")
    return seconds


LoopWish = Annotated[
    Fraction | Literal["whole"], BeforeValidator(_loop), PlainSerializer(str, when_used="json")
]
"""How long a loop is to be, seconds; ``whole`` takes all of a song that is a loop itself."""


def _angle(value: Any) -> Any:
    return Fraction(str(value)) if isinstance(value, float) else value


ShutterAngle = Annotated[
    Fraction, BeforeValidator(_angle), Field(ge=0, le=360), PlainSerializer(float, when_used="json")
]
"""How long a frame is exposed, degrees of the time from one frame to the next; 0 is an instant."""
