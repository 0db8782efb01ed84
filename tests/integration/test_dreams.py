"""Films by the model that listens, with weights of the user's own: rendered, resumed, probed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import synesthete
from made_clips import flat_pictures, write_clip
from made_dreams import write_dream, write_models
from made_graphs import needs_onnx
from made_subjects import SMALL, made_song
from synesthete.config.preset import DEFAULT_PRESETS, load_preset
from synesthete.config.render import RenderOptions
from synesthete.evaluation.generator_probes import probe_subject
from synesthete.evaluation.subjects import PresetSubject

Command = Callable[..., Any]


class _Stopped(Exception):  # noqa: N818 - stands for a Ctrl-C
    pass


@pytest.fixture
def dream(tmp_path: Path) -> Path:
    return write_dream(tmp_path / "presets")


@pytest.fixture(scope="module")
def second(make_song: Command) -> Path:
    return make_song(1.0)


def test_a_song_becomes_a_film(
    render: Command, second: Path, dream: Path, workspace: Path, only_run: Command, manifest_of: Command
) -> None:
    outcome = render(second, "-p", dream, "--generator", "diffusion", "--json")
    plan, *_, done = outcome.events
    assert (plan["generator"], plan["frames"], done["segments_resumed"]) == ("diffusion", 30, 0)
    previews = {path.name for path in (only_run(workspace) / "previews").iterdir()}
    assert {"sheet.png", "snippet.gif", "keyframe_1.png"} <= previews
    manifest = manifest_of(workspace)
    look = manifest["preset_resolved"]["diffusion"]
    assert len(look["weights"]["sha256"]) == len(look["vae"]["sha256"]) == 64
    again = render(second, "-p", dream, "--generator", "diffusion", "--json")
    assert again.events[-1]["film"] == done["film"]
    assert again.events[-1]["segments_resumed"] == 1


def test_other_weights_are_another_film(render: Command, second: Path, dream: Path, workspace: Path) -> None:
    films = []
    for seed in (0, 1):
        write_models(dream.parent, seed=seed)
        done = render(second, "-p", dream, "--no-certificate", "--json").events[-1]
        films.append(Path(done["film"]))
    assert films[0] != films[1]
    assert films[0].read_bytes() != films[1].read_bytes()


@pytest.mark.parametrize("runtime", ["torch", pytest.param("onnxruntime", marks=needs_onnx)])
def test_an_interrupted_film_is_resumed_to_the_same_bytes(
    make_song: Command, dream: Path, tmp_path: Path, runtime: str
) -> None:
    song = make_song(5.0)
    values: dict[str, Any] = {
        "preset": str(dream), "resolution": "64x64", "kernels": "eager", "fps": 24, "workers": 1,
        "decoder": {"runtime": runtime},
    }  # fmt: skip

    def stop(event: dict[str, Any]) -> None:
        if event["event"] == "progress" and event["rendered"] > 100:
            raise _Stopped

    calm = synesthete.render(song, workspace=tmp_path / "calm", **values)
    with pytest.raises(_Stopped):
        synesthete.render(song, workspace=tmp_path / "stopped", on_event=stop, **values)
    others = {**values, "workers": 2, "decoder": {"runtime": runtime, "batch_size": 3}}
    again = synesthete.render(song, workspace=tmp_path / "stopped", **others)
    assert (calm.resumed, again.resumed) == (0, 1)
    assert again.film.read_bytes() == calm.film.read_bytes()


@needs_onnx
def test_another_runtime_is_another_film(render: Command, second: Path, dream: Path, workspace: Path) -> None:
    films = {}
    for runtime in ("torch", "onnxruntime"):
        done = render(
            second, "-p", dream, "--runtime", runtime, "--no-certificate", "--json"
        ).events[-1]  # fmt: skip
        films[runtime] = Path(done["film"])
    manifests = {name: json.loads((film.parent / "meta.json").read_text()) for name, film in films.items()}
    assert manifests["torch"]["run_id"] != manifests["onnxruntime"]["run_id"]
    assert manifests["torch"]["numerics"]["path"].startswith("eager-")
    assert manifests["onnxruntime"]["numerics"]["path"].startswith("onnxruntime-")
    assert len(list((workspace / "cache" / "graphs").iterdir())) == 1


def test_the_style_of_a_picture(
    render: Command, second: Path, dream: Path, workspace: Path, tmp_path: Path
) -> None:
    Image.new("RGB", (64, 48), (220, 30, 60)).save(tmp_path / "red.png")
    plain = render(second, "-p", dream, "--no-certificate", "--json").events[-1]
    styled = render(
        second, "-p", dream, "--style-image", tmp_path / "red.png", "--no-certificate", "--json"
    ).events[-1]
    assert Path(plain["film"]).read_bytes() != Path(styled["film"]).read_bytes()
    facts = json.loads((Path(styled["run"]) / "meta.json").read_text())
    assert facts["preset_resolved"]["diffusion"]["style_mode"] == "image"


def test_the_style_of_a_film_s_moment(
    cli: Command, render: Command, second: Path, dream: Path, workspace: Path, tmp_path: Path
) -> None:
    pictures = [*flat_pictures((220, 30, 60), 15), *flat_pictures((20, 90, 220), 15)]
    film = write_clip(tmp_path / "two.mp4", pictures)
    plain = (second, "-p", dream, "--no-certificate", "--json", "--end", "0.2")
    looks = []
    for given in (f"{film}@0.2", f"{film}@0.8"):
        done = render(*plain, "--style-image", given).events[-1]
        facts = json.loads((Path(done["run"]) / "meta.json").read_text())
        look = facts["preset_resolved"]["diffusion"]
        assert look["style_mode"] == "image"
        assert (workspace / "cache" / "styles" / look["style_image"]["file"]).is_file()
        looks.append((look["style_image"]["sha256"], Path(done["film"]).read_bytes()))
    early, late = looks
    assert early[0] != late[0]
    assert early[1] != late[1]
    assert "styles" in cli("clean", "--workspace", workspace, "--cache").out
    assert not (workspace / "cache" / "styles").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-p", "silk", "--style-image", "red.png"), "only diffusion takes its style from a picture"),
        (("-p", "DREAM", "--style-image", "none.png"), "cannot read none.png"),
        (("-p", "DREAM", "--style-image", "red.bmp"), "does not end in .png"),
        (("-p", "DREAM", "--style-image", "none.mp4@1"), "cannot read none.mp4"),
        (("-p", "DREAM", "--style-image", "a.mp4@soon"), "'soon', after the @, is no moment of a film"),
        (("-p", "DREAM", "--style-image", "CLIP@3"), "3 s lies beyond the end of clip.mp4"),
        (("-p", "DREAM", "--style-image", "BROKEN@0"), "broken.mp4 is no film that can be read"),
        (("-p", "DREAM", "-r", "640x64"), "at most 4:1, and 10:1 is wanted"),
    ],
)
def test_what_cannot_be_dreamt_is_refused(
    render: Command,
    second: Path,
    dream: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.delitem(DEFAULT_PRESETS, "diffusion", raising=False)
    clip = write_clip(tmp_path / "clip.mp4", flat_pictures((9, 9, 9), 3))
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(clip.read_bytes()[:200])
    places = {"DREAM": dream, "CLIP@3": f"{clip}@3", "BROKEN@0": f"{broken}@0"}
    given = [places.get(text, text) for text in arguments]
    assert said in render(second, *given, status=2).message


def test_it_can_be_probed(dream: Path, tmp_path: Path) -> None:
    subject = PresetSubject(load_preset(str(dream)), RenderOptions(kernels="eager", workspace=tmp_path))
    result = probe_subject(subject, made_song(2.0), made_song(2.0, seed=1), settings=SMALL)
    figures = result.figures
    assert figures["shuffle"]["gap"] > 0.005
    assert figures["silence"]["gap"] > 0.005
    assert set(figures["bands"]) == {f"band_{band}" for band in range(8)}
    assert figures["style"]["kind"] == "vector and seed"
    assert figures["style"]["diversity"]["effective_number"] > 1.01
    assert figures["style"]["constancy"]["ratio"] < 1.0
    assert figures["style"]["interpolation"]["path"] >= 1.0
    assert figures["speed"]["ms_per_frame"] > 0
