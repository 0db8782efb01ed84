"""What is done to finished pictures: tone curve, grain, chroma shift."""

from typing import Annotated, Literal

from pydantic import Field

from synesthete.config.base import Frozen

__all__ = ["Post", "ToneCurve"]

ToneCurve = Literal["none", "filmlog", "filmic", "soft"]


class Post(Frozen):
    """What is done to every picture before it is encoded; as it stands, nothing.

    ``tone_curve``: *filmlog* lifts shadows and rolls lights off as negative film does, *filmic* adds contrast
    and a shoulder, *soft* only the shoulder. ``grain``: film grain in the mid-tones, none in black.
    ``chroma_shift``: how much larger red is drawn than blue, a share of the picture, as simple lenses do.
    """

    tone_curve: ToneCurve = "none"
    grain: Annotated[float, Field(ge=0, le=1)] = 0.0
    chroma_shift: Annotated[float, Field(ge=0, le=0.05)] = 0.0
