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
import math
import multiprocessing
import sys
import tempfile
from dataclasses import dataclass
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
LEAST_EFFECT = 0.2

INTRODUCTION = f"""# What each preset measures

Written by `benchmarks/presets.py --page`, on six tracks of the development music: 21 s of each, at 15
frames a second and 128x72. **effect**, under the name of each track, is the share of the picture's
dynamics that the music explains beyond what other songs do, **p** the largest of the six; **lags** are
in milliseconds, positive where the picture is late, and blank where beats are too regular to tell;
**silence** is motion in silence over that in music; **flashes** the most in any second (three are
safe). A whole song, *{Path(WHOLE).stem}*, a picture every {EVERY_S:g} s: **twins** is the share of
pictures that can't be told from one {FAR_S:g} s or more away, **sections** how far apart the mean
colours of different sections are, over those within a section.
"""


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


@dataclass(frozen=True)
class Row:
    """A preset's figures: effects in the order of the tracks, worst values over them, and its whole song."""

    preset: str
    effects: tuple[float, ...]
    p: float
    lags: tuple[float, float]
    silence: float
    flashes: int
    twins: float
    sections: float
    good: bool


def rows_of(results: list[dict[str, Any]]) -> list[Row]:
    """Join the results of each preset that was measured throughout."""
    rows = []
    for name in sorted({r["preset"] for r in results}):
        own = {r["track"]: r for r in results if r["preset"] == name}
        films = [own[Path(t).stem] for t in TRACKS if Path(t).stem in own]
        if len(films) < len(TRACKS) or "" not in own:
            continue
        lags = [f["lag_ms"] for f in films if f["lag_ms"] is not None] or [float("nan")]
        silences = [f["silence"] for f in films if f["silence"] is not None] or [float("nan")]
        effects = tuple(f["effect"] for f in films)
        rows.append(
            Row(
                preset=name,
                effects=effects,
                p=max(f["p"] for f in films),
                lags=(min(lags), max(lags)),
                silence=max(silences),
                flashes=max(f["flashes"] for f in films),
                twins=own[""]["twins"],
                sections=own[""]["sections"],
                good=min(effects) >= LEAST_EFFECT and not any(f["unsafe"] for f in films),
            )
        )
    return rows


def report(rows: list[Row]) -> None:
    print("preset          effect: " + " ".join(f"{Path(t).stem[:9]:>9}" for t in TRACKS), end="")
    print("   worst p  lags ms      silence  flashes  twins  sections")
    for row in rows:
        print(
            f"{row.preset:15} {'ok' if row.good else '!!':7} "
            + " ".join(f"{effect:9.2f}" for effect in row.effects)
            + f"   {row.p:7.3f}  {row.lags[0]:+4.0f} to {row.lags[1]:+4.0f}"
            + f"  {row.silence:7.3f}  {row.flashes:7}  {row.twins:5.2f}  {row.sections:8.2f}"
        )


def page(rows: list[Row]) -> str:
    """Write the table of docs/presets-measured.md."""
    tracks = " | ".join(Path(track).stem.partition("_")[0] for track in TRACKS)
    lines = [
        INTRODUCTION,
        f"| preset | {tracks} | p | lags | silence | flashes | twins | sections |",
        "|---" * (len(TRACKS) + 7) + "|",
    ]
    for row in rows:
        effects = " | ".join(f"{effect:.2f}" for effect in row.effects)
        lags = "" if math.isnan(row.lags[0]) else f"{row.lags[0]:+.0f} to {row.lags[1]:+.0f}"
        lines.append(
            f"| `{row.preset}` | {effects} | {row.p:.3f} | {lags} | {row.silence:.3f} | {row.flashes} | "
            f"{row.twins:.2f} | {row.sections:.2f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--presets", default=",".join(shipped_presets()))
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--log", type=Path, help="keep the results here, and go on from them")
    parser.add_argument("--page", type=Path, help="write the table as Markdown")
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
    rows = rows_of(results)
    report(rows)
    if given.page:
        given.page.write_text(page(rows), encoding="utf-8")
    return 0 if all(row.good for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
