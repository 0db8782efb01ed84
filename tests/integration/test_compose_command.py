"""``synesthete compose``: what it writes, what it prints, what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pretty_midi
import pytest

from synesthete.audio.compose import Truth
from synesthete.media.decode import decode_sound
from synesthete.media.probe import probe_sound

Command = Callable[..., Any]
SHORT = ("--seconds", "5", "--seed", "3", "--genre", "house", "--tempo", "120")


def samples(path: Path) -> np.ndarray:
    return np.concatenate(list(decode_sound(path)), axis=1)


def test_a_song_its_truth_its_stems_and_its_score(cli: Command, tmp_path: Path) -> None:
    song, stems, score = tmp_path / "new" / "song.flac", tmp_path / "stems", tmp_path / "song.mid"
    outcome = cli("compose", "-o", song, *SHORT, "--silence", "1", "--stems", stems, "--midi", score)
    assert outcome.status == 0, outcome
    info = probe_sound(song)
    assert (info.sample_rate, info.channels) == (44_100, 2)
    sound = samples(song)
    assert sound.shape == (2, 5 * 44_100)
    truth = Truth.from_json(json.loads((tmp_path / "new" / "song.json").read_text()))
    assert (truth.seconds, truth.tempo, truth.genre) == (5.0, 120.0, "house")
    start, stop = truth.silences[0]
    assert not sound[:, round(start * 44_100) : round(stop * 44_100)].any()
    parts = [samples(path) for path in stems.iterdir()]
    assert {path.stem for path in stems.iterdir()} >= {"drums", "bass", "room"}
    assert np.abs(sum(parts) - sound).max() < 1e-4
    assert any(part.is_drum for part in pretty_midi.PrettyMIDI(str(score)).instruments)
    assert "120 BPM at the start, 4 beats to the bar" in outcome.out
    assert "silence" in outcome.out


def test_json_says_where_and_what(cli: Command, tmp_path: Path) -> None:
    outcome = cli("compose", "-o", tmp_path / "song.wav", *SHORT, "--json")
    (line,) = outcome.out.splitlines()
    facts = json.loads(line)
    assert facts["output"] == str(tmp_path / "song.wav")
    assert facts["metre"] == 4
    assert len(facts["beats"]) in (9, 10, 11)


def test_the_same_command_writes_the_same_bytes(cli: Command, tmp_path: Path) -> None:
    for name in ("one.wav", "two.wav"):
        assert cli("compose", "-o", tmp_path / name, *SHORT).status == 0
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "two.wav").read_bytes()
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("-o", "song.mp3"), "does not end in .wav or .flac"),
        (("-o", "{here}/folder.wav"), "is a folder; name a file in it"),
        (("-o", "{here}/song.wav", "--seconds", "0"), "seconds = 0.0: should be greater than or equal to 1"),
        (("-o", "{here}/song.wav", "--tempo", "300"), "tempo = 300.0: should be less than or equal to 200"),
        (("-o", "{here}/song.wav", "--genre", "noise"), "'noise' is no genre; choose one of techno"),
        (("-o", "{here}/song.wav", "--key", "H major"), "'H major' is no key"),
        (("-o", "{here}/song.wav", "--midi", "{here}/score.txt"), "does not end in .mid or .midi"),
        (("-o", "{here}/song.wav", "--soundfont", "{here}/no.sf2"), "check the name"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    cli: Command, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    (tmp_path / "folder.wav").mkdir()
    outcome = cli("compose", *(argument.format(here=tmp_path) for argument in arguments))
    assert outcome.status == 2
    assert says in outcome.err
    assert list(tmp_path.iterdir()) == [tmp_path / "folder.wav"]
