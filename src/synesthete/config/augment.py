"""How recorded music is varied for training."""

from typing import Annotated

from pydantic import AfterValidator, Field

from synesthete.config.base import Frozen

__all__ = ["AugmentConfig"]


def _rising(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError("must be the lower end, then the higher")
    return ends


Probability = Annotated[float, Field(ge=0, le=1)]
Decibels = Annotated[float, Field(ge=-60, le=24)]
Factor = Annotated[float, Field(ge=0.75, le=1.33)]
Semitones = Annotated[float, Field(ge=-6, le=6)]


class AugmentConfig(Frozen):
    """Ranges and probabilities of what is done to an excerpt of recorded music."""

    gain_db: Annotated[
        tuple[Decibels, Decibels], AfterValidator(_rising), Field(description="Gain, dB: lowest, highest.")
    ] = (-12.0, 3.0)
    eq_db: Annotated[float, Field(ge=0, le=24, description="Most that a band is raised or lowered, dB.")] = (
        6.0
    )
    eq_prob: Annotated[Probability, Field(description="How often the tone is changed.")] = 0.7
    speed: Annotated[
        tuple[Factor, Factor],
        AfterValidator(_rising),
        Field(description="Speed, as of a tape: time and pitch together; slowest, fastest."),
    ] = (0.89, 1.12)
    speed_prob: Annotated[Probability, Field(description="How often the speed is changed.")] = 0.5
    tempo: Annotated[
        tuple[Factor, Factor],
        AfterValidator(_rising),
        Field(description="Factor on the tempo alone: slowest, fastest."),
    ] = (0.85, 1.18)
    tempo_prob: Annotated[Probability, Field(description="How often the tempo alone is changed.")] = 0.25
    pitch_semitones: Annotated[
        tuple[Semitones, Semitones],
        AfterValidator(_rising),
        Field(description="Change of the pitch alone, semitones: lowest, highest."),
    ] = (-3.0, 3.0)
    pitch_prob: Annotated[Probability, Field(description="How often the pitch alone is changed.")] = 0.25
    invert_prob: Annotated[Probability, Field(description="How often the polarity is turned.")] = 0.5
    swap_prob: Annotated[Probability, Field(description="How often left and right are exchanged.")] = 0.5
    mono_prob: Annotated[Probability, Field(description="How often both channels are made the same.")] = 0.05
