"""Songs with beats, sections and silences that are known, and a generator of pictures to walk through."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from made_models import stirred
from made_timelines import quiet_timeline
from synesthete.audio.music import Music, Section
from synesthete.audio.timeline import Timeline
from synesthete.config.control import Control
from synesthete.generators.control import Signals, build_signals
from synesthete.generators.networks import GanNetwork
from synesthete.models.gan import GanGenerator, GanSpec
from synesthete.models.weights import save_weights
from synesthete.seeding import generator_for


def beaten_timeline(
    seconds: float,
    *,
    gap: float | None = 0.5,
    sections: tuple[tuple[float, str], ...] = ((0.0, "A"),),
    silences: tuple[tuple[float, float], ...] = (),
    kicks: bool = True,
    level: float | np.ndarray = 0.7,
    seed: int = 0,
) -> Timeline:
    """Make the Timeline of a song.

    Parameters
    ----------
    gap
        Seconds from beat to beat; None: there are none.
    sections
        Where they start, and what they are called.
    kicks
        Whether the beats are heard, as onsets in the bass.
    level
        Loudness, and where the bands lie about, 0-1; one number, or one every 10 ms.
    """
    ticks = round(100 * seconds)
    time_s = np.arange(ticks) / 100
    noise = generator_for(seed, "beaten").standard_normal((3, ticks))
    walk = np.array([np.convolve(row, np.hanning(80) / 40, "same") for row in noise])
    columns = {
        name: np.clip(level + 0.3 * row, 0.0, 1.0)
        for name, row in zip(("bass", "mid", "treble"), walk, strict=True)
    }
    beats: tuple[float, ...] = ()
    if gap is not None:
        beats = tuple(float(round(beat, 3)) for beat in np.arange(0.13, seconds - 0.05, gap))
        turn = 2 * np.pi * (time_s - 0.13) / gap
        columns |= {"beat_sin": np.sin(turn), "beat_cos": np.cos(turn), "tempo": np.full(ticks, 60 / gap)}
        since = np.mod(time_s - 0.13, gap)
        hit = np.exp(-since / 0.08) * (kicks and time_s >= 0.13)
        columns["beat"] = np.exp(-since / 0.2)
        columns["bass"] = np.clip(columns["bass"] - 0.2 + 0.5 * hit, 0.0, 1.0)
    onsets = beats if kicks else ()
    timeline = quiet_timeline(seconds, loudness=level, onsets=onsets, silences=silences, **columns)
    table = timeline.table.copy()
    quiet = np.asarray(timeline.column("silence")) > 0.5
    for name in ("bass", "mid", "treble", "onset", "beat"):
        table[quiet, timeline.names.index(name)] = 0.0
    ends = [*(start for start, _ in sections[1:]), seconds]
    music = Music(
        beats=beats,
        downbeats=beats[::4],
        sections=tuple(
            Section(start, end, label) for (start, label), end in zip(sections, ends, strict=True)
        ),
    )
    return replace(timeline, table=table, music=music)


def heard(timeline: Timeline, fps: int = 30, control: Control | None = None) -> Signals:
    return build_signals(timeline, control or Control(), frame_rate=Fraction(fps), seed=0)


# Networks ---------------------------------------------------------------------------------------------------

GAN_SPEC = GanSpec(latents=8, widths=(16, 8), blocks=1, style=8)


def made_gan(seed: int = 0) -> GanGenerator:
    """Make a generator of pictures that was never trained: 4 pixels to a latent."""
    generator = stirred(GanGenerator(GAN_SPEC), seed=seed)
    assert isinstance(generator, GanGenerator)
    return generator


def made_network(seed: int = 0) -> GanNetwork:
    return GanNetwork(made_gan(seed), {"weights": f"w{seed}"})


def write_walk(folder: Path, *, weights: int = 0, seed: int = 3, **look: Any) -> Path:
    """Write a preset of the generator gan, and its weights beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(folder / "gan.safetensors", made_gan(weights), {"steps": 0})
    values = {
        "summary": "A network that was never trained",
        "generator": "gan",
        "seed": seed,
        "gan": {"weights": "gan.safetensors", "anchors": 6, **look},
    }
    path = folder / "walk.yaml"
    path.write_text(yaml.safe_dump(values))
    return path
