"""``synesthete export``: a graph and its page of facts, or one sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from made_dreams import made_vae
from made_graphs import needs_onnx
from made_walks import made_gan
from synesthete.files import digest_file
from synesthete.generators.anchors import anchor_bank
from synesthete.generators.blocks import BlockStore
from synesthete.models.onnx_export import need_onnx
from synesthete.models.weights import load_gan, save_weights

Command = Callable[..., Any]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    save_weights(tmp_path / "vae.safetensors", made_vae(), {"steps": 7})
    return tmp_path / "vae.safetensors"


@needs_onnx
def test_a_decoder_is_exported_with_its_facts(
    cli: Command, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synesthete.training.export._SAMPLES", 4)  # each is drawn by a program
    monkeypatch.setattr("synesthete.training.export._PROBES", 2)
    folder = tmp_path / "decoder"
    outcome = cli("export", "onnx", "decoder", "--weights", weights, "-o", folder, "--int8")
    assert outcome.status == 0, outcome
    assert outcome.err == ""
    meta = json.loads((folder / "meta.json").read_text())
    assert sorted(path.name for path in folder.iterdir()) == [
        "decoder.int8.onnx", "decoder.onnx", "meta.json",
    ]  # fmt: skip
    assert meta["model"]["sha256"] == digest_file(folder / "decoder.onnx")
    assert meta["int8"]["sha256"] == digest_file(folder / "decoder.int8.onnx")
    assert meta["weights"] == {"file": "vae.safetensors", "sha256": digest_file(weights), "steps": 7}
    assert (meta["kind"], meta["latent_shape"], meta["model"]["opset"]) == (
        "decoder", [4, "height", "width"], 20,
    )  # fmt: skip
    assert [port["name"] for port in meta["inputs"]] == ["latents", "columns", "rows", "pixel"]
    assert len({(one["batch"], one["width"]) for one in meta["parity"]}) == 2
    assert min(one["psnr_db"] for one in meta["parity"]) >= 50
    assert 20 < meta["int8"]["worst_psnr_db"] <= meta["int8"]["psnr_db"] < 100
    assert f"{meta['int8']['psnr_db']:.1f} dB against the exact one" in outcome.out

    again = cli("export", "onnx", "decoder", "--weights", weights, "-o", folder)
    assert (again.status, again.out) == (2, "")
    assert "decoder.onnx exists already; choose another folder, or pass --force" in again.err


@needs_onnx
def test_a_generator_of_pictures_is_exported_with_its_anchors(cli: Command, tmp_path: Path) -> None:
    weights, folder = tmp_path / "gan.safetensors", tmp_path / "gan"
    save_weights(weights, made_gan(), {"steps": 5})
    outcome = cli("export", "onnx", "gan", "--weights", weights, "-o", folder, "--int8")
    assert outcome.status == 0, outcome
    assert outcome.err == ""
    meta = json.loads((folder / "meta.json").read_text())
    files = {"model": "gan.onnx", "int8": "gan.int8.onnx", "tables": "gan.tables.safetensors"}
    assert sorted(path.name for path in folder.iterdir()) == sorted([*files.values(), "meta.json"])
    for entry, name in files.items():
        assert (meta[entry]["file"], meta[entry]["sha256"]) == (name, digest_file(folder / name))
    assert meta["weights"] == {"file": "gan.safetensors", "sha256": digest_file(weights), "steps": 5}
    assert (meta["latent_shape"], meta["pixels_per_latent"], meta["margin"]) == ([8, "height", "width"], 4, 1)
    assert {port["name"]: port["shape"] for port in (*meta["inputs"], *meta["outputs"])} == {
        "latents": ["batch", 8, "height", "width"], "noise_0": ["batch", 1, "height", "width"],
        "noise_1": ["batch", 1, "2*height", "2*width"], "pictures": ["batch", 3, "4*height", "4*width"],
    }  # fmt: skip
    assert set(meta["normalisation"]) == {"latents", "noise", "pictures"}
    assert len({(one["batch"], one["width"]) for one in meta["parity"]}) == 2
    assert min(one["psnr_db"] for one in meta["parity"]) >= 50
    assert 20 < meta["int8"]["worst_psnr_db"] <= meta["int8"]["psnr_db"] < 100

    tables = load_file(folder / meta["tables"]["file"])
    named = {*meta["anchors"].values(), *meta["axes"].values()}
    assert named == set(tables)
    gan, _ = load_gan(weights)
    for grid in ("18x18", "11x18", "18x11"):
        rows, columns = (int(side) for side in grid.split("x"))
        bank = anchor_bank(gan, "", (rows, columns), BlockStore())
        assert np.array_equal(tables[meta["anchors"][grid]], bank.anchors)
        assert np.array_equal(tables[meta["axes"][grid]], bank.axes)

    (folder / "meta.json").unlink()
    (folder / "gan.onnx").unlink()
    (folder / "gan.int8.onnx").unlink()
    again = cli("export", "onnx", "gan", "--weights", weights, "-o", folder)
    assert (again.status, again.out) == (2, "")
    assert "gan.tables.safetensors exists already; choose another folder" in again.err


@needs_onnx
def test_where_no_weights_ship_it_is_said(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synesthete.models.weights._SHIPPED", tmp_path / "nothing")
    outcome = cli("export", "onnx", "gan", "-o", tmp_path / "gan")
    assert outcome.status == 2
    assert outcome.message == (
        "no weights of a gan ship with this version; give a .safetensors file that `synesthete train gan` "
        "wrote"
    )
    assert not (tmp_path / "gan").exists()


@needs_onnx
def test_a_preset_is_exported(cli: Command, tmp_path: Path) -> None:
    outcome = cli("export", "onnx", "cppn", "--preset", "silk", "-o", tmp_path, "--json")
    assert outcome.status == 0, outcome
    (meta,) = outcome.events
    assert meta == json.loads((tmp_path / "meta.json").read_text())
    assert meta["weights"]["preset"] == "silk"
    assert len(meta["constants"]) == meta["inputs"][1]["shape"][1]
    assert min(one["psnr_db"] for one in meta["parity"]) >= 50


@needs_onnx
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("decoder", "--weights", "none.safetensors"), "there are no weights at none.safetensors"),
        (("cppn", "--preset", "corona"), "preset corona is of the generator program, not cppn"),
        (("cppn", "--int8"), "--int8 is for convolutions, and a CPPN has none"),
        (
            ("cppn", "--weights", "a.safetensors"),
            "--weights are of the decoder or the gan; drop them, or export one of these",
        ),
        (("gan", "--weights", "none.safetensors"), "there are no weights at none.safetensors"),
        (("gan", "--preset", "silk"), "--preset is for a preset's network; drop it, or export cppn"),
        (("decoder", "--preset", "silk"), "--preset is for a preset's network; drop it, or export cppn"),
        (("decoder", "--opset", "17"), "opset = 17: should be greater than or equal to 18"),
        (("gun",), "'gun' is not one of"),
    ],
)
def test_what_can_not_be_exported_is_said(
    cli: Command, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    outcome = cli("export", "onnx", *arguments, "-o", tmp_path / "graph")
    assert outcome.status == 2
    assert said in outcome.message
    assert not (tmp_path / "graph").exists()


def test_without_the_extra_it_is_named(cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{need_onnx.__module__}.find_spec", lambda name: None)
    outcome = cli("export", "onnx", "decoder", "-o", tmp_path / "graph")
    assert outcome.status == 2
    assert outcome.message == "ONNX needs the extra packages of `onnx`; pip install 'synesthete[onnx]'"


def test_a_format_is_asked_for(cli: Command) -> None:
    assert cli("export").message.startswith("export needs a format: synesthete export onnx decoder")
