"""``--preset auto``: a family of patterns, chosen by what is heard."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import SONG_RATE, music, write_wav
from synesthete.config.preset import FAMILIES

Command = Callable[..., Any]


@pytest.mark.parametrize(("gain", "families"), [(1.0, (True,)), (0.02, (False,))])
def test_loud_and_soft_music_get_other_families(
    tmp_path: Path, cli: Command, gain: float, families: tuple[bool, ...]
) -> None:
    song = write_wav(tmp_path / "song.wav", music(3.0) * gain, SONG_RATE)

    outcome = cli("render", song, "--preset", "auto", "--dry-run", "--workspace", tmp_path, "--json")

    assert outcome.status == 0, outcome
    chosen = outcome.events[0]["preset"]
    assert chosen in {name for (energetic, _), name in FAMILIES.items() if energetic in families}


def test_what_was_chosen_is_rendered_and_changed_as_if_it_had_been_named(
    song: Path, render: Command, workspace: Path
) -> None:
    outcome = render(song, "--preset", "auto", "--set", "cppn.surface.vignette=0.1", "--json", "--end", "1")

    (plan,) = (event for event in outcome.events if event["event"] == "plan")
    named = render(
        song, "--preset", plan["preset"], "--set", "cppn.surface.vignette=0.1", "--json", "--end", "1"
    )
    assert plan["preset"] in FAMILIES.values()
    assert next(event for event in named.events if event["event"] == "done")["segments_resumed"] > 0
