"""Measure the seams of loops: how a film's end meets its start, in picture and sound, for ten presets.

Each preset is rendered as a loop of a track, small, and the finished film is decoded. **picture** is the mean
difference of the first frame from the last, over the 95th percentile of the differences of neighbouring
frames; **sound** the same of samples (a sample's difference is the largest over channels). Up to 1 the seam
can't be told from what happens all along. **cut** is the picture's seam of the same stretch without
``--loop``: what there is to be mended. **ghost** is the mean difference of the two pictures that are mixed
halfway through the crossfade, in grey levels of 255: 0 where signals and turns came round by themselves, and
nothing is mixed at all.

Usage: ``python benchmarks/loops.py --music FOLDER [--tracks A,B] [--presets A,B] [--loop 8s] [--shutter 0]``
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from synesthete.audio.timeline import Timeline
from synesthete.config.render import RenderOptions
from synesthete.generators.build import build_fuser
from synesthete.media.decode import decode_sound
from synesthete.media.mux import iterate_frames
from synesthete.render.film import FilmMaker
from synesthete.render.mixer import score_voices
from synesthete.render.pipeline import make_plan
from synesthete.render.plan import RenderPlan
from synesthete.render.run import RunFolder
from synesthete.render.shutter import exposed

PRESETS = (
    "silk", "ember", "organic", "isobar", "trails", "corona", "brine", "lava", "kaleidoscope", "waveform",
)  # fmt: skip
TRACKS = ("techno_tt1.ogg", "electro_ptn2.ogg")


def picture_seam(frames: np.ndarray) -> float:
    """Give the seam's difference over the 95th percentile of all others."""
    steps = np.abs(np.diff(frames, axis=0)).mean((1, 2, 3))
    return float(np.abs(frames[0] - frames[-1]).mean() / np.percentile(steps, 95))


def sound_seam(sound: np.ndarray) -> float:
    """Give the seam's difference over the 95th percentile of all others."""
    steps = np.abs(np.diff(sound, axis=1)).max(0)
    return float(np.abs(sound[:, 0] - sound[:, -1]).max() / np.percentile(steps, 95))


def ghost(plan: RenderPlan, timeline: Timeline) -> float:
    """Give the difference of the pictures that are mixed halfway through the crossfade, grey levels."""
    assert plan.loop is not None
    fuser = build_fuser(plan.options, plan.preset.generator, plan.size, 1)
    painter, trajectory = score_voices(*plan.voices(), timeline, plan.options, fuser, plan.loop.period)
    painter = exposed(painter, plan.options.shutter)
    painter.prepare(trajectory, plan.size)
    frame = plan.loop.lead_frames + plan.frames - plan.loop.fade_frames // 2
    now, before = (
        next(painter.frames(trajectory, k, k + 1, plan.size)).clone() for k in (frame, frame - plan.frames)
    )
    return 255 * float((now - before).abs().mean())


def decoded(film: Path) -> tuple[np.ndarray, np.ndarray]:
    frames = np.stack([frame.astype(np.float32) / 255 for frame in iterate_frames(film)])
    return frames, np.concatenate(list(decode_sound(film)), 1)


def film(song: Path, options: RenderOptions, work: Path) -> tuple[RenderPlan, Timeline, Path]:
    """Render a film without previews."""
    plan, timeline = make_plan(song, options)
    folder = RunFolder(work / "renders" / plan.run_id)
    with folder.opened():
        FilmMaker(plan, timeline, folder, lambda event: None, previews=False).make()
    return plan, timeline, folder.film


def measure(song: Path, preset: str, work: Path, given: argparse.Namespace) -> dict[str, Any]:
    settings = {
        "preset": preset, "resolution": "128x72", "device": "cpu", "kernels": "eager", "workspace": work,
        "certificate": False, "shutter": given.shutter,
    }  # fmt: skip
    plan, timeline, path = film(song, RenderOptions.model_validate({**settings, "loop": given.loop}), work)
    assert plan.loop is not None
    samples = plan.song.samples  # decoders that don't read the edit list's end give a packet's rest beyond it
    looped, sound = decoded(path)
    ends = {"start": plan.loop.start, "end": plan.loop.start + plan.loop.seconds}
    cut, cut_sound = decoded(film(song, RenderOptions.model_validate({**settings, **ends}), work)[2])
    return {
        "track": song.stem,
        "preset": preset,
        "bars": plan.loop.bars,
        "seconds": float(plan.loop.seconds),
        "picture": picture_seam(looped),
        "sound": sound_seam(sound[:, :samples]),
        "cut": picture_seam(cut),
        "cut_sound": sound_seam(cut_sound[:, :samples]),
        "ghost": ghost(plan, timeline),
        "frames": len(looped) == plan.frames,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--tracks", default=",".join(TRACKS))
    parser.add_argument("--presets", default=",".join(PRESETS))
    parser.add_argument("--loop", default="8s")
    parser.add_argument("--shutter", type=float, default=0)
    given = parser.parse_args()
    print("track           preset         bars seconds  picture (cut)   sound (cut)    ghost")
    worst = [0.0, 0.0]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()) as folder:
        for track in given.tracks.split(","):
            for preset in given.presets.split(","):
                r = measure(given.music / track, preset, Path(folder), given)
                print(
                    f"{r['track']:15} {preset:13} {r['bars'] or 0:5} {r['seconds']:7.2f} "
                    f"{r['picture']:8.2f} {r['cut']:6.2f} {r['sound']:8.2f} {r['cut_sound']:6.2f} "
                    f"{r['ghost']:7.1f}" + ("" if r["frames"] else "  frames lost"),
                    flush=True,
                )
                worst = [max(worst[0], r["picture"]), max(worst[1], r["sound"])]
    good = max(worst) <= 1.0
    print(f"worst seam: picture {worst[0]:.2f}, sound {worst[1]:.2f} of 1: {'ok' if good else 'missed'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
