import errno
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from synesthete.errors import OutputError, RenderError
from synesthete.files import (
    copy_whole,
    digest_bytes,
    digest_file,
    digest_json,
    folder_size,
    format_bytes,
    let_pages_go,
    make_folder,
    slug,
    sweep_parts,
    whole_file,
    write_json,
    write_whole,
    writing_to,
)


def test_a_file_appears_whole_with_its_folders(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "film.mp4"
    with whole_file(target) as part:
        part.write_bytes(b"half")
        assert not target.exists()
        assert part.parent == target.parent  # a rename never crosses file systems
        assert part.name.startswith(".film.")
        assert part.name.endswith(".mp4.part")
    assert target.read_bytes() == b"half"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError, MemoryError, BrokenPipeError])
@pytest.mark.parametrize("before", [None, b"the old one"])
def test_what_fails_leaves_no_trace(tmp_path: Path, error: type[BaseException], before: bytes | None) -> None:
    target = tmp_path / "film.mp4"
    if before is not None:
        target.write_bytes(before)

    def write() -> None:
        with whole_file(target) as part:
            part.write_bytes(b"half of the new one")
            raise error

    with pytest.raises(error):
        write()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([] if before is None else [before])


def test_a_block_that_writes_nothing_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file"), whole_file(tmp_path / "film.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_names_may_fill_the_limit_of_the_file_system(tmp_path: Path) -> None:
    target = tmp_path / ("ö" * 125 + ".json")
    write_whole(target, b"x")
    assert target.read_bytes() == b"x"
    with pytest.raises(OutputError, match="File name too long"):
        write_whole(tmp_path / ("x" * 251 + ".json"), b"x")
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("place", ["file/film.mp4", "file/deeper/film.mp4", "folder", "gone\0.mp4"])
@pytest.mark.parametrize("write", [lambda p: write_whole(p, b"x"), lambda p: copy_whole(Path(__file__), p)])
def test_places_that_can_not_be_written(tmp_path: Path, place: str, write: Callable[[Path], None]) -> None:
    (tmp_path / "file").write_bytes(b"a file")
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    if "\0" in place:
        with pytest.raises(ValueError, match="null"):
            write(tmp_path / place)
    else:
        with pytest.raises(OutputError, match=r"cannot write .+ \(.+\); choose another place$") as caught:
            write(tmp_path / place)
        assert str(tmp_path / place) in str(caught.value)
    assert {path.name for path in tmp_path.rglob("*")} == {"file", "folder", "inside"}


def test_a_full_disk_is_said_to_be_full() -> None:
    with (
        pytest.raises(RenderError, match=r"no space left while writing film\.mp4 .*free some and repeat"),
        writing_to(Path("film.mp4")),
        Path("/dev/full").open("wb", buffering=0) as device,
    ):
        device.write(b"x")


def test_a_limit_on_file_size_is_like_a_full_disk(tmp_path: Path) -> None:
    program = """
import resource, sys
from pathlib import Path
from synesthete.errors import RenderError
from synesthete.files import write_whole
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_whole(Path(sys.argv[1]), bytes(5000))
except RenderError as error:
    print(error)
"""
    target = tmp_path / "film.mp4"
    run = subprocess.run([sys.executable, "-c", program, target], capture_output=True, text=True, check=True)
    assert f"no space left while writing {target}" in run.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.EIO, errno.ENODEV, errno.ESTALE])
def test_a_failing_disk_is_ours_to_report(number: int) -> None:
    with (
        pytest.raises(
            RenderError, match=r"writing film\.mp4 failed \(.+\); check the disk and repeat"
        ) as caught,
        writing_to(Path("film.mp4")),
    ):
        raise OSError(number, os.strerror(number))
    assert caught.value.exit_status == 1


def test_a_broken_pipe_says_nothing_of_the_target() -> None:
    with pytest.raises(BrokenPipeError), writing_to(Path("film.mp4")):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_make_folder(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "a" / "b").is_dir()
    assert make_folder(tmp_path / "a").is_dir()
    (tmp_path / "file").touch()
    for place in ("file", "file/below"):
        with pytest.raises(OutputError, match=r"cannot write .*file"):
            make_folder(tmp_path / place)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_folder_where_nobody_may_write() -> None:
    with pytest.raises(OutputError, match=r"cannot write /proc/here"):
        make_folder(Path("/proc/here"))


def test_folders_that_forbid_writing_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root, whom no mode stops
    with pytest.raises(OutputError, match=r"\(Permission denied\); choose another place"):
        make_folder(tmp_path)


def test_only_parts_are_swept(tmp_path: Path) -> None:
    for name in (".film.1234.mp4.part", ".a.part", "film.mp4", "film.part", ".hidden"):
        (tmp_path / name).touch()
    (tmp_path / ".folder.part").mkdir()
    sweep_parts(tmp_path)
    sweep_parts(tmp_path / "not there")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".folder.part",
        ".hidden",
        "film.mp4",
        "film.part",
    ]


def test_json_is_readable_and_ordered(tmp_path: Path) -> None:
    value = {"b": ["Jóga", 1.5, None], "a": {"x": True}}
    write_json(tmp_path / "a.json", value)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert text.startswith('{\n  "b": [\n    "Jóga",')
    assert text.endswith("}\n")
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "b.json", {"x": float("nan")})
    assert not (tmp_path / "b.json").exists()


def test_file_names_that_are_not_utf8_survive_json(tmp_path: Path) -> None:
    name = os.fsdecode(b"song \xff.wav")
    write_json(tmp_path / "a.json", {"file": name})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"file": name}


def test_digests(tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000
    path = tmp_path / "data"
    path.write_bytes(data)
    assert digest_file(path) == digest_bytes(data) == hashlib.sha256(data).hexdigest()
    assert digest_json({"b": [1, 2.5], "a": "é"}) == digest_json({"a": "é", "b": [1, 2.5]})
    assert len({digest_json(v) for v in ({"a": 1}, {"a": "1"}, {"a": [1]}, {"a": None}, {}, [], "a")}) == 7
    assert digest_json({"a": [1, "é"]}) == hashlib.sha256(b'{"a":[1,"\\u00e9"]}').hexdigest()
    with pytest.raises(ValueError, match="JSON"):
        digest_json(float("inf"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Björk: Jóga (live)", "bj-rk-j-ga-live"),
        ("../../etc/passwd", "etc-passwd"),
        ("CON", "con"),
        ("   ", "untitled"),
        ("日本語", "untitled"),
        ("a" * 39 + " b", "a" * 39),
        (os.fsdecode(b"\xff\xfe.ogg"), "ogg"),
        ("a\0b\nc", "a-b-c"),
    ],
)
def test_slugs_are_safe_names(text: str, name: str) -> None:
    assert slug(text) == name


def test_folder_size_counts_files_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(1000))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b").write_bytes(bytes(234))
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert folder_size(tmp_path) == 1234
    assert folder_size(tmp_path / "not there") == 0


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_500_000, "1.5 MB"),
        (2e9, "2.0 GB"),
        (3e15, "3000.0 TB"),
    ],
)
def test_sizes_for_people(size: float, text: str) -> None:
    assert format_bytes(size) == text


def test_what_was_read_of_a_mapped_file_can_be_let_go_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "many.npy"
    np.save(path, np.arange(4_000_000, dtype=np.int64))
    mapped = np.load(path, mmap_mode="r")
    total = int(mapped.sum())

    def resident_kib() -> int:
        sizes, name = 0, ""
        for line in Path("/proc/self/smaps").read_text().splitlines():
            name = line if "-" in line.split(" ")[0] else name
            sizes += int(line.split()[1]) if line.startswith("Rss:") and str(path) in name else 0
        return sizes

    before = resident_kib() if Path("/proc/self/smaps").exists() else 0
    let_pages_go(mapped[5:])
    if before:
        assert resident_kib() < before / 4
    assert int(mapped.sum()) == total
    let_pages_go(np.zeros(3))  # nothing is mapped: nothing to do
