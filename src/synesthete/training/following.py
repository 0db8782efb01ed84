"""Whether drawn clips follow the music as the programs do that taught them: the same change, both changed.

Every clip is drawn again with the same noise and the same style to other music: another song, a silence
spliced in, a band muted. What that does to the programs' own pictures is the measure.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.audio.analysis import analyse_songs
from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_SAMPLE_RATE, samples_at
from synesthete.evaluation.music_changes import muted_band
from synesthete.training.auxiliary import looks
from synesthete.training.diffusion_probes import correlation
from synesthete.training.drawer import Drawer, Frames, Teacher
from synesthete.training.plan import ClipPlan
from synesthete.training.songs import Song, SongSource

__all__ = [
    "BANDS",
    "Bands",
    "Change",
    "Following",
    "Pair",
    "another_song",
    "draw_under",
    "over",
    "spliced_silence",
    "without_bands",
]

BANDS: Final = {"low": range(0, 3), "middle": range(3, 6), "high": range(6, 8)}
"""Which of the Timeline's eight bands each holds: those of its columns bass, mid and treble."""

_AROUND_S: Final = 0.5
_LOUD: Final = 0.1
_LEAST: Final = 1e-6
_UNMOVED: Final = 0.02
_LOOKS: Final = ("brightness", "contrast", "saturation")

Change = tuple[ClipPlan, SongSource | None]
"""What a clip is drawn to: its plan, and songs that may be altered."""


class Pair(NamedTuple):
    """A clip by its program, and by the model."""

    true: Frames
    drawn: Frames


def another_song(plan: ClipPlan) -> Change:
    """Take the same moment of the next song."""
    return plan._replace(song=plan.song + 1), None


def spliced_silence(teacher: Teacher, plan: ClipPlan) -> Change:
    """Cut out of the sound all of a clip, and half a second on each side."""
    config = teacher.config
    start = plan.first_frame / config.rate - _AROUND_S
    stop = (plan.first_frame + config.clip_frames) / config.rate + _AROUND_S
    first, last = (samples_at(moment, ANALYSIS_SAMPLE_RATE) for moment in (start, stop))

    def change(song: Song) -> Timeline:
        sound = song.sound.copy()
        sound[:, max(0, first) : last] = 0.0
        return analyse_songs(torch.from_numpy(sound)[None])[0]

    return plan, teacher.songs.altered(change)


def without_bands(teacher: Teacher, plan: ClipPlan, bands: Sequence[int]) -> Change:
    """Mute bands; see `synesthete.evaluation.music_changes.muted_band`."""

    def change(song: Song) -> Timeline:
        timeline = song.timeline
        for band in bands:
            timeline = muted_band(band).timeline(timeline)
        return timeline

    return plan, teacher.songs.altered(change)


def draw_under(
    drawer: Drawer, teacher: Teacher, plan: ClipPlan, changes: Mapping[str, Change]
) -> tuple[dict[str, Pair], Float[Tensor, " frames"]]:
    """Draw a clip, and the same to changed music, all with one noise and one style.

    Parameters
    ----------
    plan
        Its number decides the noise; the style is read from other frames of its program.

    Returns
    -------
    The pairs by the changes' names, unchanged ones as ``own``; and how silent the unchanged music is.
    """
    clips = {"own": teacher.clip(plan)}
    clips |= {name: teacher.clip(*change) for name, change in changes.items()}
    style = drawer.read_style(teacher.shown(plan)).expand(len(clips), -1)
    drawn = drawer.draw([clip.rows for clip in clips.values()], style, [plan.number] * len(clips))
    pairs = {name: Pair(clip.frames, own) for (name, clip), own in zip(clips.items(), drawn, strict=True)}
    return pairs, clips["own"].silence


class Following:
    """Keeps account of clips, and of the same to another song and in silence."""

    def __init__(self) -> None:
        self._apart: list[Tensor] = []
        self._level: list[Tensor] = []
        self._looks: list[Tensor] = []
        self._motion: list[Tensor] = []
        self._resting: list[Tensor] = []
        self._loud: list[Tensor] = []

    def add(self, pairs: Mapping[str, Pair], silence: Float[Tensor, " frames"]) -> None:
        """Look at a clip.

        Parameters
        ----------
        pairs
            ``own``, ``other`` and perhaps ``silence``.
        silence
            Of the unchanged music, at each frame.
        """
        own, other = pairs["own"], pairs["other"]
        self._apart.append(_each(own, other, _apart))
        self._level.append(torch.stack([clip.mean() for clip in own]))
        self._looks.append(torch.stack([looks(clip) for clip in own]))
        moved = torch.stack([_motion(clip) for clip in own])
        self._motion.append(moved)
        self._loud.append(moved[:, (silence[1:] < _LOUD) & (silence[:-1] < _LOUD)])
        if "silence" in pairs:
            self._resting.append(torch.stack([_motion(clip) for clip in pairs["silence"]]))

    def figures(self) -> dict[str, Any]:
        """Give what was found, as JSON has it.

        Returns
        -------
        ``shuffle``: mean absolute change under another song over the mean of what is drawn, of the
        ``teacher``, of the ``model``, and ``of_teacher``, one over the other. ``brightness``: correlation of
        the model's with the teacher's, ``r`` over all frames, ``within_r`` with the means of clips taken
        out. ``look``: brightness, contrast, saturation and motion over the teacher's. ``silence``: motion in
        spliced silence over motion in loud music, of both. What can't be told is None.
        """
        level = torch.stack(self._level).sum(dim=0)
        gaps = torch.stack(self._apart).sum(dim=0)
        shuffles = [over(gap, whole) for gap, whole in zip(gaps.tolist(), level.tolist(), strict=True)]
        seen = torch.stack(self._looks, dim=1)
        light = seen[..., 0]
        within = light - light.mean(dim=2, keepdim=True)
        means = seen.mean(dim=(1, 2))
        moved = torch.stack(self._motion, dim=1).mean(dim=(1, 2))
        ratios = {
            name: over(float(means[1, place]), float(means[0, place])) for place, name in enumerate(_LOOKS)
        }
        return {
            "clips": light.shape[1],
            "shuffle": {
                "teacher": shuffles[0], "model": shuffles[1], "of_teacher": over(shuffles[1], shuffles[0]),
            },
            "brightness": {
                "r": float(correlation(light[1], light[0])),
                "within_r": float(correlation(within[1], within[0])),
            },
            "look": {**ratios, "motion": over(float(moved[1]), float(moved[0]))},
            "silence": self._silence(),
        }  # fmt: skip

    def _silence(self) -> dict[str, float | None]:
        loud = torch.cat(self._loud, dim=1)
        if not self._resting or not loud.shape[1]:
            return {"teacher": None, "model": None}
        resting = torch.cat(self._resting, dim=1).mean(dim=1).tolist()
        teacher, model = (
            over(rest, loud_one) for rest, loud_one in zip(resting, loud.mean(dim=1).tolist(), strict=True)
        )
        return {"teacher": teacher, "model": model}


class Bands:
    """Keeps account of what muting bands does to programs that answer them."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], list[Tensor]] = defaultdict(list)
        self._places: dict[str, list[Tensor]] = defaultdict(list)

    def add(self, program: str, pairs: Mapping[str, Pair]) -> None:
        """Look at a clip of a reactive program: ``own``, and without each of `BANDS`."""
        for band in BANDS:
            true, drawn = (own - other for own, other in zip(pairs["own"], pairs[band], strict=True))
            self._sums[program, band].append(
                torch.stack(
                    [true.abs().mean(), drawn.abs().mean(), (true * drawn).mean(), true.square().mean(),
                     drawn.square().mean(), *(clip.mean() for clip in pairs["own"])]
                )
            )  # fmt: skip
            if program == "bands":
                self._places[band].append(torch.stack([_thirds(change) for change in (true, drawn)]))

    def figures(self) -> dict[str, Any]:
        """Give what was found, as JSON has it.

        Returns
        -------
        ``programs``: by program and band, ``teacher`` and ``model``: mean absolute change over the mean of
        what is drawn; ``agrees``: correlation of both changes, pixel by pixel, None where the teacher's is
        under 0.02. ``size_r``: correlation of the model's changes with the teacher's over programs and
        bands; ``agrees``: mean of all. ``places``: of the program ``bands``, whose bass is on the left, mid
        in the middle and treble on the right: the share of the change that falls where it should, by third
        parts of the picture; evenly spread it is a third.
        """
        found: dict[str, dict[str, Any]] = defaultdict(dict)
        for (program, band), parts in self._sums.items():
            true, drawn, both, true_power, power, true_level, level = torch.stack(parts).sum(dim=0).tolist()
            gaps = over(true, true_level), over(drawn, level)
            told = gaps[0] is not None and gaps[0] >= _UNMOVED
            agrees = over(both, (true_power * power) ** 0.5) or 0.0 if told else None
            found[program][band] = {"teacher": gaps[0], "model": gaps[1], "agrees": agrees}
        every = [one for program in found.values() for one in program.values()]
        agreed = [one["agrees"] for one in every if one["agrees"] is not None]
        sizes = torch.tensor([[one[who] or 0.0 for one in every] for who in ("teacher", "model")])
        return {
            "programs": dict(found),
            "size_r": float(correlation(sizes[0], sizes[1])) if len(every) > 1 else None,
            "agrees": sum(agreed) / len(agreed) if agreed else None,
            "places": self._where(),
        }

    def _where(self) -> dict[str, dict[str, float | None]]:
        found = {}
        for place, (band, parts) in enumerate(self._places.items()):
            sums = torch.stack(parts).sum(dim=0)
            shares = [over(float(thirds[place]), float(thirds.sum())) for thirds in sums]
            found[band] = dict(zip(("teacher", "model"), shares, strict=True))
        return found


def over(part: float | None, whole: float | None) -> float | None:
    """Divide; None where there is nothing to divide, or by."""
    return None if part is None or whole is None or whole < _LEAST else part / whole


def _each(own: Pair, other: Pair, measure: Callable[[Tensor, Tensor], Tensor]) -> Float[Tensor, " both"]:
    return torch.stack([measure(a, b) for a, b in zip(own, other, strict=True)])


def _apart(one: Tensor, other: Tensor) -> Float[Tensor, ""]:
    return (one - other).abs().mean()


def _motion(clip: Frames) -> Float[Tensor, " steps"]:
    return clip.diff(dim=0).abs().mean(dim=(1, 2, 3))


def _thirds(change: Frames) -> Float[Tensor, " thirds"]:
    """Add up a change in the left, the middle and the right third of pictures."""
    columns = change.abs().mean(dim=(0, 1, 2))
    return torch.stack([part.sum() for part in columns.tensor_split(3)])
