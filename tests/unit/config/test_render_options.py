from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from synesthete.config.base import build
from synesthete.config.render import RenderOptions, default_quality, picture_size
from synesthete.errors import ConfigError


def options(**values: Any) -> RenderOptions:
    return build(RenderOptions, values, where="options")


@pytest.mark.parametrize(
    ("resolution", "aspect", "size"),
    [
        ("360p", None, (640, 360)),
        ("480p", None, (854, 480)),
        ("720p", None, (1280, 720)),
        ("1080p", None, (1920, 1080)),
        ("1440P", None, (2560, 1440)),
        ("2160p", None, (3840, 2160)),
        ("4k", None, (3840, 2160)),
        ("4K", "16:9", (3840, 2160)),
        ("1080p", "9:16", (1080, 1920)),
        ("1080p", "1:1", (1080, 1080)),
        ("1080p", "4:5", (1080, 1350)),
        ("1080p", "21:9", (2520, 1080)),
        ("720p", "21:9", (1680, 720)),
        ("4k", "21:9", (5040, 2160)),
        ("64p", "4:5", (64, 80)),
        ("1280x720", None, (1280, 720)),
        ("64X8192", None, (64, 8192)),
    ],
)
def test_picture_sizes(resolution: str, aspect: Any, size: tuple[int, int]) -> None:
    assert picture_size(resolution, aspect) == size
    assert options(resolution=resolution, aspect=aspect).size() == size


@pytest.mark.parametrize(
    ("resolution", "aspect", "says"),
    [
        (
            "1280x720",
            "16:9",
            r"--resolution 1280x720 fixes both sides; drop --aspect 16:9, or name a short side",
        ),
        ("1281x720", None, r"gives width 1281; sides are even and from 64 to 8192"),
        ("1280x721", None, r"gives height 721; sides are even"),
        ("361p", None, r"gives height 361; sides are even"),
        ("361p", "9:16", r"gives width 361; sides are even"),
        ("62x64", None, r"gives width 62; sides are even and from 64"),
        ("48p", None, r"gives height 48"),
        ("8194x64", None, r"gives width 8194"),
        ("8192p", None, r"gives width 14564"),
        ("99999p", None, r"resolution '99999p' is not known; pass 360p, 720p, 1080p, 4k or WIDTHxHEIGHT"),
        ("hd", None, r"resolution 'hd' is not known"),
        ("1080", None, r"resolution '1080' is not known"),
        ("-720p", None, r"is not known"),
        ("720px1280", None, r"is not known"),
        ("", None, r"resolution '' is not known"),
        ("x" * 1000, None, r"resolution 'x{40}' is not known"),
    ],
)
def test_other_sizes_are_refused(resolution: str, aspect: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        picture_size(resolution, aspect)


@pytest.mark.parametrize(
    ("resolution", "aspect", "size"),
    [
        ("1080p", None, (456, 256)),
        ("1080p", "9:16", (256, 456)),
        ("4k", "1:1", (256, 256)),
        ("4k", "21:9", (598, 256)),
        ("1920x1080", None, (456, 256)),
        ("128x72", None, (128, 72)),
        ("256x256", None, (256, 256)),
    ],
)
def test_previews_are_small_and_never_larger_than_the_film(
    resolution: str, aspect: Any, size: tuple[int, int]
) -> None:
    assert options(resolution=resolution, aspect=aspect, preview=True).size() == size


def test_quality_follows_the_size_unless_named() -> None:
    assert options(resolution="360p").quality() == (17, "medium")
    assert options(resolution="720p").quality() == (18, "fast")
    assert options(resolution="1080p", aspect="9:16").quality() == (19, "superfast")
    assert options(resolution="1440p").quality() == default_quality(1440) == (20, "superfast")
    assert options(resolution="4k").quality() == (20, "superfast")
    assert options(resolution="4k", preview=True).quality() == (23, "ultrafast")
    assert options(crf=0, speed="slow", preview=True).quality() == (0, "slow")


def test_the_preset_that_is_rendered() -> None:
    assert options().preset_name() == "silk"
    assert options(generator="cppn").preset_name() == "silk"
    assert options(preset="mine.yaml", generator="cppn").preset_name() == "mine.yaml"


def test_defaults_are_those_of_the_documentation() -> None:
    values = options()
    assert (values.resolution, values.fps, values.device, values.encoder) == ("1080p", 30, "auto", "libx264")
    assert (values.tile, values.workers, values.preview, values.force) == (0, None, False, False)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"fps": "29.97"}, Fraction(30_000, 1001)),
        ({"fps": 60}, 60),
        ({"start": "1:05"}, 65),
        ({"start": 0.1 + 0.2}, Fraction(3, 10)),
        ({"end": Fraction(1, 3)}, Fraction(1, 3)),
        ({"frames": "out"}, Path("out")),
        ({"set": ["seed=1", "seed=2"]}, ("seed=1", "seed=2")),
    ],
)
def test_values_are_read_as_users_write_them(given: dict[str, Any], kept: object) -> None:
    (field,) = given
    assert getattr(options(**given), field) == kept


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"colour": 1}, r"^options: colour is no known field; remove it or correct its name$"),
        ({"aspect": "3:2"}, r"^options: aspect = '3:2': should be '16:9', '9:16', '1:1', '4:5' or '21:9'$"),
        (
            {"generator": "x"},
            r"^options: generator = 'x': should be 'cppn', 'program', 'gan' or 'diffusion'$",
        ),
        ({"seed": -1}, r"^options: seed = -1: should be greater than or equal to 0$"),
        ({"seed": 2**63}, r"^options: seed = 9223372036854775808: should be less than or equal to"),
        ({"seed": "x"}, r"^options: seed = 'x': should be a valid integer"),
        ({"crf": 101}, r"^options: crf = 101: should be less than or equal to 100$"),
        ({"workers": 0}, r"^options: workers = 0: should be greater than or equal to 1$"),
        ({"workers": 257}, r"^options: workers = 257: should be less than or equal to 256$"),
        ({"loudness": -4.9}, r"^options: loudness = -4\.9: should be less than or equal to -5$"),
        ({"loudness": -41}, r"^options: loudness = -41: should be greater than or equal to -40$"),
        ({"limiter": True}, r"^options: the limiter needs a loudness to reach; pass --loudness -14 too"),
        ({"tile": -1}, r"^options: tile = -1: should be greater than or equal to 0$"),
        ({"tile": 2**25}, r"^options: tile = \d+: should be less than or equal to 16777216$"),
        ({"device": "gpu"}, r"^options: device = 'gpu': should be 'auto', 'cpu', 'cuda' or 'mps'$"),
        ({"encoder": "libx265"}, r"^options: encoder = 'libx265': should be 'libx264', 'hardware'"),
        ({"speed": "slo"}, r"^options: speed = 'slo': should be 'ultrafast'"),
        ({"precision": "fp8"}, r"^options: precision = 'fp8': should be 'auto', 'float32'"),
        ({"kernels": "jit"}, r"^options: kernels = 'jit': should be 'auto', 'fused' or 'eager'$"),
        ({"preview": "maybe"}, r"^options: preview = 'maybe': should be a valid boolean"),
        ({"resolution": 1080}, r"^options: resolution = 1080: should be a valid string$"),
        ({"workspace": 3}, r"^options: workspace = 3: is not a valid path|not a valid path"),
        ({"set": "seed=7"}, r"^options: set = 'seed=7': should be a valid tuple$"),
        ({"fps": 12}, r"^frame rate '12' is outside 24000/1001 to 120; pass for instance --fps 30$"),
        (
            {"start": "abc"},
            r"^options: start: 'abc' is no moment in a track; write seconds \(83\.5\) or m:ss",
        ),
        ({"end": "-1"}, r"^options: end: '-1' is no moment in a track"),
        ({"start": Fraction(-1, 2)}, r"^options: start = .*no moment in a track"),
        ({"end": float("nan")}, r"^options: end.*no moment in a track"),
        ({"start": "1:00", "end": "0:30"}, r"^options: end 30 s must lie after start 60 s$"),
        ({"start": 5, "end": 5}, r"end 5 s must lie after start 5 s$"),
    ],
)
def test_bad_options_are_refused_in_one_sentence(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        options(**given)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


def test_scenes_every_so_many_bars_have_bars() -> None:
    for wrong in ({"kind": "bars"}, {"kind": "sections", "bars": 4}, "every 0 bars"):
        with pytest.raises(ConfigError, match="bars"):
            build(RenderOptions, {"scenes": wrong}, where="options")
    assert RenderOptions(scenes="every 16 bars").scene_rule(None).bars == 16  # type: ignore[arg-type]


def test_a_plain_off_in_yaml_turns_scenes_off() -> None:
    assert RenderOptions(scenes=False).scene_rule("sections").kind == "off"  # type: ignore[arg-type]
