"""The album in examples/: of several generators; its walks have anchors of their own, and are resumed."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from made_walks import write_walk
from synesthete.audio.compose import compose
from synesthete.clock import ANALYSIS_SAMPLE_RATE
from synesthete.config.album_file import read_album
from synesthete.config.base import read_yaml
from synesthete.config.mood import load_mood
from synesthete.config.preset import load_preset
from synesthete.generators.base import Trajectory
from synesthete.media.sound_file import write_sound
from synesthete.render.album import AlbumFilm, render_album
from synesthete.render.album_tracks import AlbumRun

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "album"
WALKS = ("gallery", "gallery-at-night")


class _Stopped(Exception):  # noqa: N818 - stands for a Ctrl-C
    pass


def test_the_example_names_what_ships_and_says_what_it_expects() -> None:
    files = read_album(EXAMPLE)
    presets = {
        track.id: load_preset(
            look.preset or "",
            assignments=[*look.set, *([] if look.seed is None else [f"seed={look.seed}"])],
            mood=load_mood(look.controller.preset),
        )
        for track, look in zip(files.album.tracks, files.looks, strict=True)
    }
    assert {preset.generator for preset in presets.values()} == {"cppn", "gan", "program"}
    walks = {name: preset for name, preset in presets.items() if preset.generator == "gan"}
    assert tuple(walks) == WALKS
    packs = {walk.seed if walk.gan.anchor_seed is None else walk.gan.anchor_seed for walk in walks.values()}
    assert len(packs) == len(walks)
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    for track, look in zip(files.album.tracks, files.looks, strict=True):
        assert f"| `{track.src}` | `{track.id}` | `{look.preset}` |" in readme


# Rendered -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("songs")
    paths = []
    for number, (genre, seconds) in enumerate((("house", 1.2), ("techno", 4.6))):
        song = compose(number, seconds=seconds, genre=genre)
        paths.append(folder / f"{number}.wav")
        write_sound(paths[-1], song.sound, ANALYSIS_SAMPLE_RATE)
    return paths


@pytest.fixture
def write(songs: list[Path], tmp_path: Path) -> Callable[[str], Path]:
    """Write the example's two walks as an album of tiny films, by a network that was never trained."""

    def write(name: str) -> Path:
        folder = tmp_path / name
        preset = write_walk(folder, move_beats=2, move_s=1.0)
        values = read_yaml(EXAMPLE / "render.yaml")
        tracks = [track for track in values["tracks"] if track["preset"] == "walk"]
        for track, song in zip(tracks, songs, strict=True):
            track["preset"] = preset.name
            (folder / track["src"]).write_bytes(song.read_bytes())
        values |= {"tracks": tracks, "resolution": [128, 64], "frame_rate": 24, "kernels": "eager"}
        (folder / "render.yaml").write_text(yaml.safe_dump(values))
        return folder

    return write


def rendered(folder: Path, *, stop_after: int | None = None) -> tuple[AlbumFilm, dict[str, Trajectory]]:
    """Render an album; give what came of it, and what was planned of each track that was drawn."""
    planned: dict[str, Trajectory] = {}
    track = ""

    def look(event: dict[str, Any]) -> None:
        nonlocal track
        if event["event"] == "plan":
            track = event["track"]
        elif event["event"] == "progress" and track not in planned:
            stored = Trajectory.load(folder / "renders" / "four-rooms" / track / "work" / "trajectory")
            tables = {name: np.array(table) for name, table in stored.tables.items()}
            planned[track] = replace(stored, rows=np.array(stored.rows), tables=tables)
        if event["event"] == "progress" and track == WALKS[1] and event["rendered"] > (stop_after or np.inf):
            raise _Stopped

    return render_album(read_album(folder), AlbumRun(workers=1, previews=False), on_event=look), planned


def test_its_walks_go_among_anchors_of_their_own_and_resume_to_the_same_bytes(
    write: Callable[[str], Path],
) -> None:
    calm, planned = rendered(write("calm"))
    first, second = (planned[walk] for walk in WALKS)
    own, others = ({anchor.tobytes() for anchor in walk.tables["anchors"]} for walk in (first, second))
    assert len(own) == len(others) == 6
    assert len(own & others) < 3
    assert np.array_equal(first.tables["noises"], second.tables["noises"])  # the rest is of one seed
    assert first.fixed["networks"] == second.fixed["networks"]
    for walk in (first, second):
        assert np.ptp(walk.rows[:, :6], axis=0).max() > 0.2  # it goes from one to another

    stopped = write("stopped")
    with pytest.raises(_Stopped):
        rendered(stopped, stop_after=100)
    again, _ = rendered(stopped)
    assert (again.recognised, again.rendered) == (WALKS[:1], WALKS[1:])
    parts = json.loads((again.folder / WALKS[1] / "meta.json").read_text())["segments"]
    assert [part["resumed"] for part in parts] == [True, False]
    assert calm.film is not None
    assert again.film is not None
    for one, other in ((calm.film, again.film), *((calm.tracks[w], again.tracks[w]) for w in WALKS)):
        assert one.read_bytes() == other.read_bytes()
