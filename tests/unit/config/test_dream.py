"""The section ``diffusion`` of a preset, and the files that it names."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from made_dreams import write_dream
from synesthete.config.base import build
from synesthete.config.dream import DiffusionLook
from synesthete.config.preset import (
    DEFAULT_PRESETS,
    Preset,
    default_preset,
    files_beside,
    load_preset,
    with_files_beside,
)
from synesthete.config.preset_file import new_preset, resolved_yaml
from synesthete.errors import ConfigError


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"steps": 0}, "steps"),
        ({"temperature": -1}, "temperature"),
        ({"style_mode": "dream"}, "style_mode"),
        ({"style_mode": "interpolate"}, "style_mode interpolate needs style_seed_to"),
        ({"style_mode": "image"}, "style_mode image needs style_image"),
        ({"style_seed_to": 3}, "style_seed_to is for style_mode interpolate"),
        ({"style_image": "a.png"}, "style_image is for style_mode image"),
        ({"guidance_interval": [0.8, 0.2]}, "begins at 0.8 and ends at 0.2"),
        ({"weights": {"file": "a.safetensors", "place": "/a"}}, "must be a path, or file and sha256"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build(DiffusionLook, values, where="diffusion")


def test_it_belongs_to_its_generator() -> None:
    for generator in DEFAULT_PRESETS:
        assert load_preset(default_preset(generator)).generator == generator
    with pytest.raises(ConfigError, match="of the generator cppn takes no diffusion; remove it"):
        build(Preset, {"name": "x", "summary": "x", "diffusion": {"steps": 4}}, where="preset")
    assert default_preset() == "silk"


def test_files_are_found_below_the_preset(tmp_path: Path) -> None:
    look = load_preset(str(write_dream(tmp_path))).diffusion
    assert look.weights is not None
    assert look.vae is not None
    assert (look.weights.place, look.vae.place) == (
        tmp_path / "model.safetensors",
        tmp_path / "vae.safetensors",
    )
    assert look.weights.sha256 != look.vae.sha256
    for name, said in (
        ("../model.safetensors", "'..' is not allowed"),
        ("model.pt", "does not end in .safetensors"),
        ("none.safetensors", "the weights belong beside the preset"),
        ({"file": "model.safetensors", "sha256": "0" * 64}, "holds other weights"),
    ):
        write_dream(tmp_path, weights=name)
        with pytest.raises(ConfigError, match=said):
            load_preset(str(tmp_path / "dream.yaml"))


def test_a_preset_is_written_with_its_files_beside_it(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    Image.new("RGB", (40, 30), (200, 10, 10)).save(source / "red.jpg")
    preset = load_preset(str(write_dream(source, style_mode="image", style_image="red.jpg")))
    target = tmp_path / "mine.yaml"
    assert [path.name for path in files_beside(preset, target)] == [
        "mine.safetensors", "mine.vae.safetensors", "mine.style.jpg",
    ]  # fmt: skip
    target.write_text(new_preset(with_files_beside(preset, target), name="mine"))
    mine = load_preset(str(target))
    for name in ("weights", "vae", "style_image"):
        assert getattr(mine.diffusion, name).sha256 == getattr(preset.diffusion, name).sha256
    assert mine.diffusion.steps == 2

    resolved = yaml.safe_load(resolved_yaml(mine))
    assert resolved["diffusion"]["weights"]["sha256"] == mine.diffusion.weights.sha256
    assert {"cppn", "program"} & set(resolved) == set()
    assert "place" not in resolved["diffusion"]["weights"]


def write_folder(folder: Path, *, weights: bytes = b"weights") -> Path:
    folder.mkdir(parents=True)
    for name, content in (("model.safetensors", weights), ("config.json", b"{}"), ("notes.txt", b"mine")):
        (folder / name).write_bytes(content)
    return folder


def test_a_network_s_folder_is_found_below_the_preset(tmp_path: Path) -> None:
    write_folder(tmp_path / "presets" / "clap")
    outside = write_folder(tmp_path / "outside")
    preset = write_dream(tmp_path / "presets", embedding_dir="clap")
    found = load_preset(str(preset)).diffusion.embedding_dir
    assert found is not None
    assert found.place == tmp_path / "presets" / "clap"
    again = load_preset(
        str(write_dream(tmp_path / "presets", embedding_dir={"file": "clap", "sha256": found.sha256}))
    )
    assert again.diffusion.embedding_dir == found

    (tmp_path / "presets" / "link").symlink_to(outside)
    linked = tmp_path / "presets" / "linked"
    linked.mkdir()
    (linked / "config.json").symlink_to(outside / "config.json")
    for given, said in (
        ("../outside", "'..' is not allowed"),
        (str(outside), "is absolute"),
        ("link", "is a link that leads out of"),
        ("linked", "is a link that leads out of"),
        ("none", "none is no folder; the network belongs beside the preset"),
        ({"file": "clap", "sha256": "0" * 64}, "holds another network than the one whose sha256 is given"),
    ):
        with pytest.raises(ConfigError, match=said):
            load_preset(str(write_dream(tmp_path / "presets", embedding_dir=given)))


def test_presets_of_one_folder_share_a_network(tmp_path: Path) -> None:
    write_folder(tmp_path / "presets" / "clap")
    preset = load_preset(str(write_dream(tmp_path / "presets", embedding_dir="clap")))
    kept = preset.diffusion.embedding_dir
    assert kept is not None
    cells = tmp_path / "cells"
    for number in (1, 2):
        target = cells / f"{number}.yaml"
        assert all(path.suffix == ".safetensors" for path in files_beside(preset, target))
        written = with_files_beside(preset, target)
        target.write_text(new_preset(written, name=str(number)))
        found = load_preset(str(target)).diffusion.embedding_dir
        assert found is not None
        assert (found.sha256, found.place) == (kept.sha256, cells / f"network-{kept.sha256[:12]}")
    folders = [path for path in cells.iterdir() if path.is_dir()]
    assert [path.name for path in folders[0].iterdir() if path.name == "notes.txt"] == []
    assert len(folders) == 1

    # Another network under the same name is another one.
    (tmp_path / "presets" / "clap" / "model.safetensors").write_bytes(b"others")
    other = load_preset(str(tmp_path / "presets" / "dream.yaml")).diffusion.embedding_dir
    assert other is not None
    assert other.sha256 != kept.sha256
