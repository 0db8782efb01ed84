"""Options of ``synesthete compose``."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from synesthete.config.base import Frozen
from synesthete.seeding import MAX_SEED

__all__ = ["ComposeOptions"]


class ComposeOptions(Frozen):
    """What to compose; defaults are those of ``synesthete compose``."""

    seconds: Annotated[float, Field(ge=1, le=1800, description="Length of the song, seconds, 1 to 1800.")] = (
        60
    )
    seed: Annotated[int, Field(ge=0, le=MAX_SEED, description="Which song; another seed, another song.")] = 0
    index: Annotated[int, Field(ge=0, le=2**31, description="Which song of the seed's endless series.")] = 0
    genre: Annotated[
        str | None, Field(description="Genre, or two joined by +, such as house+jazz (default: drawn).")
    ] = None
    tempo: Annotated[
        float | None, Field(ge=60, le=200, description="Beats per minute, 60 to 200 (default: drawn).")
    ] = None
    metre: Annotated[
        int | None, Field(ge=3, le=7, description="Beats in a bar, 3 to 7 (default: drawn).")
    ] = None
    key: Annotated[
        str | None, Field(max_length=40, description="Root and scale, such as 'F# dorian' (default: drawn).")
    ] = None
    silence: Annotated[
        float, Field(ge=0, le=1, description="How likely it has silences and tracks that drop out, 0 to 1.")
    ] = 0.0
    soundfont: Annotated[
        Path | None, Field(description="Play with the voices of this General MIDI soundfont (.sf2).")
    ] = None
