"""What every shipped preset promises, on real music: size and frame rate are only sampling, it is no grey
veil and no white glare, it moves with the music, and it rests in silence.
"""

import atexit
import wave
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import numpy as np
import pytest
from PIL import Image

from patience import mostly_slow
from synesthete.audio.timeline import Timeline
from synesthete.clock import Clock
from synesthete.config.preset import load_preset, shipped_presets
from synesthete.config.render import RenderOptions
from synesthete.generators.base import Generator, Size, Trajectory
from synesthete.generators.build import build_generator
from synesthete.generators.control import build_signals
from synesthete.generators.fuse import Fuser
from synesthete.media.decode import Span, decode_sound
from synesthete.render.listen import hear

SONG = Path(__file__).parents[2] / "album" / "torus-trooper-1.ogg"
FPS = Fraction(30)
WIDE_UNITS = 24
MUSIC_S, SILENCE_S = 3.5, 4.0
QUICK = (
    "silk", "corona", "spectrum", "atrium", "medusa", "ink", "fractal", "loom", "tempest", "rosette",
)  # fmt: skip
"""From every world one or more, but for dreams, that take a minute each; `loom` for the wide nets."""
KEPT = Path(mkdtemp(prefix="synesthete-presets-"))
"""What generators keep: like them, it lasts for all tests."""

atexit.register(rmtree, KEPT, ignore_errors=True)

every_preset = pytest.mark.parametrize("name", mostly_slow(shipped_presets(), QUICK))


@dataclass(frozen=True)
class Scene:
    """A preset under a piece of music, ready to be drawn."""

    generator: Generator
    trajectory: Trajectory

    def picture(self, frame: int, size: Size) -> np.ndarray:
        (drawn,) = self.generator.frames(self.trajectory, frame, frame + 1, size)
        return np.ascontiguousarray(drawn.permute(1, 2, 0).numpy())


@cache
def generator_of(name: str) -> Generator:
    # 2,304 pixels are one frame of 64x36: wide nets fill their tiles up.
    options = RenderOptions(device="cpu", precision="float32", tile=2304, workspace=KEPT)
    return build_generator(load_preset(name), options, Fuser(Path(), wanted=False))


def scene(name: str, timeline: Timeline, fps: Fraction = FPS) -> Scene:
    preset, generator = load_preset(name), generator_of(name)
    signals = build_signals(timeline, preset.control, frame_rate=fps, seed=preset.seed)
    style = np.broadcast_to(np.array(preset.style), (signals.frames, len(preset.style)))
    return Scene(generator, generator.score(signals, style, preset.seed))


@pytest.fixture(scope="session")
def listen(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Timeline]:
    workspace = tmp_path_factory.mktemp("presets")

    def heard(song: Path, end: Fraction | None = None) -> Timeline:
        return hear(song, start=None, end=end, allow_truncated=False, workspace=workspace)[0]

    return heard


@pytest.fixture(scope="session")
def music(listen: Callable[..., Timeline]) -> Timeline:
    """The first twelve seconds of a track."""
    return listen(SONG, Fraction(12))


@pytest.fixture(scope="session")
def spliced(listen: Callable[..., Timeline], tmp_path_factory: pytest.TempPathFactory) -> Timeline:
    """Music, four seconds of silence, music."""
    end = Fraction(2 * MUSIC_S)
    sound = np.concatenate(list(decode_sound(SONG, span=Span(Fraction(0), end))), axis=1)
    half, quiet = round(44_100 * MUSIC_S), np.zeros((len(sound), round(44_100 * SILENCE_S)), np.float32)
    whole = np.concatenate([sound[:, :half], quiet, sound[:, half:]], axis=1)
    path = tmp_path_factory.mktemp("spliced") / "spliced.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(whole))
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(np.round(whole.T.clip(-1, 1) * 32_767).astype("<i2").tobytes())
    return listen(path)


@pytest.fixture(scope="session")
def loud(music: Timeline) -> int:
    """The frame where the music is loudest for half a second, with two seconds on each side."""
    level = np.convolve(music.column("loudness"), np.ones(50) / 50, mode="same")
    return Clock(FPS).frame_at(Fraction(int(level[200:-200].argmax()) + 200, 100))


def averaged_down(picture: np.ndarray, to: Size) -> np.ndarray:
    """Average the middle of a picture over the pixels of a smaller one."""
    height, width = picture.shape[:2]
    scale = min(height, width) / to.short
    x, y = to.width * scale / 2, to.height * scale / 2
    box = (width / 2 - x, height / 2 - y, width / 2 + x, height / 2 + y)
    planes = [Image.fromarray(np.ascontiguousarray(picture[..., c]), mode="F") for c in range(3)]
    return np.stack(
        [np.asarray(p.resize((to.width, to.height), Image.Resampling.BOX, box=box)) for p in planes], 2
    )


@every_preset
def test_thirty_frames_a_second_are_every_second_of_sixty(name: str, music: Timeline, loud: int) -> None:
    thirty, sixty, size = scene(name, music), scene(name, music, Fraction(60)), Size(96, 54)
    for frame in (30, loud, 300):
        a, b = thirty.picture(frame, size), sixty.picture(2 * frame, size)
        assert 255 * np.abs(a - b).mean() <= 2


@every_preset
def test_a_preview_is_the_film_from_further_away(name: str, music: Timeline, loud: int) -> None:
    wide = load_preset(name).cppn.net.units >= WIDE_UNITS
    full, preview = Size(1920, 1080), Size(454, 256)
    if wide:
        full, preview = Size(540, 540), Size(256, 256)
    drawn = scene(name, music)
    small = drawn.picture(loud, preview)
    error = ((averaged_down(drawn.picture(loud, full), preview) - small) ** 2).mean()
    assert -10 * np.log10(error) >= 30


@every_preset
def test_a_loud_moment_is_dark_coloured_and_lit(name: str, music: Timeline, loud: int) -> None:
    drawn = scene(name, music)
    pictures = np.stack([drawn.picture(frame, Size(160, 90)) for frame in (loud - 45, loud, loud + 45)])
    luma = pictures @ np.array([0.2126, 0.7152, 0.0722])
    assert (luma < 0.25).mean() >= 0.35
    assert (luma >= 0.98).mean() < 0.05
    assert luma.std() >= 0.08
    assert np.percentile(luma, 99) >= 0.3
    most, least = pictures.max(-1), pictures.min(-1)
    lit = most > 0.1
    assert lit.mean() >= 0.15
    saturation = (most - least)[lit] / most[lit]
    assert saturation.mean() >= 0.2


@every_preset
def test_it_moves_with_the_music_and_rests_in_silence(name: str, spliced: Timeline) -> None:
    fps, size = Fraction(10), Size(64, 36)
    drawn = scene(name, spliced, fps)
    film = np.stack([p.numpy().copy() for p in drawn.generator.frames(drawn.trajectory, 0, 110, size)])
    motion = np.abs(np.diff(film, axis=0)).mean((1, 2, 3))
    moment = np.arange(1, 110) / 10
    inside = (moment >= MUSIC_S) & (moment < MUSIC_S + SILENCE_S)
    music = np.median(motion[~inside])
    assert music >= 0.003
    assert motion[inside & (moment >= MUSIC_S + 1)].mean() <= 0.2 * music


@pytest.fixture(scope="session")
def nothing(listen: Callable[..., Timeline], tmp_path_factory: pytest.TempPathFactory) -> Timeline:
    """Twelve seconds without a sound."""
    path = tmp_path_factory.mktemp("nothing") / "nothing.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(bytes(2 * 12 * 44_100))
    return listen(path)


@every_preset
def test_the_sound_matters(name: str, music: Timeline, nothing: Timeline, loud: int) -> None:
    with_sound, without = (scene(name, timeline).picture(loud, Size(96, 54)) for timeline in (music, nothing))
    assert np.abs(with_sound - without).mean() >= 0.05
    assert with_sound.mean() >= 1.3 * without.mean()  # absolute loudness: silence is seen
