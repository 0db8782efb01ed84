"""Measure what the product promises, on any folder of music, and print tables.

``media``
    Every file at four frame rates: frames counted, sound's lag against the source, ends of picture and sound.
``presets``
    Every preset: a 256-pixel preview against the 1080p frame averaged down, and 30 against 60 frames/s.
``memory``
    Hours of synthesised music, rendered in another process whose memory is sampled every second.
``silence``
    Motion in four seconds of spliced silence against motion in music, and how the picture follows the sound.

Usage: ``python benchmarks/acceptance.py --music DIR [--only media|presets|memory|silence] [--hours H]``
"""

import argparse
import contextlib
import json
import math
import shutil
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from PIL import Image
from scipy import signal, stats

from synesthete.audio.timeline import Timeline
from synesthete.clock import Clock
from synesthete.config.preset import Preset, load_preset, shipped_presets
from synesthete.config.render import RenderOptions
from synesthete.errors import SynestheteError
from synesthete.generators.base import Size, Trajectory
from synesthete.generators.control import build_signals
from synesthete.generators.cppn import CppnGenerator
from synesthete.generators.fuse import Fuser
from synesthete.media.mux import film_facts, iterate_frames
from synesthete.render.listen import hear
from synesthete.render.pipeline import render_song

RATES = (Fraction(24), Fraction(30_000, 1001), Fraction(30), Fraction(60))
SOUNDS = {".ogg", ".flac", ".mp3", ".wav", ".m4a", ".opus", ".aac", ".aiff"}
FULL = Size(1920, 1080)
PREVIEW_SHORT = 256
SILENCE_SECONDS, AROUND_SECONDS, SETTLING_SECONDS = 4.0, 10.0, 1.0
LAG_WINDOW_SECONDS = 20
PEAK_MB = 1536


def music_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SOUNDS)


def say(*cells: object) -> None:
    print(*cells, flush=True)


@contextlib.contextmanager
def rendered(song: Path, work: Path, **options: object) -> Iterator[Path]:
    """Render without compiling, and remove the run when it has been measured."""
    film = render_song(song, RenderOptions(workspace=work, kernels="eager", **options))  # type: ignore[arg-type]
    try:
        yield film.film
    finally:
        shutil.rmtree(film.run)


# Media ----------------------------------------------------------------------------------------------------


def plain_sound(path: Path) -> tuple[np.ndarray, int]:
    """Decode the first sound stream with PyAV alone, not with what is measured; mono, and its rate."""
    pieces = []
    with av.open(str(path), metadata_errors="ignore") as container:
        stream = container.streams.audio[0]
        rate = stream.rate
        converter = av.AudioResampler(format="fltp", rate=rate)
        for frame in container.decode(stream):
            frame.pts = None
            pieces += [part.to_ndarray().mean(0) for part in converter.resample(frame)]
    return np.concatenate(pieces), rate


def lag_ms(heard: np.ndarray, source: np.ndarray, rate: int) -> float:
    """Give the worse lag of the first and the last 20 s, by cross-correlation with the source."""
    count = min(len(heard), len(source))
    window = min(count, LAG_WINDOW_SECONDS * rate)
    lags = []
    for start in (0, count - window):
        a, b = (sound[start : start + window].astype(np.float64) for sound in (heard, source))
        if np.abs(b).max() < 1e-4:
            continue
        peak = int(signal.correlate(a, b, method="fft").argmax())
        lags.append(1000 * (peak - (window - 1)) / rate)
    return max(lags, key=abs, default=0.0)


def count_pictures(film: Path) -> int:
    with av.open(str(film)) as container:
        return sum(1 for _ in container.decode(video=0))


def measure_media(music: list[Path], work: Path) -> bool:
    say(f"{'file':32} {'fps':>10} {'frames':>7} {'wanted':>7} {'lag ms':>8} {'end, frames':>12}")
    good = True
    for song in music:
        try:
            source, rate = plain_sound(song)
        except (av.FFmpegError, IndexError) as error:
            say(f"{song.name:32} no sound: {error}")
            continue
        for fps in RATES:
            wanted = math.ceil(Fraction(len(source)) * fps / rate)
            try:
                with rendered(song, work, resolution="128x72", fps=fps, speed="ultrafast") as film:
                    facts, frames = film_facts(film), count_pictures(film)
                    heard, heard_rate = plain_sound(film)
            except SynestheteError as error:
                say(f"{song.name:32} {fps!s:>10} {type(error).__name__}: {error}")
                good = False
                continue
            if heard_rate != rate:
                step = math.gcd(rate, heard_rate)
                heard = signal.resample_poly(heard, rate // step, heard_rate // step)
            lag = lag_ms(heard, source, rate)
            sound_s = (facts.sound_samples or 0) / (facts.sound_rate or 1)
            ends = (facts.duration_s - sound_s) * float(fps)
            fine = (
                frames == facts.frames == wanted and facts.constant_rate and abs(lag) <= 1 and abs(ends) <= 1
            )
            good &= fine
            verdict = "" if fine else "  FAILS"
            say(f"{song.name:32} {fps!s:>10} {frames:7} {wanted:7} {lag:8.3f} {ends:12.3f}{verdict}")
    return good


# Presets --------------------------------------------------------------------------------------------------


def drawn(generator: CppnGenerator, trajectory: Trajectory, frame: int, size: Size) -> np.ndarray:
    picture = next(generator.frames(trajectory, frame, frame + 1, size))
    return np.ascontiguousarray(picture.permute(1, 2, 0).numpy())


def scored(preset: Preset, timeline: Timeline, fps: Fraction) -> tuple[CppnGenerator, Trajectory]:
    signals = build_signals(timeline, preset.control, frame_rate=fps, seed=preset.seed)
    generator = CppnGenerator(preset.cppn, Fuser(Path(), wanted=False))
    style = np.broadcast_to(np.array(preset.style), (signals.frames, len(preset.style)))
    return generator, generator.score(signals, style, preset.seed)


def averaged_down(picture: np.ndarray, full: Size, preview: Size) -> np.ndarray:
    """Average the film's frame over the preview's pixels, which lie in its middle."""
    scale = full.short / preview.short
    width, height = preview.width * scale / 2, preview.height * scale / 2
    box = (full.width / 2 - width, full.height / 2 - height, full.width / 2 + width, full.height / 2 + height)
    channels = [Image.fromarray(picture[..., c], mode="F") for c in range(3)]
    small = [c.resize((preview.width, preview.height), Image.Resampling.BOX, box=box) for c in channels]
    return np.stack([np.asarray(c) for c in small], 2)


def psnr_db(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(max(float(((a - b) ** 2).mean()), 1e-12)))


def measure_presets(music: list[Path], work: Path) -> bool:
    song = music[0]
    timeline, _ = hear(song, start=None, end=Fraction(30), allow_truncated=False, workspace=work)
    loudness = timeline.column("loudness")
    seconds = min(30.0, float(timeline.duration))
    moments = [0.25 * seconds, float(np.argmax(loudness)) / 100, 0.75 * seconds]
    preview = Size(2 * (FULL.width * PREVIEW_SHORT // FULL.short // 2), PREVIEW_SHORT)
    say(f"{song.name}, preview {preview} against {FULL} at {', '.join(f'{m:.2f} s' for m in moments)}")
    head = f"{'preset':12} {'path':28} {'PSNR dB, three moments':>24}"
    say(f"{head} {'30 vs 60, levels: mean':>24} {'max':>8} {'s':>6}")
    good = True
    for name in shipped_presets():
        started = time.perf_counter()
        preset = load_preset(name)
        generator, film = scored(preset, timeline, Fraction(30))
        _, film60 = scored(preset, timeline, Fraction(60))
        path = generator.prepare(film, FULL)
        values, mean, worst = [], 0.0, 0.0
        for moment in moments:
            frame = min(Clock(Fraction(30)).frame_at(moment), film.frames - 1)
            small = drawn(generator, film, frame, preview)
            values.append(psnr_db(small, averaged_down(drawn(generator, film, frame, FULL), FULL, preview)))
            levels = 255 * np.abs(small - drawn(generator, film60, 2 * frame, preview))
            mean, worst = max(mean, float(levels.mean())), max(worst, float(levels.max()))
        fine = min(values) >= 30 and mean <= 2
        good &= fine
        shown = " ".join(f"{value:7.1f}" for value in values)
        took = time.perf_counter() - started
        say(
            f"{name:12} {path:28} {shown:>24} {mean:24.4f} {worst:8.3f} {took:6.1f}"
            + ("" if fine else "  FAILS")
        )
    return good


# Memory ---------------------------------------------------------------------------------------------------


def synthesise(path: Path, hours: float) -> None:
    """Write music of changing tempo, pitch and loudness, ten seconds at a time."""
    rate, block = 44_100, 10
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        for index in range(max(1, round(hours * 3600 / block))):
            rng = np.random.default_rng(index)
            t = np.arange(block * rate) / rate
            beat = np.mod(t, 60 / rng.uniform(80, 150))
            kick = np.exp(-14 * beat) * np.sin(2 * np.pi * 55 * beat)
            tone = np.sin(2 * np.pi * 220 * 2 ** (rng.integers(12) / 12) * t)
            hat = np.exp(-50 * np.mod(t, 0.25)) * rng.standard_normal(t.size)
            left = rng.uniform(0.2, 0.9) * (0.6 * kick + 0.15 * tone + 0.08 * hat)
            sound = np.stack([left, 0.9 * left], 1)
            file.writeframes(np.round(np.clip(sound, -1, 1) * 32_767).astype("<i2").tobytes())


def memory_mb(pid: int) -> tuple[float, float]:
    """Give a process's resident memory, with that of its children, and the part that is no file's: MB."""
    total = private = 0.0
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total = int(line.split()[1]) / 1024
            elif line.startswith("RssAnon:"):
                private = int(line.split()[1]) / 1024
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text().split():
                more = memory_mb(int(child))
                total, private = total + more[0], private + more[1]
    return total, private


def measure_memory(work: Path, hours: float, resolution: str) -> bool:
    song = work / "long.wav"
    synthesise(song, hours)
    command = [sys.executable, "-m", "synesthete", "render", str(song), "--preset", "silk", "--workers", "2"]
    command += ["--resolution", resolution, "--speed", "ultrafast", "--json", "--workspace", str(work)]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    samples: list[tuple[float, float]] = []
    over = threading.Event()

    def sample() -> None:
        while not over.wait(1.0):
            samples.append(memory_mb(process.pid))

    sampler = threading.Thread(target=sample)
    sampler.start()
    marks = [0.25, 0.5, 0.75, 1.0]
    assert process.stdout is not None
    say(f"{hours:g} h at {resolution}, silk, --speed ultrafast --workers 2")
    say(f"{'progress':>9} {'RSS MB':>9} {'of it private':>14} {'minutes':>9}")
    seen = []
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "error":
            say(event["message"])
        while marks and event["event"] == "progress" and event["frames"] >= marks[0] * event["of"]:
            total, private = memory_mb(process.pid)
            seen.append(private)
            minutes = (time.perf_counter() - started) / 60
            say(f"{marks.pop(0):9.0%} {total:9.0f} {private:14.0f} {minutes:9.1f}")
    status = process.wait()
    over.set()
    sampler.join()
    peak = max((total for total, _ in samples), default=0.0)
    say(f"{'peak':>9} {peak:9.0f} {max((p for _, p in samples), default=0.0):14.0f}   exit status {status}")
    flat = bool(seen) and seen[-1] <= 1.15 * seen[0] + 50
    return status == 0 and flat and peak <= PEAK_MB


# Silence --------------------------------------------------------------------------------------------------


def splice(source: np.ndarray, rate: int, path: Path) -> tuple[float, float]:
    """Write ten seconds, four of silence, ten more, faded over 5 ms; give the silence's ends."""
    middle, around = len(source) // 2, round(AROUND_SECONDS * rate)
    ramp = np.linspace(0, 1, rate // 200)
    before, after = source[max(0, middle - around) : middle].copy(), source[middle : middle + around].copy()
    before[-len(ramp) :] *= ramp[::-1]
    after[: len(ramp)] *= ramp
    sound = np.concatenate([before, np.zeros(round(SILENCE_SECONDS * rate), source.dtype), after])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(np.clip(sound, -1, 1) * 32_767).astype("<i2").tobytes())
    return len(before) / rate, len(before) / rate + SILENCE_SECONDS


def measure_silence(music: list[Path], work: Path) -> bool:
    fps = Fraction(30)
    head = f"{'file':32} {'silent':>9} {'loud':>9} {'ratio':>7}"
    say(f"{head} {'rank corr. with motion':>23} {'brightness':>11}")
    good = True
    for song in music:
        try:
            source, rate = plain_sound(song)
        except (av.FFmpegError, IndexError) as error:
            say(f"{song.name:32} no sound: {error}")
            continue
        spliced = work / f"{song.stem}-spliced.wav"
        begin, end = splice(source, rate, spliced)
        with rendered(spliced, work, resolution="160x90", fps=fps, preset="silk") as film:
            motion, brightness, last = [], [], None
            for frame in iterate_frames(film):
                picture = frame.astype(np.float32) / 255
                brightness.append(float(picture.mean()))
                motion.append(0.0 if last is None else float(np.abs(picture - last).mean()))
                last = picture
        timeline, _ = hear(spliced, start=None, end=None, allow_truncated=False, workspace=work)
        heard = timeline.at_frames(fps, ["loudness", "onset", "silence"])
        moment = np.arange(len(motion)) / float(fps)
        moving = np.array(motion)
        inside = (moment >= begin) & (moment < end)
        settled = inside & (moment >= begin + SETTLING_SECONDS)
        loud = ~inside & (heard[:, 2] < 0.5)
        loud[0] = False
        silent, music_motion = float(moving[settled].mean()), float(np.median(moving[loud]))
        ratio = silent / music_motion if music_motion else math.inf
        sound = heard[:, 0] + heard[:, 1]
        follows = [float(stats.spearmanr(sound[1:], curve[1:]).statistic) for curve in (motion, brightness)]
        good &= ratio <= 0.2
        row = f"{song.name:32} {silent:9.5f} {music_motion:9.5f} {ratio:7.3f}"
        say(row + f" {follows[0]:23.3f} {follows[1]:11.3f}" + ("" if ratio <= 0.2 else "  FAILS"))
        spliced.unlink()
    return good


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, default=Path(__file__).resolve().parents[1] / "album")
    parser.add_argument("--only", choices=("media", "presets", "memory", "silence"))
    parser.add_argument("--hours", type=float, default=1.0, help="length of the music for `memory`")
    parser.add_argument("--resolution", default="1080p", help="picture size for `memory`")
    parser.add_argument("--workspace", type=Path, default=Path("acceptance"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    music = music_in(given.music)
    if not music:
        parser.error(f"there is no music in {given.music}")
    given.workspace.mkdir(parents=True, exist_ok=True)
    measures = {
        "media": lambda work: measure_media(music, work),
        "presets": lambda work: measure_presets(music, work),
        "silence": lambda work: measure_silence(music, work),
        "memory": lambda work: measure_memory(work, given.hours, given.resolution),
    }
    good = True
    for name, measure in measures.items():
        if given.only in (None, name):
            work = given.workspace / name
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            say(f"\n{name}")
            try:
                kept = measure(work)
            finally:
                shutil.rmtree(work, ignore_errors=True)
            say(f"{name}: {'promise kept' if kept else 'PROMISE BROKEN'}")
            good &= kept
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
