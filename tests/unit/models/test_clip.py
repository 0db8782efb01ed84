"""CLIP from a local folder: a tiny one with random weights, made here."""

import json
from pathlib import Path

import pytest
import torch

from synesthete.errors import InputError
from synesthete.models.clip import load_judge


def test_it_leads_a_picture_towards_the_sentence(tiny_clip: Path) -> None:
    judge = load_judge(tiny_clip, "red sea")
    picture = torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(0)).requires_grad_()
    before = judge(picture)
    before.backward()
    assert picture.grad is not None
    with torch.no_grad():
        after = judge(picture - 0.02 * picture.grad / picture.grad.abs().max())
    assert float(after) < float(before.detach())
    other = load_judge(tiny_clip, "a blue night")
    assert float(other(picture.detach())) != pytest.approx(float(before.detach()), abs=1e-4)


def test_its_own_normalisation_is_used(tiny_clip: Path) -> None:
    picture = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
    before = float(load_judge(tiny_clip, "red sea")(picture))
    settings = {"image_mean": [0.1, 0.9, 0.5], "image_std": [0.1, 0.1, 0.9]}
    (tiny_clip / "preprocessor_config.json").write_text(json.dumps(settings))
    assert float(load_judge(tiny_clip, "red sea")(picture)) != pytest.approx(before, abs=1e-4)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no config\.json"):
        load_judge(tmp_path, "red sea")


def test_another_model_is_refused(tiny_clip: Path) -> None:
    (tiny_clip / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(InputError, match="a model of type 'bert'"):
        load_judge(tiny_clip, "red sea")


def test_pickled_weights_are_refused(tiny_clip: Path) -> None:
    weights = torch.nn.Linear(1, 1).state_dict()
    torch.save(weights, tiny_clip / "pytorch_model.bin")
    (tiny_clip / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"has no model\.safetensors"):
        load_judge(tiny_clip, "red sea")


def test_damaged_weights_are_refused(tiny_clip: Path) -> None:
    (tiny_clip / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputError, match="can't be loaded"):
        load_judge(tiny_clip, "red sea")
