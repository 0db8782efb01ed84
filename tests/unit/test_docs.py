"""The pages in docs/ that schemas give say what the schemas say, and the example album is valid."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from synesthete.config.album_file import read_album
from synesthete.config.mood import shipped_moods
from synesthete.config.preset import shipped_presets

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "album-fields.md",
    "data-fields.md",
    "dream-fields.md",
    "gan-fields.md",
    "options.md",
    "timeline.md",
    "training-fields.md",
)


@pytest.fixture(scope="module")
def schema_pages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("schema_pages", ROOT / "docs" / "schema_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_in_step_with_its_schema(schema_pages: ModuleType, name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert text == schema_pages.PAGES[name](), f"docs/{name} is out of step; run make tables"


def test_every_generated_page_is_checked(schema_pages: ModuleType) -> None:
    assert set(schema_pages.PAGES) == set(PAGES)


@pytest.mark.parametrize(
    "field",
    [
        "output_root", "frame_rate", "resolution", "audio.sample_rate", "audio.normalization",
        "controller.preset", "controller.smoothing_alpha", "controller.wander_seed",
        "controller.tempo_sync.enabled", "controller.tempo_sync.subdivision", "decoder.batch_size",
        "decoder.execution_provider", "postfx.tone_curve", "postfx.grain_intensity", "postfx.chroma_shift",
        "id", "src", "title", "artist", "bpm", "key", "art", "markers", "loop", "trim.start", "trim.end",
        "stems", "seed", "preset",
    ],
)  # fmt: skip
def test_every_field_of_an_album_has_its_line(schema_pages: ModuleType, field: str) -> None:
    assert f"\n| `{field}` |" in schema_pages.album_fields_page()


def test_defaults_are_written_as_one_writes_them(schema_pages: ModuleType) -> None:
    options = schema_pages.options_page()
    assert "| `fps` | 24000/1001 to 120; fractions are allowed. | `30` |" in options
    for unreadable in ("None", "()", "kind=", "Fraction("):
        assert f"`{unreadable}" not in options + schema_pages.album_fields_page()


def test_the_example_album_is_valid() -> None:
    files = read_album(ROOT / "album")
    sounds = {path.name for path in (ROOT / "album").glob("*.ogg")}
    assert {track.src for track in files.album.tracks} == sounds
    for track, look in zip(files.album.tracks, files.looks, strict=True):
        assert track.licence, "music in this repository has a licence"
        assert {look.preset, *look.scene_presets} <= set(shipped_presets())
        assert look.controller.preset in shipped_moods()
