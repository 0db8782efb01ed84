"""Paths that files name lead below their own folder, and nowhere else."""

from pathlib import Path

import pytest

from synesthete.config.inside import place_inside
from synesthete.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An album's folder beside another that is nobody's business."""
    (tmp_path / "outside" / "deep").mkdir(parents=True)
    (tmp_path / "outside" / "secret.wav").write_bytes(b"secret")
    folder = tmp_path / "album"
    (folder / "disc 1").mkdir(parents=True)
    (folder / "disc 1" / "a.wav").write_bytes(b"sound")
    return folder


@pytest.mark.parametrize(
    "name",
    [
        "a.wav",
        "disc 1/a.wav",
        "./disc 1/a.wav",
        "disc 1//a.wav",
        "not there yet/x.wav",
        "Jóga – live.wav",
        "音楽.flac",
        "...wav",
        "a..b.wav",
        "..a/b.wav",
        "100%.wav",
        "#1.wav",
        "-o.wav",
        "a~b.wav",
        "a b",
        "$HOME",
        "what?.wav",
        "0:30 intro.wav",
    ],
)
def test_a_name_below_the_folder_is_that_file(folder: Path, name: str) -> None:
    assert place_inside(folder, name, where="src") == folder / name


def test_a_link_within_the_folder_may_be_followed(folder: Path) -> None:
    (folder / "linked.wav").symlink_to("disc 1/a.wav")
    assert place_inside(folder, "linked.wav", where="src").read_bytes() == b"sound"


def test_an_album_reached_by_a_link_is_a_folder_like_any_other(folder: Path) -> None:
    (folder.parent / "shortcut").symlink_to(folder)
    assert place_inside(folder.parent / "shortcut", "disc 1/a.wav", where="src").is_file()


REFUSED = {
    "": "is no path",
    "  ": "is no path",
    "\0": "is no path",
    "a.wav\0.png": "is no path",
    "x" * 1025: "is no path",
    "/etc/passwd": "is absolute",
    "//host/share/x": "is absolute",
    "\\\\host\\share\\x": "is absolute",
    "\\x.wav": "is absolute",
    "~/x.wav": "is absolute",
    "~root/x.wav": "is absolute",
    "..": "'..' is not allowed",
    "../outside/secret.wav": "'..' is not allowed",
    "disc 1/../../outside/secret.wav": "'..' is not allowed",
    "disc 1/../disc 1/a.wav": "'..' is not allowed",
    "..\\outside\\secret.wav": "'..' is not allowed",
    "disc 1\\..\\..\\outside\\secret.wav": "'..' is not allowed",
    "C:\\x.wav": "protocols and drives are not allowed",
    "c:x.wav": "protocols and drives are not allowed",
    "http://host/x.wav": "protocols and drives are not allowed",
    "HTTPS://host/x.wav": "protocols and drives are not allowed",
    "file:///etc/passwd": "protocols and drives are not allowed",
    "concat:a.wav|b.wav": "protocols and drives are not allowed",
    "pipe:0": "protocols and drives are not allowed",
    "data:audio/wav;base64,AAAA": "protocols and drives are not allowed",
    "|cat /etc/passwd": "protocols and drives are not allowed",
    "\ud800.wav": "can't be followed",
}


@pytest.mark.parametrize("name", REFUSED, ids=ascii)
def test_other_names_are_refused_in_one_sentence(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=REFUSED[name]) as failure:
        place_inside(folder, name, where="track a: src")
    message = str(failure.value)
    assert message.startswith("track a: src = ")
    assert len(message.splitlines()) == 1
    assert len(message) < 300 + len(str(folder))


@pytest.mark.parametrize("target", ["../outside/secret.wav", "../outside", "../nowhere", "/etc/hostname"])
def test_a_link_out_of_the_folder_is_refused(folder: Path, target: str) -> None:
    (folder / "x").symlink_to(target)
    for name in ("x", "x/", "./x", "x/deep"):
        with pytest.raises(ConfigError, match=r"is a link that leads out of .*; copy the file there"):
            place_inside(folder, name, where="src")


def test_a_chain_of_links_is_followed_to_its_end(folder: Path) -> None:
    (folder / "one").symlink_to("disc 1/two")
    (folder / "disc 1" / "two").symlink_to("../three")
    (folder / "three").symlink_to("../outside")
    with pytest.raises(ConfigError, match="leads out of"):
        place_inside(folder, "one/secret.wav", where="src")


def test_a_loop_of_links_is_refused(folder: Path) -> None:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    with pytest.raises(ConfigError, match="can't be followed"):
        place_inside(folder, "a", where="src")


def test_a_folder_with_a_name_that_begins_alike_is_outside(folder: Path) -> None:
    (folder.parent / "album2").mkdir()
    (folder / "x").symlink_to("../album2")
    with pytest.raises(ConfigError, match="leads out of"):
        place_inside(folder, "x", where="src")
