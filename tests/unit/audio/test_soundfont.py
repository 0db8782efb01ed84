"""Voices of a soundfont play the notes of the score; scores become MIDI files."""

from pathlib import Path

import numpy as np
import pretty_midi
import pytest

from made_soundfont import PITCH_HZ, RATE, write_soundfont
from synesthete.audio.compose import compose
from synesthete.audio.compose.general_midi import DRUM_NOTES, PROGRAMS, optional_module, write_midi
from synesthete.audio.compose.instruments import PATCHES
from synesthete.audio.compose.percussion import DRUMS
from synesthete.audio.compose.plan import Line
from synesthete.audio.compose.soundfont import Soundfont
from synesthete.errors import InputError


def line(*notes: tuple[float, float, int], voice: str = "piano") -> Line:
    starts, lengths, pitches = np.array(notes).T
    return Line("melody", voice, 1.0, starts, lengths, pitches.astype(np.int64), np.full(len(notes), 0.8))


def test_every_instrument_and_drum_has_its_place_in_general_midi() -> None:
    assert set(PROGRAMS) == set(PATCHES)
    assert set(DRUM_NOTES) == set(DRUMS)
    assert all(0 <= value < 128 for value in (*PROGRAMS.values(), *DRUM_NOTES.values()))


def test_a_soundfont_plays_notes_at_their_moments_and_pitches(tmp_path: Path) -> None:
    pytest.importorskip("tinysoundfont", reason="pip install --no-deps tinysoundfont")
    band = Soundfont(write_soundfont(tmp_path / "sine.sf2", program=PROGRAMS["piano"]))
    sound = band.play(line((0.5, 0.5, 69), (2.0, 0.5, 81)), 3 * RATE)
    assert sound is not None
    assert sound.shape == (2, 3 * RATE)
    mono = sound.mean(axis=0)
    assert np.abs(mono[: RATE // 2 - 500]).max() < 1e-4
    assert np.abs(mono[RATE // 2 : RATE // 2 + 1000]).max() > 0.05
    for start, factor in ((0.6, 1), (2.1, 2)):
        part = mono[round(start * RATE) : round((start + 0.3) * RATE)]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 2**17))
        assert np.argmax(spectrum) * RATE / 2**17 == pytest.approx(factor * PITCH_HZ, rel=0.01)
    assert np.abs(mono[round(1.5 * RATE) : round(1.9 * RATE)]).max() < 0.02


def test_a_song_is_the_same_score_with_other_voices_and_lacking_ones_are_ours(tmp_path: Path) -> None:
    pytest.importorskip("tinysoundfont", reason="pip install --no-deps tinysoundfont")
    band = Soundfont(write_soundfont(tmp_path / "sine.sf2", program=PROGRAMS["upright bass"]))
    own = compose(2, seconds=6.0, genre="jazz", keep_stems=True)
    other = compose(2, seconds=6.0, genre="jazz", keep_stems=True, soundfont=band)
    assert own.stems is not None
    assert other.stems is not None
    assert other.truth == own.truth
    assert not np.allclose(own.stems["bass"], other.stems["bass"], atol=1e-3)
    assert np.abs(other.stems["bass"]).max() > 0.01
    again = compose(2, seconds=6.0, genre="jazz", soundfont=band)
    assert again.sound.tobytes() == other.sound.tobytes()


def test_what_is_no_soundfont_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("tinysoundfont", reason="pip install --no-deps tinysoundfont")
    (tmp_path / "no.sf2").write_bytes(b"RIFF" + bytes(200))
    with pytest.raises(InputError, match="no soundfont that can be read"):
        Soundfont(tmp_path / "no.sf2")
    with pytest.raises(InputError, match="check the name"):
        Soundfont(tmp_path / "nowhere.sf2")


def test_a_missing_package_is_said_with_its_remedy() -> None:
    with pytest.raises(InputError, match=r"no_such_package is missing .* install it with: pip install x"):
        optional_module("no_such_package", "pip install x")


def test_a_score_holds_all_notes(tmp_path: Path) -> None:
    truth = compose(4, seconds=8.0, genre="house", tempo=120.0).truth
    write_midi(tmp_path / "song.mid", truth)
    score = pretty_midi.PrettyMIDI(str(tmp_path / "song.mid"))
    assert score.time_signature_changes[0].numerator == truth.metre
    for drums in (True, False):
        wrote = sorted(
            note.start for part in score.instruments if part.is_drum == drums for note in part.notes
        )
        meant = sorted(
            note.start_s for note in truth.notes if note.stem != "effects" and (note.pitch is None) == drums
        )
        assert len(wrote) == pytest.approx(len(meant), abs=0.02 * len(meant))
        assert np.abs(np.interp(wrote, meant, meant) - wrote).max() < 0.01
