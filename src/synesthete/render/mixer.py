"""Play the voices of a Schedule: one is drawn where one is seen, several are added up in linear light.

The Trajectories of all voices travel as one, so that whatever stores, hashes or previews a Trajectory does so
for scenes too.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.audio.timeline import Timeline
from synesthete.config.render import RenderOptions
from synesthete.generators.base import Painter, Size, Trajectory
from synesthete.generators.build import build_generator, score_preset
from synesthete.generators.fuse import Fuser
from synesthete.generators.periodic import Period
from synesthete.render.schedule import Voice

__all__ = ["Mixer", "joined", "score_voices"]


def score_voices(
    voices: Sequence[Voice],
    weights: Float[np.ndarray, "frames voices"],
    timeline: Timeline,
    options: RenderOptions,
    fuser: Fuser,
    period: Period | None = None,
) -> tuple[Painter, Trajectory]:
    """Plan every voice over the whole song; give what draws them, and the Trajectory that it draws.

    Parameters
    ----------
    voices, weights
        At the moments of `synesthete.clock.film_clock`, of the options' frame rate and shutter.
    period
        The round of a loop, if the song is one.
    """
    # Each its own: a generator is prepared for one Trajectory.
    painters = [build_generator(voice.preset, options, fuser) for voice in voices]
    parts = [
        score_preset(
            voice.preset,
            painter,
            timeline,
            frame_rate=options.fps,
            style=voice.style,
            shutter=options.shutter,
            period=period,
        )
        for voice, painter in zip(voices, painters, strict=True)
    ]
    return (painters[0], parts[0]) if len(parts) == 1 else (Mixer(painters), joined(parts, weights))


def joined(parts: Sequence[Trajectory], weights: Float[np.ndarray, "frames voices"]) -> Trajectory:
    """Make one Trajectory of those of several voices, and of how much of each is seen."""
    columns = [f"weight.{voice}" for voice in range(len(parts))]
    tables: dict[str, np.ndarray[Any, Any]] = {}
    heads = []
    for voice, part in enumerate(parts):
        columns += [f"{voice}.{name}" for name in part.columns]
        names = {name: _kept(tables, name, table, voice) for name, table in part.tables.items()}
        heads.append({"columns": len(part.columns), "fixed": dict(part.fixed), "tables": names})
    rows = np.concatenate([weights.astype(np.float32), *(part.rows for part in parts)], 1)
    return Trajectory(rows, tuple(columns), {"voices": heads}, tables)


def _kept(tables: dict[str, np.ndarray[Any, Any]], name: str, table: np.ndarray[Any, Any], voice: int) -> str:
    """Keep a table under a name; what several voices look at, such as the sound, is kept once."""
    for key, known in tables.items():
        if key.partition(".")[2] == name and (known is table or np.array_equal(known, table)):
            return key
    tables[f"{voice}.{name}"] = table
    return f"{voice}.{name}"


class Mixer:
    """Draws the voices of a Trajectory that `joined` made.

    Parameters
    ----------
    painters
        What draws each voice.
    """

    def __init__(self, painters: Sequence[Painter]) -> None:
        self._painters = painters

    def prepare(self, trajectory: Trajectory, size: Size) -> str:
        """Prepare every painter, and name the numeric paths; see `Painter.prepare`."""
        paths = [
            painter.prepare(part, size)
            for painter, part in zip(self._painters, _parts(trajectory), strict=True)
        ]
        fused = all(path.startswith("fused") for path in paths)
        return "+".join([*([] if fused else ["eager"]), *dict.fromkeys(paths)])

    def frames(
        self, trajectory: Trajectory, start: int, stop: int, size: Size
    ) -> Iterator[Float[Tensor, "3 height width"]]:
        """Draw frames ``start`` to ``stop`` (exclusive): display RGB, 0-1; see `Painter.frames`."""
        parts = _parts(trajectory)
        weights = np.array(trajectory.rows[start:stop, : len(parts)])
        for seen, run in groupby(range(start, stop), key=lambda frame: tuple(weights[frame - start] > 0)):
            frames = list(run)
            voices = [voice for voice, is_seen in enumerate(seen) if is_seen]
            drawn = [
                self._painters[voice].frames(parts[voice], frames[0], frames[-1] + 1, size)
                for voice in voices
            ]
            if len(drawn) == 1:
                yield from drawn[0]
                continue
            for frame, pictures in zip(frames, zip(*drawn, strict=True), strict=True):
                shares = weights[frame - start, voices]
                yield _mixed(pictures, [float(share) for share in shares])


def _mixed(pictures: Sequence[Tensor], shares: Sequence[float]) -> Float[Tensor, "3 height width"]:
    """Add light: display values are its square roots."""
    light = sum(share * picture * picture for picture, share in zip(pictures, shares, strict=True))
    assert isinstance(light, Tensor)  # there are two pictures or more
    return torch.sqrt(light).clamp_(0.0, 1.0)


def _parts(trajectory: Trajectory) -> list[Trajectory]:
    heads: Sequence[Mapping[str, Any]] = trajectory.fixed["voices"]
    parts, first = [], len(heads)
    for head in heads:
        last = first + head["columns"]
        columns = tuple(name.partition(".")[2] for name in trajectory.columns[first:last])
        tables = {name: trajectory.tables[key] for name, key in head["tables"].items()}
        parts.append(Trajectory(trajectory.rows[:, first:last], columns, head["fixed"], tables))
        first = last
    return parts
