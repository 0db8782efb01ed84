"""Measure every preset on rhythmic tracks, and whether it lives for a whole song.

On each of six tracks (those of ``random_programs.py``): 21 s of music, 2 s of silence and a second of
music, at 15 frames a second and 128x72 (programs at a point a pixel): effect and p against other songs,
lag, silence, flashes. Then a whole song, a picture every four seconds, as thumbnails in OKLab. **Twins**
are pictures with one that can't be told from it (distance under 0.02) 20 s or more away: a film that lives
has few. **Sections** is the distance of mean colours (a, b) of pictures of different sections over that
within a section, likewise 20 s apart.

Usage: ``python benchmarks/presets.py --music FOLDER [--presets A,B] [--workers N] [--log FILE]``
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from random_programs import RATE, SIZE, TRACKS, Heard, film, heard, judged
from synesthete.audio.timeline import Timeline
from synesthete.config.preset import Preset, load_preset, shipped_presets
from synesthete.config.render import RenderOptions
from synesthete.evaluation.thumbnails import look_distances, thumbnails
from synesthete.generators.build import build_generator, score_preset
from synesthete.generators.fuse import Fuser
from synesthete.programs.program import Program
from synesthete.render.listen import hear

WHOLE = "electro_ptn2.ogg"
EVERY_S, FAR_S, TWIN = 4.0, 20.0, 0.02


def drawn(preset: Preset, timeline: Timeline, frames: list[int]) -> list[torch.Tensor]:
    """Draw some frames as a film has them."""
    fuser = Fuser(Path("unused"), wanted=False)
    generator = build_generator(preset, RenderOptions(device="cpu"), fuser)
    trajectory = score_preset(preset, generator, timeline, frame_rate=RATE)
    generator.prepare(trajectory, SIZE)
    return [next(generator.frames(trajectory, f, f + 1, SIZE)).clone() for f in frames]


def film_of(preset: Preset, song: Heard) -> torch.Tensor:
    if preset.generator == "program":
        return film(Program.from_json(preset.program), preset.control, song, preset.seed)
    return torch.stack(drawn(preset, song.timeline, list(range(song.frames))))


def life(preset: Preset, path: Path, work: Path) -> dict[str, float]:
    """Look at a whole song."""
    timeline, _ = hear(path, start=None, end=None, allow_truncated=False, workspace=work)
    moments = np.arange(EVERY_S / 2, timeline.ticks / 100, EVERY_S)
    loudness = timeline.column("loudness")[(moments * 100).astype(int)]
    moments = moments[loudness > 0.2]  # silences are alike, and should be
    seen = thumbnails(drawn(preset, timeline, [int(m * RATE) for m in moments]))
    distances = look_distances(seen, seen)
    far = np.abs(moments[:, None] - moments[None, :]) >= FAR_S
    parts = timeline.music.sections
    letters = np.array([next((p.label for p in parts if p.start_s <= m < p.end_s), "") for m in moments])
    same, other = (far & (letters[:, None] == letters[None, :])), (letters[:, None] != letters[None, :]) & far
    colour = seen[..., 1:].mean((1, 2))
    apart = np.linalg.norm(colour[:, None] - colour[None, :], axis=-1)
    within = float(apart[same].mean()) if same.any() else float("nan")
    return {
        "twins": float((np.where(far, distances, np.inf).min(1) < TWIN).mean()),
        "sections": float(apart[other].mean()) / within if other.any() and within > 0 else float("nan"),
    }


def measure(job: tuple[str, str, Path, Path]) -> dict[str, Any]:
    torch.set_num_threads(1)
    name, track, music, work = job
    preset = load_preset(name)
    if not track:
        return {"preset": name, "track": "", **life(preset, music / WHOLE, work)}
    song = heard(music / track, work)
    return {"preset": name, **judged(film_of(preset, song), song)}


def report(results: list[dict[str, Any]]) -> None:
    print("preset          effect: " + " ".join(f"{Path(t).stem[:9]:>9}" for t in TRACKS), end="")
    print("   worst p  lags ms      silence  flashes  twins  sections")
    for name in dict.fromkeys(r["preset"] for r in results):
        own = {r["track"]: r for r in results if r["preset"] == name}
        films = [own[Path(t).stem] for t in TRACKS if Path(t).stem in own]
        if len(films) < len(TRACKS) or "" not in own:
            continue
        lags = [f["lag_ms"] for f in films if f["lag_ms"] is not None] or [float("nan")]
        silences = [f["silence"] for f in films if f["silence"] is not None] or [float("nan")]
        good = min(f["effect"] for f in films) >= 0.2 and not any(f["unsafe"] for f in films)
        print(
            f"{name:15} {'ok' if good else '!!':7} "
            + " ".join(f"{f['effect']:9.2f}" for f in films)
            + f"   {max(f['p'] for f in films):7.3f}  {min(lags):+4.0f} to {max(lags):+4.0f}"
            + f"  {max(silences):7.3f}  {max(f['flashes'] for f in films):7}"
            + f"  {own['']['twins']:5.2f}  {own['']['sections']:8.2f}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--presets", default=",".join(shipped_presets()))
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--log", type=Path, help="keep the results here, and go on from them")
    given = parser.parse_args()
    results = []
    if given.log and given.log.is_file():
        results = [json.loads(line) for line in given.log.read_text().splitlines()]
    done = {(r["preset"], r["track"]) for r in results}
    wanted = [(name, track) for track in (*TRACKS, "") for name in given.presets.split(",")]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()) as folder:
        work = Path(folder)
        for track in TRACKS:
            heard(given.music / track, work)  # once, before the workers do
        jobs = [(n, t, given.music, work) for n, t in wanted if (n, Path(t).stem) not in done]
        with multiprocessing.get_context("fork").Pool(given.workers) as pool:
            for result in pool.imap_unordered(measure, jobs):
                results.append(result)
                if given.log:
                    with given.log.open("a") as handle:
                        handle.write(json.dumps(result) + "\n")
    report(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
