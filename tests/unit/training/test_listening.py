"""The test of listening: its false alarms, and that a model of random numbers does not pass."""

from pathlib import Path

import pytest

from made_weights import tiny_config, write_diffusion, write_vae
from synesthete.training.drawer import Drawer, load_drawer
from synesthete.training.listening import measure_listening


@pytest.fixture(scope="module")
def drawer(tmp_path_factory: pytest.TempPathFactory) -> Drawer:
    folder = tmp_path_factory.mktemp("weights")
    vae = write_vae(folder / "vae.safetensors")
    return load_drawer(write_diffusion(folder / "diffusion.safetensors", vae), vae=vae, seed=3)


def test_a_model_of_random_numbers_does_not_listen(drawer: Drawer) -> None:
    found = measure_listening(drawer, seed=3, clips=10)
    assert found.right != found.wrong  # it hears both, and they are not the same to it
    assert found.p > 0.01
    assert not found.listens
    assert found == measure_listening(drawer, seed=3, clips=10)


def test_a_model_that_hears_nothing_never_does_better(tmp_path: Path) -> None:
    vae = write_vae(tmp_path / "vae.safetensors")
    config = tiny_config("data.rows_per_frame=1", "model.row_layers=1")
    drawer = load_drawer(write_diffusion(tmp_path / "deaf.safetensors", vae, config), vae=vae, seed=3)
    drawer.model.ear.leave.weight.zero_()
    found = measure_listening(drawer, seed=3, clips=2)
    assert found.right == found.wrong
    assert (found.better, found.p) == (0, 1.0)
