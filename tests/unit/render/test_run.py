import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from synesthete.errors import BusyError, OutputError
from synesthete.files import digest_file, write_json
from synesthete.render.plan import Segment
from synesthete.render.run import FINISHED, RunFolder

HOLDER = """
import sys
from pathlib import Path
from synesthete.render.run import RunFolder
with RunFolder(Path(sys.argv[1])).opened():
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "renders" / "run")


@pytest.fixture
def piece(folder: RunFolder) -> Path:
    """A finished piece of the run, stored under the key ``k``."""
    folder.work.mkdir(parents=True)
    path = folder.segment_path(Segment(2, 0, 10), "k" * 64)
    path.write_bytes(bytes(range(200)))
    folder.store(path, "k" * 64, frames=10, seconds=0.5)
    return path


# The lock ---------------------------------------------------------------------------------------------------


def test_a_second_process_is_told_to_wait(folder: RunFolder) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(
                BusyError, match=r"another process is rendering .*run; wait for it, or render with"
            ) as e,
            folder.opened(),
        ):
            pass
        assert e.value.exit_status == 1
        holder.kill()
    with folder.opened():  # the lock died with its process
        pass


def test_the_lock_is_free_again_after_a_failure(folder: RunFolder) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="oops"), folder.opened():
            raise ValueError("oops")


def test_opening_sweeps_what_a_killed_process_left(folder: RunFolder) -> None:
    for place in (folder.path, folder.work, folder.previews):
        place.mkdir(parents=True, exist_ok=True)
        (place / ".film.12ab34cd.mp4.part").touch()
        (place / "kept").touch()
    with folder.opened():
        left = sorted(path.name for path in folder.path.rglob("*") if path.is_file())
    assert left == [".lock", "kept", "kept", "kept"]


def test_a_run_where_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "renders").touch()
    with pytest.raises(OutputError, match="cannot write"), RunFolder(tmp_path / "renders" / "run").opened():
        pass


# Finished pieces --------------------------------------------------------------------------------------------


def test_a_stored_piece_is_found_with_its_facts(folder: RunFolder, piece: Path) -> None:
    stored = folder.stored(piece, "k" * 64)
    assert stored is not None
    assert stored.path == piece
    assert stored.facts == {"key": "k" * 64, "sha256": digest_file(piece), "frames": 10, "seconds": 0.5}


def test_names_hold_index_and_key(folder: RunFolder) -> None:
    one, other = (folder.segment_path(Segment(7, 0, 9), key * 64).name for key in "ab")
    assert one == "segment-00007-aaaaaaaaaaaaaaaa.mp4"
    assert one != other


DAMAGE: dict[str, Callable[[Path], object]] = {
    "one bit flipped": lambda p: p.write_bytes(bytes([1, *range(1, 200)])),
    "truncated": lambda p: p.write_bytes(p.read_bytes()[:-1]),
    "longer": lambda p: p.write_bytes(p.read_bytes() + b"x"),
    "empty": lambda p: p.write_bytes(b""),
    "gone": lambda p: p.unlink(),
    "no sidecar": lambda p: p.with_suffix(".json").unlink(),
    "half a sidecar": lambda p: p.with_suffix(".json").write_text('{"key": "kkk'),
    "a sidecar without key": lambda p: p.with_suffix(".json").write_text("{}"),
    "a sidecar of another kind": lambda p: p.with_suffix(".json").write_text("[1]"),
    "a binary sidecar": lambda p: p.with_suffix(".json").write_bytes(b"\xff\xfe\xff"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_piece_is_not_finished(folder: RunFolder, piece: Path, damage: str) -> None:
    DAMAGE[damage](piece)
    assert folder.stored(piece, "k" * 64) is None


def test_a_piece_of_another_key_is_not_taken(folder: RunFolder, piece: Path) -> None:
    assert folder.stored(piece, "l" * 64) is None


# Finished films ---------------------------------------------------------------------------------------------


@pytest.fixture
def film(folder: RunFolder) -> RunFolder:
    folder.previews.mkdir(parents=True)
    folder.work.mkdir()
    (folder.previews / "sheet.png").touch()
    folder.film.write_bytes(b"a film")
    facts = {"sha256": digest_file(folder.film), "bytes": 6}
    write_json(folder.manifest, {"status": FINISHED, "film": facts, "frames": 10})
    return folder


def test_a_finished_run_is_recognised(film: RunFolder) -> None:
    manifest = film.finished()
    assert manifest is not None
    assert manifest["frames"] == 10


FILM_DAMAGE: dict[str, Callable[[RunFolder], object]] = {
    "altered": lambda f: f.film.write_bytes(b"a fiLm"),
    "truncated": lambda f: f.film.write_bytes(b"a fil"),
    "gone": lambda f: f.film.unlink(),
    "no manifest": lambda f: f.manifest.unlink(),
    "half a manifest": lambda f: f.manifest.write_text(f.manifest.read_text()[:-20]),
    "unfinished": lambda f: f.manifest.write_text(f.manifest.read_text().replace(FINISHED, "rendering")),
    "no facts": lambda f: f.manifest.write_text(json.dumps({"status": FINISHED})),
    "film is a number": lambda f: f.manifest.write_text(json.dumps({"status": FINISHED, "film": 3})),
    "a list": lambda f: f.manifest.write_text("[]"),
}


@pytest.mark.parametrize("damage", FILM_DAMAGE)
def test_a_damaged_film_is_not_finished(film: RunFolder, damage: str) -> None:
    FILM_DAMAGE[damage](film)
    assert film.finished() is None


def test_clearing_leaves_the_lock(film: RunFolder) -> None:
    with film.opened():
        film.clear()
        assert [path.name for path in film.path.iterdir()] == [".lock"]
        film.clear()
