"""Kill an album's render at random moments, and compare what comes out with an undisturbed one.

An album of three short tracks (scenes, moods, grain) is rendered once in peace; a second one is killed as
often as is asked for (SIGKILL), and then finished. All films must have the same bytes. Then one track's film
is removed, and one track's preset changed: only that is to be rendered, and the album joined.

Usage: ``python benchmarks/interrupts.py --music FOLDER [--kills 10] [--seed 1]``
"""

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CONFIG = """\
title: Interrupted
resolution: 128x72
frame_rate: 24
kernels: eager
preset: silk
tracks:
  - {{id: a, src: {0}, trim: {{end: 20}}, scenes: "every 4 bars", scene_presets: [ember]}}
  - {{id: b, src: {1}, trim: {{end: 20}}, controller: {{preset: pulse}}}}
  - {{id: c, src: {0}, trim: {{start: 20, end: 36}}, postfx: {{grain_intensity: 0.2, tone_curve: soft}}}}
"""


def album_command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "synesthete", "album", str(folder), "--json"]


def made(folder: Path, songs: list[Path]) -> Path:
    folder.mkdir()
    for song in songs:
        shutil.copyfile(song, folder / song.name)
    (folder / "render.yaml").write_text(CONFIG.format(*(song.name for song in songs)))
    return folder


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.mp4"))
    }


def finished(folder: Path) -> dict[str, Any]:
    """Render what is missing, and give the last event."""
    done = subprocess.run(album_command(folder), check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    songs = sorted(path for path in given.music.iterdir() if path.suffix == ".ogg")[:2]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()) as work:
        calm, killed = (made(Path(work) / name, songs) for name in ("calm", "killed"))
        started = time.perf_counter()
        finished(calm)
        whole = time.perf_counter() - started
        moments = random.Random(given.seed)
        after = []
        for _ in range(given.kills):
            process = subprocess.Popen(album_command(killed), stdout=subprocess.DEVNULL)
            try:
                process.wait(moments.uniform(0.1, 0.3) * whole)
                break  # it was faster
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                after.append(len(list(killed.rglob("segment-*.mp4"))) + len(list(killed.rglob("film.mp4"))))
        finished(killed)
        same = digests(calm) == digests(killed)
        # Processes share the cache: it sweeps what is a day old, and is no part of any film.
        left = [part for part in killed.rglob("*.part") if "cache" not in part.parts]
        print(f"killed {len(after)} times, with so many pieces finished: {after}")
        print(f"the same bytes in {len(digests(calm))} films: {same}; half-written files left: {len(left)}")
        next(killed.rglob("b/film.mp4")).unlink()
        removed = finished(killed)["rendered"]
        config = killed / "render.yaml"
        config.write_text(config.read_text().replace("{id: c,", "{id: c, preset: rosette,"))
        changed = finished(killed)["rendered"]
        print(f"rendered again after b was removed: {removed}; after the preset of c was changed: {changed}")
    return 0 if same and not left and (removed, changed) == (["b"], ["c"]) else 1


if __name__ == "__main__":
    sys.exit(main())
