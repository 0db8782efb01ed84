"""One small picture of every shipped preset; ``make golden`` accepts what is drawn now."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from made_timelines import quiet_timeline
from synesthete.config.control import Control
from synesthete.config.preset import load_preset, shipped_presets
from synesthete.config.render import RenderOptions
from synesthete.generators.base import Size
from synesthete.generators.build import build_generator
from synesthete.generators.control import Signals
from synesthete.generators.fuse import Fuser
from synesthete.generators.quantise import Quantiser

IMAGES = Path(__file__).parent / "images"
SIZE = Size(96, 54)


def a_loud_moment(control: Control) -> Signals:
    """Fixed values for every signal: the picture does not hang on how music is heard."""
    curves = {"calm": 0.0} | dict.fromkeys(control.envelopes, 0.7)
    curves |= {name: 0.3 + 0.2 * k for k, name in enumerate(sorted(control.phases))}
    curves |= dict.fromkeys([*control.wander, *control.parts, *control.oscillators], 0.4)
    loud = dict.fromkeys([*(f"band_{k}" for k in range(8)), "bass", "mid", "treble"], np.array(0.7))
    heard = quiet_timeline(1.0, loudness=0.8, onsets=(0.0,), peak=np.array(0.8), **loud)
    timeline = replace(heard, spectrum=np.tile(np.linspace(0.9, 0.3, 64, dtype=np.float32), (heard.ticks, 1)))
    moment = {name: np.array([value]) for name, value in curves.items()}
    lasting = {name: np.repeat(value, heard.ticks) for name, value in moment.items()}
    return Signals(Fraction(30), moment, timeline=timeline, ticks=lasting)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give one for all: presets that walk on the same grid find their anchors once."""
    return tmp_path_factory.mktemp("workspace")


@pytest.mark.parametrize("name", shipped_presets())
def test_the_preset_looks_as_it_did(name: str, request: pytest.FixtureRequest, workspace: Path) -> None:
    preset, path = load_preset(name), IMAGES / f"{name}.png"
    options = RenderOptions(device="cpu", precision="float32", workspace=workspace)
    generator = build_generator(preset, options, Fuser(Path(), wanted=False))
    trajectory = generator.score(a_loud_moment(preset.control), np.array([preset.style]), preset.seed)
    picture = Quantiser(SIZE).rgb8(next(generator.frames(trajectory, 0, 1, SIZE))).numpy()
    if request.config.getoption("--update-golden"):
        IMAGES.mkdir(exist_ok=True)
        Image.fromarray(picture).save(path, optimize=True)
    with Image.open(path) as stored:
        difference = np.abs(picture.astype(int) - np.asarray(stored.convert("RGB")))
    assert difference.mean() <= 1
    assert difference.max() <= 6


def test_there_is_a_picture_of_every_preset_and_of_nothing_else() -> None:
    assert sorted(path.stem for path in IMAGES.glob("*.png")) == sorted(shipped_presets())
