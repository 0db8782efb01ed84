"""Where on its album a track lies, by its file's tags."""

from collections.abc import Callable
from pathlib import Path

import av
import pytest

from synesthete.render.album_init import track_number


@pytest.mark.parametrize(
    ("tags", "place"),
    [
        ({"track": "3/12"}, 10_003),
        ({"track": "2", "disc": "2/2"}, 20_002),
        ({}, None),
        ({"track": "x"}, None),
    ],
)
def test_a_place_counts_over_discs(
    tmp_path: Path, make_song: Callable[..., Path], tags: dict[str, str], place: int | None
) -> None:

    path = tmp_path / "song.m4a"
    with av.open(str(make_song(0.5))) as source, av.open(str(path), "w") as target:
        target.metadata.update(tags)
        stream = target.add_stream("aac", rate=44_100)
        for frame in source.decode(audio=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))

    assert track_number(path) == place


def test_what_is_no_sound_has_no_place(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(b"nothing")

    assert track_number(tmp_path / "x.wav") is None
