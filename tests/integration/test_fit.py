"""``synesthete fit``: presets from pictures, and every way that such a preset is used afterwards."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from conftest import SMALL
from synesthete.clock import ANALYSIS_RATE
from synesthete.config.preset import load_preset

Command = Callable[..., Any]
QUICK = ("--layers", "2", "--units", "24", "--steps", "150", "--size", "24")


def _picture(path: Path, *, hue: int = 0) -> Path:
    y, x = np.mgrid[0:54, 0:96]
    disc = np.exp(-(((x - 40) / 14) ** 2 + ((y - 26) / 14) ** 2))
    rgb = np.stack([20 + 210 * disc, 40 + 120 * disc, 120 - 90 * disc], 2).astype(np.uint8)
    Image.fromarray(np.roll(rgb, hue, axis=2)).save(path)
    return path


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def _once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep what one fit has left; tests copy it."""
    return tmp_path_factory.mktemp("fitted")


@pytest.fixture
def fitted(_once: Path, cli: Command, tmp_path: Path) -> Path:
    """Give a fitted preset in a folder of its own."""
    if not (_once / "look.yaml").exists():
        _picture(_once / "disc.png")
        made = cli("fit", _once / "disc.png", "-o", _once / "look.yaml", *QUICK, "--workspace", _once / "ws")
        assert made.status == 0, made.message
    for name in ("look.yaml", "look.safetensors", "disc.png"):
        shutil.copy(_once / name, tmp_path / name)
    shutil.copytree(_once / "ws" / "cache" / "timelines", tmp_path / "ws" / "cache" / "timelines")
    return tmp_path / "look.yaml"


def _still(preset: Path, song: Path, size: tuple[int, int] = (96, 54)) -> torch.Tensor:
    """Draw the first frame of a song that begins in silence."""
    from fractions import Fraction

    from synesthete.evaluation.subjects import PresetSubject
    from synesthete.generators.base import Size
    from synesthete.render.evaluate_generator import probe_song

    subject = PresetSubject(load_preset(str(preset)))
    heard = probe_song(song, "", Path("ws"))
    assert heard.timeline.ticks > ANALYSIS_RATE
    frames = subject.draw(heard, [15], size=Size(*size), frame_rate=Fraction(30))
    return next(iter(frames)).clone()


# What is made -----------------------------------------------------------------------------------------------


def test_in_silence_it_shows_the_picture(fitted: Path, make_song: Callable[..., Path]) -> None:
    song = make_song(3, silences=((0, 2),))
    picture = torch.from_numpy(np.array(Image.open("disc.png"))).permute(2, 0, 1) / 255
    assert -10 * float((_still(fitted, song) - picture).square().mean().log10()) > 22


def test_a_small_drawing_is_the_large_one_from_afar(fitted: Path, make_song: Callable[..., Path]) -> None:
    song = make_song(3, silences=((0, 2),))
    large, small = _still(fitted, song, (192, 108)), _still(fitted, song, (32, 18))
    afar = torch.nn.functional.avg_pool2d(large[None], 6)[0]
    assert -10 * float((afar - small).square().mean().log10()) > 35


def test_it_tells_what_was_measured(fitted: Path) -> None:
    text = fitted.read_text()
    assert "# At rest, against the picture: disc.png" in text
    assert "effect 0." in text
    assert "gap to silence" in text


def test_the_same_command_makes_the_same_files(fitted: Path, cli: Command) -> None:
    assert cli("fit", "disc.png", "-o", "again/look.yaml", *QUICK, "--workspace", "ws").status == 0
    for name in ("look.yaml", "look.safetensors"):
        assert Path("again", name).read_bytes() == Path(name).read_bytes()


def test_clip_leads_it_elsewhere(fitted: Path, cli: Command, tiny_clip: Path) -> None:
    guided = ("--clip-model", str(tiny_clip), "--prompt", "a red night", "--guidance", "10")
    made = cli("fit", "disc.png", "-o", "guided.yaml", *QUICK, *guided, "--workspace", "ws")
    assert made.status == 0, made.message
    assert Path("guided.safetensors").read_bytes() != Path("look.safetensors").read_bytes()


def test_several_pictures_become_styles(cli: Command, make_song: Callable[..., Path]) -> None:
    Path("in").mkdir()
    _picture(Path("in/a.png"))
    _picture(Path("in/b.png"), hue=1)
    Path("in/notes.txt").write_text("no picture")
    made = cli("fit", "in", "-o", "two.yaml", *QUICK, "--steps", "300", "--workspace", "ws")
    assert made.status == 0, made.message
    values = yaml.safe_load(Path("two.yaml").read_text())
    assert values["style"] == [1, 0, 0, 0]
    song = make_song(3, silences=((0, 2),))
    pictures = [
        torch.from_numpy(np.array(Image.open(f"in/{name}.png"))).permute(2, 0, 1) / 255 for name in ("a", "b")
    ]
    for style, (own, other) in (([1, 0, 0, 0], pictures), ([-1, 0, 0, 0], pictures[::-1])):
        Path("styled.yaml").write_text(yaml.safe_dump({**values, "style": style}))
        seen = _still(Path("styled.yaml"), song)
        assert float((seen - own).square().mean()) < 0.25 * float((seen - other).square().mean())


# How it is used ---------------------------------------------------------------------------------------------


def test_a_film_records_the_weights_and_other_weights_make_another(
    fitted: Path, cli: Command, make_song: Callable[..., Path]
) -> None:
    render = ("render", make_song(2), "--preset", "look.yaml", *SMALL, "--workspace", "ws", "-o", "a.mp4")
    assert cli(*render).status == 0
    meta = json.loads(next(Path("ws/renders").glob("*/meta.json")).read_text())
    text = json.dumps(meta)
    sha256 = load_preset("look.yaml").cppn.net.weights.sha256  # type: ignore[union-attr]
    assert meta["preset_resolved"]["cppn"]["net"]["weights"] == {"file": "look.safetensors", "sha256": sha256}
    assert str(Path.cwd() / "look.safetensors") not in text
    _picture(Path("other.png"), hue=1)
    assert cli("fit", "other.png", "-o", "look.yaml", *QUICK, "--workspace", "ws", "--force").status == 0
    assert cli(*render[:-1], "b.mp4").status == 0
    assert len(list(Path("ws/renders").glob("*/meta.json"))) == 2
    assert Path("a.mp4").read_bytes() != Path("b.mp4").read_bytes()


def test_copies_work_and_a_preset_alone_says_what_is_missing(fitted: Path, cli: Command) -> None:
    assert cli("preset", "new", "mine", "--from", "look.yaml").status == 0
    assert Path("mine.safetensors").read_bytes() == Path("look.safetensors").read_bytes()
    assert cli("preset", "check", "mine.yaml", "look.yaml").status == 0
    Path("look.safetensors").unlink()
    outcome = cli("preset", "show", "look.yaml")
    assert outcome.status == 2
    assert "the weights belong beside the preset, so copy both" in outcome.message
    assert cli("preset", "new", "mine", "--from", "mine.yaml").message.startswith("mine.yaml exists already")
    Path("mine.yaml").rename("kept.yaml")
    assert cli("preset", "new", "mine", "--from", "kept.yaml").message.startswith("mine.safetensors exists")


def test_other_weights_than_those_named_are_refused(fitted: Path, cli: Command) -> None:
    data = bytearray(Path("look.safetensors").read_bytes())
    data[-1] ^= 1
    Path("look.safetensors").write_bytes(data)
    outcome = cli("preset", "check", "look.yaml")
    assert outcome.status == 2
    assert "holds other weights than those whose sha256 is given" in outcome.out


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("cppn.net.units=8", "is not of a network of 2 layers of 8 units"),
        ("cppn.net.evolution=0.5", "does not evolve"),
        ("cppn.net.weights=../look.safetensors", "'..' is not allowed"),
        ("cppn.net.weights=look.pt", "does not end in .safetensors"),
        (
            "cppn.net.weights={file: look.safetensors, place: look.safetensors}",
            "must be a path, or file and sha256",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(
    fitted: Path, cli: Command, make_song: Callable[..., Path], changes: str, said: str
) -> None:
    outcome = cli("render", make_song(2), "--preset", "look.yaml", "--set", changes, *SMALL, "-o", "x.mp4")
    assert outcome.status == 2
    assert said in outcome.message


def test_cells_of_a_sheet_bring_their_weights(
    fitted: Path, cli: Command, make_song: Callable[..., Path]
) -> None:
    sheet = ("explore", make_song(8), "--preset", "look.yaml", "--grid", "2x1", "--no-mosaic")
    made = cli(*sheet, "--sweep", "style.0=-1,1", "--save", "2=kept.yaml", "--workspace", "ws")
    assert made.status == 0, made.message
    assert load_preset("kept.yaml").cppn.net.weights.sha256 == (  # type: ignore[union-attr]
        load_preset("look.yaml").cppn.net.weights.sha256  # type: ignore[union-attr]
    )
    assert Path("kept.safetensors").is_file()
    cell = next(Path("ws").rglob("cell-001.yaml"))
    assert cli("breed", cell.parent.parent, "--parents", "1,2", "--grid", "3x1", "--no-mosaic").status == 0


# What is refused --------------------------------------------------------------------------------------------


def _flat(path: Path) -> None:
    Image.new("RGB", (40, 30), (90, 20, 20)).save(path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none.png", "-o", "x.yaml"), "there is no picture none.png"),
        (("notes.txt", "-o", "x.yaml"), "is no picture that can be read"),
        (("flat.png", "-o", "x.yaml"), "of one colour throughout"),
        (("empty", "-o", "x.yaml"), "empty holds no picture"),
        (("many", "-o", "x.yaml"), "9 pictures are too many"),
        (("disc.png", "-o", "x.json"), "does not end in .yaml"),
        (("disc.png", "-o", "there.yaml"), "there.yaml exists already"),
        (("disc.png", "-o", "half.yaml"), "half.safetensors exists already"),
        (("disc.png", "-o", "x.yaml", "--prompt", "sea"), "need one another"),
        (("disc.png", "-o", "x.yaml", "--clip-model", "empty"), "need one another"),
        (("disc.png", "-o", "x.yaml", "--clip-model", "empty", "--prompt", "sea"), "has no config.json"),
        (("disc.png", "-o", "x.yaml", "--units", "300"), "units"),
        (("disc.png", "-o", "x.yaml", "--net", "mlp"), "mlp"),
    ],
)
def test_bad_input_is_one_clear_sentence(cli: Command, arguments: tuple[str, ...], said: str) -> None:
    _picture(Path("disc.png"))
    _flat(Path("flat.png"))
    Path("notes.txt").write_text("no picture")
    Path("there.yaml").write_text("summary: precious\n")
    Path("half.safetensors").write_text("precious")
    Path("empty").mkdir()
    Path("many").mkdir()
    for number in range(9):
        _picture(Path(f"many/{number}.png"))
    outcome = cli("fit", *arguments)
    assert outcome.status == 2
    assert said in outcome.message
    assert not Path("x.yaml").exists()
    assert Path("there.yaml").read_text() == "summary: precious\n"


def test_a_net_with_a_dead_input_is_refused(cli: Command) -> None:
    Image.open(_picture(Path("dim.png"))).point(lambda level: level // 16).save("dim.png")
    outcome = cli(
        "fit", "dim.png", "-o", "x.yaml", "--layers", "1", "--units", "2", "--size", "24", "--steps", "40"
    )
    assert outcome.status == 2
    assert "the fitted net does not answer to" in outcome.message
    assert not list(Path().glob("x.*"))
