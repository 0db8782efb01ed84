"""The files of the diffusion generator's networks: found, known by their digests, and of one training."""

from pathlib import Path

import pytest
import torch

from made_dreams import given_weights, made_vae, write_dream, write_models
from made_listeners import write_listener
from synesthete.audio.embeddings import open_embedder
from synesthete.config.dream import DiffusionLook
from synesthete.config.preset import load_preset
from synesthete.config.render import RenderOptions
from synesthete.config.weights import LargeWeights
from synesthete.errors import ConfigError, RenderError
from synesthete.files import digest_bytes
from synesthete.generators import networks
from synesthete.generators.base import Generator, Size
from synesthete.generators.build import (
    build_fuser,
    build_generator,
    check_preset,
    network_digests_of,
)
from synesthete.generators.networks import load_networks, network_digests
from synesthete.models.weights import load_diffusion, save_weights


def test_networks_are_loaded_and_known_by_their_digests(tmp_path: Path) -> None:
    found = load_networks(given_weights(tmp_path))
    assert found.model.spec.latents == found.vae.spec.latents == 4
    assert found.digests == {
        "weights": digest_bytes((tmp_path / "model.safetensors").read_bytes()),
        "vae": digest_bytes((tmp_path / "vae.safetensors").read_bytes()),
    }


def test_networks_of_two_trainings_are_refused(tmp_path: Path) -> None:
    write_dream(tmp_path)
    write_models(tmp_path, latents="0" * 64)
    with pytest.raises(ConfigError, match=r"of another autoencoder, 0{12}…, not of .*as diffusion.vae"):
        check_preset(load_preset(str(tmp_path / "dream.yaml")))


def test_another_decoder_draws_the_same_latents(tmp_path: Path) -> None:
    before = load_networks(given_weights(tmp_path))
    better = made_vae()
    better.decoder.load_state_dict(made_vae(seed=1).decoder.state_dict())
    save_weights(tmp_path / "vae.safetensors", better, {})
    model, vae = (
        LargeWeights(file=name, sha256=digest_bytes((tmp_path / name).read_bytes()), place=tmp_path / name)
        for name in ("model.safetensors", "vae.safetensors")
    )
    after = load_networks(DiffusionLook(weights=model, vae=vae))
    assert after.digests["weights"] == before.digests["weights"]
    assert after.digests["vae"] != before.digests["vae"]
    assert not torch.equal(after.vae.decoder.base.weight, before.vae.decoder.base.weight)


def test_weights_that_do_not_name_their_latents_are_refused(tmp_path: Path) -> None:
    look = given_weights(tmp_path)
    model, _ = load_diffusion(tmp_path / "model.safetensors")
    save_weights(tmp_path / "model.safetensors", model, {"vae": look.vae.sha256})
    digest = digest_bytes((tmp_path / "model.safetensors").read_bytes())
    old = look.model_copy(update={"weights": look.weights.model_copy(update={"sha256": digest})})
    with pytest.raises(ConfigError, match=r"^diffusion.weights don't say which latents .*; train them again"):
        load_networks(old)


def test_a_file_that_changes_in_between_is_noticed(tmp_path: Path) -> None:
    look = given_weights(tmp_path)
    write_models(tmp_path, seed=1)
    with pytest.raises(RenderError, match="was changed while it was used"):
        load_networks(look)


def test_missing_weights_are_told_of_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "shipped_weights", lambda kind: tmp_path / f"{kind}.safetensors")
    with pytest.raises(ConfigError, match=r"no weights of the diffusion model ship .*as diffusion.weights"):
        network_digests(DiffusionLook())


def test_weights_that_hear_a_network_s_numbers_need_that_network(tmp_path: Path) -> None:
    embedder = open_embedder("whisper", write_listener("whisper", tmp_path / "whisper"), size=4)
    other = write_listener("whisper", tmp_path / "other", encoder_ffn_dim=16)
    look = load_preset(str(write_dream(tmp_path, embedder=embedder, embedding_dir="whisper"))).diffusion
    found = load_networks(look)
    assert found.embedder == embedder
    assert found.digests["embedding_dir"] == embedder.digest

    assert other.is_dir()
    for given, said in (
        (None, "diffusion.weights also hear numbers of a whisper network; .* as diffusion.embedding_dir"),
        ("other", "diffusion.embedding_dir: .*other holds another whisper network"),
    ):
        with pytest.raises(ConfigError, match=said):
            check_preset(load_preset(str(write_dream(tmp_path, embedder=embedder, embedding_dir=given))))
    with pytest.raises(ConfigError, match=r"hear the Timeline alone; leave out diffusion.embedding_dir"):
        check_preset(load_preset(str(write_dream(tmp_path, embedding_dir="whisper"))))


def test_only_presets_that_draw_with_networks_have_digests(tmp_path: Path) -> None:
    dream = load_preset(str(write_dream(tmp_path)))
    assert network_digests_of([load_preset("silk"), dream]) == {"dream": network_digests(dream.diffusion)}


def test_a_preset_builds_its_generator(tmp_path: Path) -> None:
    preset = load_preset(str(write_dream(tmp_path)))
    options = RenderOptions(kernels="eager", device="cpu")
    fuser = build_fuser(options, preset.generator, Size(64, 64), 30)
    generator = build_generator(preset, options, fuser)
    assert isinstance(generator, Generator)
    assert generator.name == "diffusion"
