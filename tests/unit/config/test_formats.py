from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from synesthete.config.formats import FORMATS, check_format, choose_codec
from synesthete.config.render import RenderOptions, default_quality
from synesthete.errors import ConfigError, SynestheteError
from synesthete.media.codecs import CODINGS


@pytest.mark.parametrize(
    ("name", "alpha", "codec"),
    [
        (None, False, "h264"), (None, True, "prores4444"), ("a.mp4", False, "h264"),
        ("a.MOV", False, "prores422"), ("a.mov", True, "prores4444"), ("a.webm", True, "vp9"),
        ("a.gif", False, "gif"), ("a.webp", True, "webp"),
    ],
)  # fmt: skip
def test_the_output_chooses_the_codec_unless_one_is_named(name: str | None, alpha: bool, codec: Any) -> None:
    output = None if name is None else Path(name)
    assert choose_codec(None, output, alpha=alpha) == codec
    assert choose_codec("av1", output, alpha=alpha) == "av1"
    assert RenderOptions(alpha=alpha).in_format(output).codec == codec


@pytest.mark.parametrize("name", ["film.avi", "film.mkv", "film"])
def test_other_endings_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"does not end in \.mp4, \.mov, \.webm, \.gif or \.webp; choose"):
        choose_codec(None, Path(name), alpha=False)


@pytest.mark.parametrize(
    ("codec", "asked", "says"),
    [
        (
            "h264",
            {"alpha": True},
            "--alpha can't be had in h264, whose pictures are opaque; pass --codec vp9, ",
        ),
        ("gif", {"bit_depth": 10}, "--bit-depth 10 can't be had in gif, which has 8 bits; drop it, or pass"),
        ("prores422", {"bit_depth": 8}, "--bit-depth 8 can't be had in prores422"),
        ("prores4444", {"crf": 20}, "--crf 20 has no effect on prores4444"),
        ("h264", {"crf": 60}, "--crf 60 is beyond h264's worst; pass 0 to 51"),
        ("gif", {"speed": "fast"}, "--speed fast has no effect on gif"),
        ("gif", {"fps": Fraction(60)}, "gif can't show 60 frames per second, at most 50; pass --fps 25"),
        ("webp", {"loudness": -14.0}, "webp has no sound whose loudness could be -14 LUFS"),
        ("vp9", {"encoder": "h264_nvenc"}, "encoder h264_nvenc makes h264, not vp9"),
    ],
)
def test_contradictions_are_refused_in_one_sentence(codec: Any, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match="(?s)" + says.replace("(", r"\(")):
        RenderOptions(codec=codec, **asked)
    if "encoder" not in asked:
        with pytest.raises(SynestheteError, match=says):
            check_format(codec, **asked)


def test_what_the_output_chooses_is_checked_too() -> None:
    with pytest.raises(ConfigError, match="--alpha can't be had in h264"):
        RenderOptions(alpha=True).in_format(Path("film.mp4"))
    assert RenderOptions(crf=60).in_format(Path("film.webm")).quality()[0] == 60


def test_every_format_can_be_made_as_it_is_described() -> None:
    assert set(FORMATS) == set(CODINGS)
    for name, made in FORMATS.items():
        coding = CODINGS[name]
        assert coding.film.suffix == made.suffix
        assert {depth for depth, _ in coding.pixels} == set(made.depths)
        assert any(alpha for _, alpha in coding.pixels) is made.alpha
        assert (coding.sound is not None) is made.sound
        for short in (64, 480, 720, 1080, 2160, 8192):
            crf, _ = default_quality(short, name)
            assert 0 <= crf <= (made.max_crf or 0)


def test_previews_are_quick_in_every_codec() -> None:
    for name, made in FORMATS.items():
        crf, speed = RenderOptions(codec=name, preview=True).quality()
        assert crf <= (made.max_crf or 0)
        assert speed == ("ultrafast" if made.paced else "medium")
