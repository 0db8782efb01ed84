"""A film brought to a loudness: what is reported is what is heard, and the picture knows nothing of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import synesthete
from synesthete.media.decode import decode_sound
from synesthete.media.loudness import measure_loudness
from synesthete.media.mux import iterate_frames

SONG = Path(__file__).parents[2] / "album" / "jazz-vibe-ace.ogg"
SHORT: dict[str, Any] = {
    "start": 20, "end": 23, "resolution": "64x64", "kernels": "eager", "fps": 24, "workers": 1,
    "certificate": False,
}  # fmt: skip


@pytest.mark.parametrize(("limiter", "target"), [(False, -14.0), (True, -14.0)])
def test_the_loudness_that_is_reported_is_heard(
    workspace: Path, manifest_of: Callable[[Path], dict[str, Any]], limiter: bool, target: float
) -> None:
    film = synesthete.render(SONG, workspace=workspace, loudness=target, limiter=limiter, **SHORT)
    told = manifest_of(workspace)["sound"]["loudness"]
    assert (told["target_lufs"], told["limited"]) == (target, limiter)
    if limiter:
        assert told["reached_lufs"] == pytest.approx(target, abs=0.12)
    else:
        assert told["held_back_db"] > 0.3
        assert told["reached_lufs"] == pytest.approx(target - told["held_back_db"], abs=0.02)
    assert told["reached_peak_dbtp"] <= -0.9
    heard = measure_loudness(film.film)
    assert heard.integrated_lufs == pytest.approx(told["reached_lufs"], abs=0.5)
    assert heard.true_peak_dbtp is not None
    assert heard.true_peak_dbtp <= -0.5


def test_the_same_command_gives_the_same_film_and_the_same_picture(workspace: Path, tmp_path: Path) -> None:
    loud = {**SHORT, "end": 21, "loudness": -12, "limiter": True}
    film = synesthete.render(SONG, workspace=workspace, **loud).film
    again = synesthete.render(SONG, workspace=tmp_path / "again", **loud).film
    assert film.read_bytes() == again.read_bytes()
    plain = synesthete.render(SONG, workspace=tmp_path / "plain", **{**SHORT, "end": 21}).film
    assert plain.parent.name != film.parent.name
    for one, other in zip(iterate_frames(film), iterate_frames(plain), strict=True):
        np.testing.assert_array_equal(one, other)
    sounds = [np.concatenate(list(decode_sound(path)), axis=1) for path in (film, plain)]
    assert sounds[0].shape == sounds[1].shape
    assert np.sqrt((sounds[0] ** 2).mean()) > 1.3 * np.sqrt((sounds[1] ** 2).mean())


def test_the_command_line_tells_what_was_reached(
    render: Callable[..., Any], make_song: Callable[..., Path]
) -> None:
    song = make_song(1.0)
    said = render(song, "--loudness", "-12", "--no-certificate").out
    assert "loudness   -1" in said
    assert "dB; true peak -1.0 dBTP; peaks forbid more (--limiter)" in said
    refused = render(song, "--limiter", status=2)
    assert refused.message.startswith("options: the limiter needs a loudness to reach")
    silent = make_song(1.0, silences=((0.0, 1.0),))
    assert "loudness   too soft" in render(silent, "--loudness", "-14", "--no-certificate").out
