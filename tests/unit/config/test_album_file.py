"""Albums as files: what is accepted, what lies over what, and one clear error for everything else."""

import json
import os
import re
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from synesthete.config.album import MAX_TRACKS, Album
from synesthete.config.album_file import AlbumFiles, read_album
from synesthete.config.base import MAX_YAML_BYTES
from synesthete.config.modulation import Modulation
from synesthete.errors import ConfigError

# The examples of the seed (003, 7.3 and 13 A), as they stand there.
RENDER_YAML = """\
output_root: renders/2025-11-07_album-v1
frame_rate: 60
resolution: [1920, 1080]
audio:
  sample_rate: 48000
  normalization: -14
controller:
  preset: pulse
  smoothing_alpha: 0.92
  wander_seed: 42
  tempo_sync:
    enabled: true
    subdivision: 0.5
decoder:
  batch_size: 32
  execution_provider: cuda
postfx:
  tone_curve: filmlog
  grain_intensity: 0.15
  chroma_shift: 0.004
tracks:
  - id: opening
    src: 01-opening.wav
    preset: drift
    trim:
      start: 2.0
      end: null
  - id: interference
    src: 02-interference.wav
    preset: pulse
"""
TRACKLIST_JSON = """\
[
  {
    "id": "opening",
    "src": "01-opening.wav",
    "title": "Opening",
    "artist": "noise-to-signal",
    "bpm": 120,
    "key": "Am",
    "art": "cover.png",
    "markers": [15.2, 42.7, 75.0]
  },
  {
    "id": "interference",
    "src": "02-interference.wav",
    "title": "Interference",
    "artist": "noise-to-signal",
    "bpm": 98,
    "key": "F#m"
  },
  {
    "id": "signal",
    "src": "03-signal.wav",
    "title": "Signal",
    "artist": "noise-to-signal",
    "bpm": 132,
    "key": "C#m",
    "loop": false
  }
]
"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write an album's files; what they name need not be there."""

    def write(config: str | bytes | None = None, tracklist: str | bytes | None = None) -> Path:
        for name, content in (("render.yaml", config), ("tracklist.json", tracklist)):
            if content is not None:
                (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return write


def refusal(folder: Path, config: Path | None = None) -> str:
    """The one sentence that reading the album ends in, within a minute of computing."""
    started = time.process_time()
    with pytest.raises(ConfigError) as failure:
        read_album(folder, config)
    assert time.process_time() - started < 60
    message = str(failure.value)
    assert len(message.splitlines()) == 1
    assert len(message) < 1000
    return message.replace(f"{folder}/", "")


# What is accepted ------------------------------------------------------------------------------------------


def test_the_seeds_render_yaml_is_accepted_with_every_field(write: Write) -> None:
    files = read_album(write(RENDER_YAML))
    album = files.album
    assert (album.output_root, album.frame_rate, album.resolution) == (
        "renders/2025-11-07_album-v1",
        Fraction(60),
        "1920x1080",
    )
    assert (album.audio.sample_rate, album.audio.normalization, album.decoder.batch_size) == (48000, -14, 32)
    first, second = files.looks
    assert (first.preset, second.preset) == ("drift", "pulse")
    for look in files.looks:
        controller, post = look.controller, look.postfx
        assert (controller.preset, controller.smoothing_alpha, controller.wander_seed) == ("pulse", 0.92, 42)
        assert controller.tempo_sync is not None
        assert controller.tempo_sync.subdivision == 0.5
        assert post.tone_curve == "filmlog"
        assert (post.grain_intensity, post.chroma_shift) == (Modulation(base=0.15), Modulation(base=0.004))
    assert (album.tracks[0].trim.start, album.tracks[0].trim.end) == (Fraction(2), None)


def test_the_seeds_tracklist_is_accepted_with_every_field(write: Write) -> None:
    opening, interference, signal = read_album(write(None, TRACKLIST_JSON)).album.tracks
    assert (opening.title, opening.artist, opening.bpm, opening.key, opening.art) == (
        "Opening",
        "noise-to-signal",
        120,
        "Am",
        "cover.png",
    )
    assert [float(moment) for moment in opening.markers] == [15.2, 42.7, 75.0]
    assert (interference.key, signal.loop) == ("F#m", False)


@pytest.mark.parametrize(
    "change", [lambda t: t.replace("\n", "\r\n"), lambda t: "\ufeff" + t, lambda t: t.replace("\n", "\n\n")]
)
def test_line_ends_and_byte_order_marks_change_nothing(write: Write, change: Callable[[str], str]) -> None:
    plain = read_album(write(RENDER_YAML, TRACKLIST_JSON))
    assert read_album(write(change(RENDER_YAML), change(TRACKLIST_JSON))) == plain


def test_what_yaml_reads_as_another_type_is_understood(write: Write) -> None:
    album = read_album(write("date: 2025\nscenes: off\nframe_rate: 29.97\ntracks: [{src: a.wav}]")).album
    assert (album.date, album.scenes and album.scenes.kind) == ("2025", "off")
    assert album.frame_rate == Fraction(30_000, 1001)
    for aspect in ("16:9", "9:16", "1:1", "4:5", "21:9"):
        assert read_album(write(f"aspect: {aspect}\ntracks: [{{src: a.wav}}]")).album.aspect == aspect
    assert read_album(write("date: 2025-11-07\ntracks: [{src: a.wav}]")).album.date == "2025-11-07"
    trimmed = read_album(write("tracks: [{src: a.wav, trim: {start: 1:30, end: '2:00.5'}}]")).album.tracks[0]
    assert (trimmed.trim.start, trimmed.trim.end) == (90, Fraction("120.5"))


# Which tracks, in which order ------------------------------------------------------------------------------


def test_the_yamls_tracks_lie_over_the_lists_by_id_and_the_list_has_the_order(write: Write) -> None:
    config = """
tracks:
  - {id: signal, title: "Signal, again", trim: {end: 9}}
  - {id: extra, src: 04-extra.wav}
  - {id: opening, preset: silk, bpm: 90}
"""
    tracks = read_album(write(config, TRACKLIST_JSON)).album.tracks
    assert [track.id for track in tracks] == ["opening", "interference", "signal", "extra"]
    assert (tracks[0].bpm, tracks[0].key, tracks[0].preset) == (90, "Am", "silk")
    assert (tracks[2].title, tracks[2].src, tracks[2].trim.end) == ("Signal, again", "03-signal.wav", 9)


def test_a_track_without_an_id_is_named_after_its_file(write: Write) -> None:
    tracks = read_album(write("tracks: [{src: disc 1/01 - Jóga (live).flac}]")).album.tracks
    assert [track.id for track in tracks] == ["01-j-ga-live"]


def test_without_files_the_sounds_in_the_folder_are_the_album(tmp_path: Path) -> None:
    names = ["10 ten.FLAC", "2 two.mp3", "1 one.wav", "音.ogg", "楽.ogg", "1_one.ogg"]
    for name in [*names, "cover.png", "notes.txt", ".hidden.wav", "album.mp4"]:
        (tmp_path / name).touch()
    (tmp_path / "stems.wav").mkdir()
    tracks = read_album(tmp_path).album.tracks
    assert [track.src for track in tracks] == [
        "1 one.wav",
        "1_one.ogg",
        "2 two.mp3",
        "10 ten.FLAC",
        "楽.ogg",
        "音.ogg",
    ]
    assert [track.id for track in tracks] == [
        "1-one", "1-one-2", "2-two", "10-ten", "untitled", "untitled-2",
    ]  # fmt: skip


def test_a_render_yaml_without_tracks_goes_with_the_sounds_in_the_folder(write: Write) -> None:
    folder = write("title: Found\n")
    (folder / "a.wav").touch()
    assert [track.id for track in read_album(folder).album.tracks] == ["a"]


def test_another_yaml_of_the_folder_may_be_named(write: Write) -> None:
    folder = write("nosuch: 1\n", TRACKLIST_JSON)
    (folder / "night.yaml").write_text("title: Night\n")
    assert read_album(folder, folder / "night.yaml").album.title == "Night"


# What lies over what ---------------------------------------------------------------------------------------

LAYERED = """
seed: 1
preset: silk
controller: {preset: pulse, smoothing_alpha: 0.5}
postfx: {grain_intensity: 0.2, chroma_shift: 0.01}
tracks:
  - {id: a, src: a.wav}
  - {id: b, src: b.wav, seed: 2, controller: {preset: drift}, postfx: {chroma_shift: 0.0}}
"""


def seen(files: AlbumFiles) -> list[tuple[object, ...]]:
    return [
        (look.preset, look.seed, look.controller.preset, look.controller.smoothing_alpha,
         look.postfx.tone_curve, steady(look.postfx.grain_intensity), steady(look.postfx.chroma_shift))
        for look in files.looks
    ]  # fmt: skip


def steady(amount: Modulation | None) -> float | None:
    assert amount is None or not amount.by
    return None if amount is None else amount.base


def test_house_album_and_track_lie_over_one_another_field_by_field(write: Write) -> None:
    assert seen(read_album(write(LAYERED))) == [
        ("silk", 1, "pulse", 0.5, None, 0.2, 0.01),
        ("silk", 2, "drift", 0.5, None, 0.2, 0.0),
    ]


def test_the_command_line_lies_over_all_and_its_single_fields_come_last(write: Write) -> None:
    files = read_album(
        write(LAYERED),
        changes={"preset": "medusa", "frame_rate": "60"},
        assignments=[
            "controller.preset=lumen",
            "postfx.chroma_shift=0.02",
            "frame_rate=50",
            "audio.limiter=true",
        ],
    )
    assert seen(files) == [
        ("medusa", 1, "lumen", 0.5, None, 0.2, 0.02),
        ("medusa", 2, "lumen", 0.5, None, 0.2, 0.02),
    ]
    assert (files.album.frame_rate, files.album.audio.limiter) == (50, True)


def test_a_field_in_a_list_can_be_set(write: Write) -> None:
    folder = write("style: [0, 0.5, 0, 1]\ntracks: [{src: a.wav}]")
    (look,) = read_album(folder, assignments=["style.0=1.5"]).looks
    assert look.style == (1.5, 0.5, 0, 1)


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("tracks.0.seed=1", "--set tracks… is not possible; edit the file, or choose tracks by --track"),
        ("tracks=[]", "--set tracks… is not possible"),
        ("trim.start=1", "options: trim is no known field"),
        ("nosuch.deep=1", "options: nosuch is no known field"),
        ("style.0=1", "options: style = {'0': 1}"),
        ("controller=drift", "options: controller = 'drift'"),
        ("audio.normalization=.nan", "options: audio.normalization = nan: should be a finite number"),
        ("seed", "--set 'seed' is not of the form key=value"),
        ("resolution=banana", "options: resolution = 'banana'"),
        ("aspect=1:1", r"options: aspect .* fixes both sides"),
    ],
)
def test_single_fields_that_can_not_be_set(write: Write, assignment: str, expected: str) -> None:
    folder = write("resolution: [640, 360]\ntracks: [{src: a.wav}]")
    with pytest.raises(ConfigError, match=expected):
        read_album(folder, assignments=[assignment])


# What is refused, and where it is ---------------------------------------------------------------------------

PLACES: dict[str, tuple[str | None, str | None, str]] = {
    "a field of the album": (
        "title: x\naudio:\n  sample_rate: 48000\n  normalization: 3\ntracks: [{src: a.wav}]\n",
        None,
        "render.yaml, line 4: audio.normalization = 3: should be less than or equal to -5",
    ),
    "a frame rate": (
        "frame_rate: 12\ntracks: [{src: a.wav}]",
        None,
        "render.yaml, line 1: frame_rate = 12: frame rate '12' is outside",
    ),
    "no frame rate": (
        "frame_rate: .nan\ntracks: [{src: a.wav}]",
        None,
        "render.yaml, line 1: frame_rate = nan",
    ),
    "an odd size": ("resolution: [63, 64]\ntracks: [{src: a.wav}]", None, "render.yaml, line 1: resolution"),
    "no size": ("resolution: huge\ntracks: [{src: a.wav}]", None, "render.yaml, line 1: resolution = 'huge'"),
    "a shape beside a size": (
        "resolution: 64x64\naspect: '1:1'\ntracks: [{src: a.wav}]",
        None,
        "render.yaml, line 2: aspect = '1:1'",
    ),
    "an unknown field": (
        "titel: x\ntracks: [{src: a.wav}]",
        None,
        "render.yaml, line 1: titel is no known field",
    ),
    "an unknown field of a track": (
        "tracks:\n- src: a.wav\n- src: b.wav\n  sed: 1\n",
        None,
        "render.yaml, line 4: tracks.1.sed is no known field",
    ),
    "a track without a file": ("tracks:\n- id: a\n", None, "render.yaml, line 2: tracks.0.src is missing"),
    "a field of the list": (
        None,
        TRACKLIST_JSON.replace("98", "9"),
        "tracklist.json, line 17: tracks.1.bpm = 9",
    ),
    "a field of a list with tabs": (
        None,
        '[\n\t{\n\t\t"src": "a.wav",\n\t\t"bpm": 5}]',
        "tracklist.json, line 4: tracks.0.bpm = 5",
    ),
    "an overlaid field": (
        "tracks:\n- id: opening\n  bpm: 9\n",
        TRACKLIST_JSON,
        "render.yaml, line 3: tracks.0.bpm = 9",
    ),
    "a field that is not overlaid": (
        "tracks:\n- id: opening\n  seed: 9\n",
        TRACKLIST_JSON.replace("120", "12"),
        "tracklist.json, line 7: tracks.0.bpm = 12",
    ),
    "a backward trim": (
        "tracks:\n- src: a.wav\n  trim: {start: 3, end: 3}\n",
        None,
        "render.yaml, line 3: .*must lie after start 3 s",
    ),
    "infinity": (None, '[{"src": "a.wav", "bpm": 1e999}]', "tracklist.json, line 1: tracks.0.bpm = inf"),
    "not a number": (
        None,
        '[{"src": "a.wav", "bpm": NaN}]',
        "tracklist.json, line 1: NaN is no number in JSON",
    ),
    "an id that is a path": ("tracks: [{id: ../a, src: a.wav}]", None, "line 1: tracks.0.id = '../a'"),
    "an id that is a number": ("tracks: [{id: 1, src: a.wav}]", None, "line 1: tracks.0.id = 1"),
    "an id that is a list": (
        None,
        '[{"id": [1], "src": "a.wav"}]',
        "line 1: tracks.0.id = .1.: should be a valid string",
    ),
    "an id that is a mapping": (None, '[{"id": {}, "src": "a"}, {"src": "b"}]', "line 1: tracks.0.id = {}"),
    "an id that is nothing": (None, '[{"id": null, "src": "a.wav"}]', "line 1: tracks.0.id = None"),
    "ids given twice": (
        "tracks: [{id: a, src: a.wav}, {id: a, src: b.wav}]",
        None,
        "the track id 'a' is given twice",
    ),
    "ids that differ by case": (
        "tracks: [{id: Intro, src: a.wav}, {id: intro, src: b.wav}]",
        None,
        "the track id 'intro' is given twice",
    ),
    "ids given twice in the list": (None, '[{"src": "x/a.wav"}, {"src": "y/a.wav"}]', "'a' is given twice"),
    "a second overlay": (
        "tracks: [{id: opening, seed: 1}, {id: opening, seed: 2}]",
        TRACKLIST_JSON,
        "line 1: tracks.3.src is missing",
    ),
    "a key given twice": ("seed: 1\nseed: 2\n", None, "render.yaml, line 2: 'seed' is given twice"),
    "a key given twice in JSON": (
        None,
        '[{"src": "a"},\n {"src": "b",\n  "src": "c"}]',
        "tracklist.json, line 3: 'src' is given twice",
    ),
    "no number further down": (
        None,
        '[{"src": "NaN",\n "bpm": -Infinity}]',
        "tracklist.json, line 2: -Infinity is no number",
    ),
    "tracks that are a mapping": (
        "title: x\ntracks: {a: 1}\n",
        None,
        "line 2: tracks must be a list of mappings",
    ),
    "tracks that are nothing": ("tracks:\n", None, "line 1: tracks must be a list of mappings"),
    "a list that is a mapping": (None, '{"tracks": []}', "tracklist.json must hold a list of tracks"),
    "a list of texts": (None, '["a.wav"]', "tracklist.json must hold a list of tracks"),
    "broken JSON": (None, '[\n{"src": }]', "tracklist.json, line 2: Expecting value; correct the JSON"),
    "an empty list": (None, "", "tracklist.json, line 1: Expecting value"),
    "no album at all": (None, None, "holds no sound files, no render.yaml and no tracklist.json"),
    "a stray surrogate": (None, '[{"src": "a.wav", "title": "\\ud800"}]', "tracklist.json.*: tracks.0.title"),
    "a wrong style": ("style: [1, 2]\ntracks: [{src: a.wav}]", None, "line 1: style = .1, 2."),
    "a wrong key": ("tracks: [{src: a.wav, key: H}]", None, "line 1: tracks.0.key = 'H'"),
}


@pytest.mark.parametrize("case", PLACES)
def test_errors_name_file_line_and_field(write: Write, case: str) -> None:
    config, tracklist, expected = PLACES[case]
    message = refusal(write(config, tracklist))
    assert re.search(expected, message), message
    assert "after validation, not 0" not in message


BOMB = "a: &a [x, x, x]\n" + "\n".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}]" for a, b in zip("abcdefghij", "bcdefghijk", strict=True)
)
HOSTILE: dict[str, tuple[str | bytes | None, str | bytes | None, str]] = {
    "aliases": (BOMB, None, "line 2: aliases"),
    "10,000 tracks": (
        "tracks:\n" + "".join(f"- {{id: t{i}, src: a.wav}}\n" for i in range(10_000)),
        None,
        "holds too much",
    ),
    "10,000 short tracks": (
        "tracks: [" + "{}," * 10_000 + "]",
        None,
        "has 10000 tracks; an album has at most 500",
    ),
    "10,000 listed tracks": (
        None,
        json.dumps([{"src": f"a{i}.wav"} for i in range(10_000)]),
        "tracklist.json has 10000 tracks",
    ),
    "too many together": (
        "tracks: [" + ",".join(f"{{src: b{i}.wav}}" for i in range(300)) + "]",
        json.dumps([{"src": f"a{i}.wav"} for i in range(300)]),
        "an album has 1 to 500 tracks, not 600",
    ),
    "500 faulty tracks": (
        None,
        json.dumps([{"src": f"a{i}", "seed": "x" * 500} for i in range(500)]),
        "497 more",
    ),
    "10 MB of YAML": (b"#" * 10_000_000, None, "has 10000000 bytes"),
    "10 MB of JSON": (None, b" " * 10_000_000, "has 10000000 bytes"),
    "as many lines as there may be": ("\n" * MAX_YAML_BYTES, None, "must hold a mapping"),
    "a number that is read for minutes": ("title: 1" + ":1" * 200_000, None, "over 10000 characters"),
    "a long number": (None, f'[{{"src": "a", "bpm": {"9" * 5000}}}]', "Exceeds the limit"),
    "deep YAML": ("a: " + "[" * 100_000, None, "nested over 30 levels"),
    "deep JSON": (None, "[" * 100_000, "maximum recursion depth"),
    "JSON as deep as may be": (
        None,
        '[{"id": "a", "src": ' + "[" * 900 + "]" * 900 + "}]",
        "tracks.0.src = ",
    ),
    "binary": (bytes(range(256)), None, "is not UTF-8 text"),
    "binary JSON": (None, bytes(range(256)), "is not UTF-8 text"),
    "UTF-16": (None, TRACKLIST_JSON.encode("utf-16"), "is not UTF-8 text"),
    "nothing": ("", None, "must hold a mapping"),
    "tabs": ("audio:\n\tlimiter: true\n", None, "line 2: found character"),
    "code": ("title: !!python/object/apply:os.system [touch pwned]\n", None, "line 1: could not determine"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused_soon_and_in_one_sentence(write: Write, case: str) -> None:
    config, tracklist, expected = HOSTILE[case]
    assert expected in refusal(write(config, tracklist))


def test_a_folder_of_10_000_sounds_is_refused_soon(tmp_path: Path) -> None:
    for number in range(10_000):  # names that all make the same id
        (tmp_path / f"{''.join(chr(0x4E00 + int(digit)) for digit in str(number))}.wav").touch()
    assert f"holds 10000 sound files; an album has at most {MAX_TRACKS} tracks" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["render.yaml", "tracklist.json"])
@pytest.mark.parametrize("target", ["../secret", "/etc/hostname", "../nowhere", "render.yaml"])
def test_an_album_file_that_is_a_link_out_is_not_read(tmp_path: Path, name: str, target: str) -> None:
    folder = tmp_path / "album"
    folder.mkdir()
    (folder / "a.wav").touch()
    (tmp_path / "secret").write_text("title: secret-content\n")
    if target == name:
        target = f"./{name}"
    (folder / name).symlink_to(target)
    if target == "render.yaml":
        (folder / target).symlink_to(name)
    message = refusal(folder)
    assert "leads out of" in message or "can't be followed" in message
    assert "secret-content" not in message


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "night.yaml")
    assert "night.yaml is no regular file" in refusal(tmp_path, tmp_path / "night.yaml")


@pytest.mark.parametrize("name", ["render.yaml", "tracklist.json"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_stands_in_an_album_files_place_is_not_passed_over(
    tmp_path: Path, name: str, make: Callable[[Path], None]
) -> None:
    (tmp_path / "a.wav").touch()
    make(tmp_path / name)
    assert re.search(f"{name} is no regular file|cannot read {name}", refusal(tmp_path))


def test_a_file_is_no_album(write: Write) -> None:
    file = write("title: x\n") / "render.yaml"
    assert "is no folder; name the album's folder" in refusal(file)


def test_an_album_needs_a_track() -> None:
    with pytest.raises(ValueError, match="an album has 1 to 500 tracks, not 0"):
        Album(tracks=())


def test_tracks_without_a_list_go_by_their_places_where_all_have_one(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav", "Re: c.wav"):
        (tmp_path / name).touch()
    places = {"a.wav": 3, "b.wav": 1, "Re: c.wav": 2}

    def order(known: dict[str, int]) -> list[str]:
        album = read_album(tmp_path, place_of=lambda path: known.get(path.name)).album
        return [track.src for track in album.tracks]

    assert order(places) == ["b.wav", "Re: c.wav", "a.wav"]
    assert order({"a.wav": 3, "b.wav": 1}) == ["a.wav", "b.wav", "Re: c.wav"]
    assert order(dict.fromkeys(places, 1)) == ["a.wav", "b.wav", "Re: c.wav"]
