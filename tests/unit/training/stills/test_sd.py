"""The path of Stable Diffusion, with a pipeline of random weights that is as small as can be."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from synesthete.config.stills import BUCKETS, PromptBook, load_prompts
from synesthete.errors import ConfigError, InputError, RenderError
from synesthete.training.stills.sd import GUIDANCE, SHIPPED_PROMPTS, STEPS, DiffusersSource

diffusers: Any = pytest.importorskip("diffusers")
transformers: Any = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sd")
    words = ["<|startoftext|>", "<|endoftext|>", *"abcdefghijklmnopqrstuvwxyz,-"]
    words += [f"{letter}</w>" for letter in "abcdefghijklmnopqrstuvwxyz,-"]
    (folder / "vocab.json").write_text(json.dumps({word: place for place, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = transformers.CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=16
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        text = transformers.CLIPTextModel(
            transformers.CLIPTextConfig(
                vocab_size=len(words), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
                num_attention_heads=2, max_position_embeddings=16, bos_token_id=0, eos_token_id=1,
                pad_token_id=1,
            )
        )  # fmt: skip
        unet = diffusers.UNet2DConditionModel(
            sample_size=8, block_out_channels=(8, 16), layers_per_block=1, in_channels=4, out_channels=4,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=16, norm_num_groups=4, attention_head_dim=4,
        )  # fmt: skip
        vae = diffusers.AutoencoderKL(
            block_out_channels=(8, 8), latent_channels=4, norm_num_groups=4, sample_size=16,
            down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        )  # fmt: skip
    pipeline = diffusers.StableDiffusionPipeline(
        vae=vae, text_encoder=text, tokenizer=tokenizer, unet=unet, safety_checker=None,
        feature_extractor=None, requires_safety_checker=False,
        scheduler=diffusers.PNDMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True,
            steps_offset=1,
        ),
    )  # fmt: skip
    pipeline.save_pretrained(folder / "pipeline", safe_serialization=True)
    return folder / "pipeline"


@pytest.fixture(scope="module")
def source(model: Path) -> DiffusersSource:
    return DiffusersSource(7, 24, model, device="cpu")


def test_pictures_are_functions_of_seed_bucket_and_index(source: DiffusersSource, model: Path) -> None:
    one = source.draw("abstract", 0)
    assert one.picture.shape == (24, 24, 3)
    again = DiffusersSource(7, 24, model, device="cpu")
    assert np.array_equal(again.draw("abstract", 0).picture, one.picture)
    assert not np.array_equal(again.draw("abstract", 1).picture, one.picture)
    assert again.recipe == source.recipe
    assert one.facts["prompt"] == source.request("abstract", 0).prompt


def test_requests_keep_to_the_ranges(source: DiffusersSource) -> None:
    book = load_prompts(SHIPPED_PROMPTS)
    asked = [source.request(bucket, index) for bucket in BUCKETS for index in range(20)]
    assert {request.steps for request in asked} <= set(range(STEPS[0], STEPS[1] + 1))
    assert len({request.steps for request in asked}) > 8
    assert all(GUIDANCE[0] <= request.guidance <= GUIDANCE[1] for request in asked)
    assert all(request.negative.startswith(book.negative) for request in asked)
    assert all("people" in request.negative and "logo" in request.negative for request in asked)
    assert len({request.prompt for request in asked}) > 100


def test_steps_and_guidance_can_be_fixed(model: Path) -> None:
    fixed = DiffusersSource(7, 16, model, steps=20, guidance=7.5, device="cpu")
    assert {fixed.request("glitch", index)[2:] for index in range(9)} == {(20, 7.5)}


def test_what_the_checker_stops_is_drawn_again(
    source: DiffusersSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped, seeds = [True, False], list[int]()
    made = source._pipeline("light", num_inference_steps=2, output_type="pil")

    def checked(*args: Any, generator: torch.Generator, **given: Any) -> Any:
        seeds.append(generator.initial_seed())
        return SimpleNamespace(images=made.images, nsfw_content_detected=[stopped.pop(0)])

    monkeypatch.setattr(source, "_pipeline", checked)
    other = source.draw("relief", 0)
    assert other.facts["attempt"] == 1
    assert other.facts["noise"] == seeds[1] != seeds[0]
    stopped[:] = [True] * 8
    with pytest.raises(RenderError, match="safety checker stopped 8"):
        source.draw("relief", 0)


def test_folders_that_are_none(tmp_path: Path, model: Path) -> None:
    with pytest.raises(InputError, match="holds no pipeline"):
        DiffusersSource(0, 16, tmp_path)
    (tmp_path / "model_index.json").write_text((model / "model_index.json").read_text())
    (tmp_path / "weights.bin").write_bytes(b"pickle")
    with pytest.raises(InputError, match="no weights in safetensors"):
        DiffusersSource(0, 16, tmp_path)
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(InputError, match="can't be loaded"):
        DiffusersSource(0, 16, tmp_path)


def test_prompts_of_your_own(tmp_path: Path, model: Path) -> None:
    book = PromptBook(
        buckets={"moss": {"subjects": ("moss",)}},
        colours=("green",),
        manners=("soft",),
        ending="e",
        negative="n",
    )  # type: ignore[arg-type]  # pydantic builds what lies below
    own = DiffusersSource(0, 16, model, prompts=book, device="cpu")
    assert own.buckets == ("moss",)
    assert own.request("moss", 0)[:2] == ("moss, green, soft, e", "n")
    (tmp_path / "prompts.yaml").write_text("buckets: {Über: {subjects: [x]}}\n")
    with pytest.raises(ConfigError, match="no name of a bucket"):
        load_prompts(tmp_path / "prompts.yaml")
