"""Draw many random programs to real music, and print how many are fit to be seen and heard.

Each program, in a style of its own, draws one of the tracks, in turn: 21 s of music, 2 s of silence and a
second of music, at 15 frames a second and 128x72, a point a pixel, glow and trails at half their detail.
What the guards refuse is counted by ``tools/make_catalogue.py``. Bounds of the look come from the rival
films that ../shared/look shows: see ``BOUNDS``. Diversity is that of all programs at one moment, the loudest
of the first track, on thumbnails in OKLab (`synesthete.evaluation.thumbnails`), a Gaussian kernel, against
that of the classic presets there; what trails, trails since the longest memory of a program.

Usage: ``python benchmarks/random_programs.py --music FOLDER [--count N] [--first SEED] [--workers N]``
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import wave
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from synesthete.audio.timeline import Timeline
from synesthete.config.control import Control
from synesthete.config.preset import load_preset
from synesthete.evaluation.chance import compare
from synesthete.evaluation.dynamics import picture_dynamics
from synesthete.evaluation.lag import measure_lag
from synesthete.evaluation.nulls import null_bank, null_columns
from synesthete.evaluation.observe import Observation, observe
from synesthete.evaluation.picture import measure_picture
from synesthete.evaluation.response import measure_response
from synesthete.evaluation.safety import find_flashes
from synesthete.evaluation.style_probes import effective_number
from synesthete.evaluation.sync import explained_share
from synesthete.evaluation.thumbnails import look_distances, thumbnails
from synesthete.generators.base import Size
from synesthete.generators.control import build_signals
from synesthete.generators.hearing import hear_moment, sources
from synesthete.generators.quantise import Quantiser
from synesthete.media.decode import decode_sound
from synesthete.media.probe import probe_sound
from synesthete.programs.catalogue import catalogued_program
from synesthete.programs.clips import draw_clips
from synesthete.programs.program import Program
from synesthete.render.listen import hear

TRACKS = (
    "techno_tt1.ogg", "electro_ptn2.ogg", "rock_metal_madness.ogg", "jazz_vibe_ace.ogg", "chip_menujazz.ogg",
    "orchestral_palace.ogg",
)  # fmt: skip
MUSIC_S, SILENCE_S, AFTER_S = 21, 2, 1
RATE, SIZE = Fraction(15), Size(128, 72)
MEMORY = 45  # frames: the longest memory of a program, 3 s
TABLES = ("spectrum", "wave", "chroma", "past", "figure")
CLASSICS = ("spectrum", "waveform", "pulse", "particles", "contours", "tiles", "trails", "kaleidoscope")

BOUNDS = {
    # Means over a film. Of the 18 MilkDrop films on the sheets of rivals, measured from their pictures,
    # contrast is 0.053-0.221 (median 0.144), saturation 0.31-0.91 (0.56), the dark share 0.003-0.95 (0.20),
    # and up to 0.054 is clipped (0.01). Left out are the grey one, `stormysea`, and `gases`, which burns out.
    "contrast": (0.05, 0.25),
    "saturation": (0.3, 0.95),
    "dark": (0.003, 0.96),
    "clipped": (0.0, 0.06),
}


@dataclass(frozen=True)
class Heard:
    """A track with silence spliced in, and everything that programs look at, once per frame."""

    name: str
    timeline: Timeline
    frames: int
    music_frames: int
    tables: dict[str, torch.Tensor]


@lru_cache
def heard(path: Path, work: Path) -> Heard:
    """Splice, listen, and look everything up."""
    samples = np.concatenate(list(decode_sound(path)), axis=1)
    rate = probe_sound(path).sample_rate
    count, after = MUSIC_S * rate, (MUSIC_S + AFTER_S) * rate
    ramp = np.linspace(1, 0, rate // 200)
    music = samples[:, :count].copy()
    music[:, -len(ramp) :] *= ramp
    silence = np.zeros((len(samples), SILENCE_S * rate), np.float32)
    whole = np.clip(np.concatenate([music, silence, samples[:, count:after]], axis=1), -1, 1)
    target = work / f"{path.stem}.wav"
    with wave.open(str(target), "wb") as handle:
        handle.setnchannels(len(whole))
        handle.setsampwidth(2)
        handle.setframerate(rate)
        handle.writeframes(np.rint(whole.T * 32_767).astype("<i2").tobytes())
    timeline, _ = hear(target, start=None, end=None, allow_truncated=False, workspace=work)
    frames = timeline.frame_count(RATE)
    made_from = sources(timeline, TABLES)
    moments = [hear_moment(made_from, frame / float(RATE), TABLES) for frame in range(frames)]
    tables = {name: torch.stack([m[k] for m in moments])[None] for k, name in enumerate(TABLES)}
    return Heard(path.stem, timeline, frames, round(MUSIC_S * RATE), tables)


def loudest(song: Heard) -> int:
    """Give the frame of the loudest moment."""
    return int(np.argmax(song.timeline.column("loudness")[: 100 * MUSIC_S])) * int(RATE) // 100


def film(
    program: Program, control: Control, song: Heard, seed: int, shown: range | None = None
) -> torch.Tensor:
    """Draw the whole song, or some frames of it: (frames, 3, height, width)."""
    shown = range(song.frames) if shown is None else shown
    first = max(0, shown.start - MEMORY)
    signals = build_signals(song.timeline, control, frame_rate=RATE, seed=seed)
    moments = np.arange(first, shown.stop) / float(RATE)
    curves = {
        name: torch.from_numpy(signals.at(name, moments))[None] for name in program.signals | {"energy"}
    }
    return draw_clips(
        [program],
        curves,
        {name: table[:, first : shown.stop] for name, table in song.tables.items()},
        size=(SIZE.width, SIZE.height),
        before=shown.start - first,
        first_frame=first,
        frame_rate=RATE,  # type: ignore[arg-type]
        map_share=0.5,
    )[0]


def observed(frames: torch.Tensor) -> Observation:
    quantiser = Quantiser(SIZE)
    return observe((quantiser.yuv420(frame).numpy() for frame in frames), size=SIZE, frame_rate=RATE)


def judged(frames: torch.Tensor, song: Heard) -> dict[str, Any]:
    """Measure a film: its sync against other songs, its silence, its flashes, its look."""
    whole, music = observed(frames), observed(frames[: song.music_frames])
    picture = measure_picture(music)
    dynamics = picture_dynamics(music, picture)
    ticks = round(music.duration_s * 100)
    table = null_columns(song.timeline)[:ticks]
    own = explained_share(dynamics, table)
    sync = compare(own, [explained_share(dynamics, null.stretched_to(ticks)) for null in null_bank()])
    answers = measure_response(whole, measure_picture(whole), song.timeline)
    flashes = find_flashes(music)
    return {
        "track": song.name,
        "finite": bool(torch.isfinite(frames).all())
        and 0.0 <= float(frames.min()) <= float(frames.max()) <= 1.0,
        "look": {name: float(music.look(name).mean()) for name in BOUNDS},
        "effect": sync.effect,
        "p": sync.p,
        "lag_ms": measure_lag(music, picture, table).ms,
        "silence": answers["silence"]["motion_ratio"],
        "unsafe": not flashes.passed,
        "flashes": flashes.worst_per_second,
    }


def measure(job: tuple[int, Path, Path]) -> dict[str, Any]:
    """Measure the film of one program."""
    torch.set_num_threads(1)
    seed, path, work = job
    song = heard(path, work)
    return {"seed": seed, **judged(film(catalogued_program(seed), Control(), song, seed), song)}


def look(job: tuple[Program, Control, int, Path, Path]) -> np.ndarray:
    """Draw a program at the loudest moment of a track: its thumbnail."""
    torch.set_num_threads(1)
    program, control, seed, path, work = job
    song = heard(path, work)
    place = loudest(song)
    return thumbnails([film(program, control, song, seed, range(place, place + 1))[0]])[0]


def diversity(pictures: np.ndarray) -> tuple[float, float]:
    """Give the mean distance of two pictures, and the effective number."""
    distances = look_distances(pictures, pictures)
    pairs = distances[np.triu_indices(len(distances), 1)]
    return float(pairs.mean()), effective_number(distances)


def report(results: list[dict[str, Any]]) -> bool:
    """Print the shares, and say whether they are as asked."""
    count = len(results)
    good = all(result["finite"] for result in results)
    print(f"finite and in range: {sum(r['finite'] for r in results)} of {count}")
    for name, (low, high) in BOUNDS.items():
        values = np.array([result["look"][name] for result in results])
        inside = float(((values >= low) & (values <= high)).mean())
        spread = ", ".join(f"{v:.2f}" for v in np.percentile(values, [1, 10, 50, 90, 99]))
        print(f"{name:10} within {low:g}-{high:g}: {100 * inside:5.1f} %   percentiles 1-99: {spread}")
    react = np.array([r["effect"] > 0 and r["p"] < 0.05 for r in results])
    effects = np.array([result["effect"] for result in results])
    print(
        f"react (effect > 0, p < 0.05): {100 * react.mean():.1f} %   median effect {np.median(effects):.2f}"
    )
    for track in sorted({result["track"] for result in results}):
        own = np.array([result["track"] == track for result in results])
        print(f"    {track:22} {100 * react[own].mean():5.1f} %   effect {np.median(effects[own]):.2f}")
    silence = np.array([np.nan if r["silence"] is None else r["silence"] for r in results], float)
    quiet = float((silence <= 0.2).mean())
    print(f"silence motion <= 0.2: {100 * quiet:.1f} %   worst {np.nanmax(silence):.2f}")
    print(f"unsafe films: {100 * float(np.mean([result['unsafe'] for result in results])):.2f} %")
    return bool(good and react.mean() >= 0.97 and quiet >= 0.99)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--log", type=Path, help="keep the results here, and go on from them")
    given = parser.parse_args()
    done: dict[int, dict[str, Any]] = {}
    if given.log and given.log.is_file():
        done = {r["seed"]: r for r in map(json.loads, given.log.read_text().splitlines())}
    with tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()) as folder:
        work = Path(folder)
        paths = [given.music / name for name in TRACKS]
        for path in paths:
            heard(path, work)  # once, before the workers do
        seeds = [s for s in range(given.first, given.first + given.count) if s not in done]
        jobs = [(seed, paths[seed % len(paths)], work) for seed in seeds]
        with multiprocessing.get_context("fork").Pool(given.workers) as pool:
            for result in pool.imap_unordered(measure, jobs):
                done[result["seed"]] = result
                if given.log:
                    with given.log.open("a") as handle:
                        handle.write(json.dumps(result) + "\n")
            results = [done[seed] for seed in sorted(done)]
            good = report(results)
            sampled = [(catalogued_program(seed), Control(), seed, paths[0], work) for seed in sorted(done)]
            presets = [load_preset(name) for name in CLASSICS]
            classics = [(Program.from_json(p.program), p.control, p.seed, paths[0], work) for p in presets]
            ours, theirs = (np.array(pool.map(look, jobs)) for jobs in (sampled, classics))
        distance, number = diversity(ours)
        own_distance, own_number = diversity(theirs)
    print(
        f"diversity of {len(ours)} on {paths[0].stem}: mean distance {distance:.3f}, effective number "
        f"{number:.1f}; the {len(CLASSICS)} classics: {own_distance:.3f} and {own_number:.1f}; ratios "
        f"{distance / own_distance:.2f} and {number / own_number:.2f}"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
