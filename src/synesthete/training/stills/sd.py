"""Stills by Stable Diffusion from a folder on this machine: nothing is downloaded, and no pickle is read."""

import importlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from PIL import Image

from synesthete.config.stills import PromptBook, load_prompts
from synesthete.errors import InputError, RenderError
from synesthete.files import digest_bytes, digest_file, digest_json
from synesthete.seeding import generator_for
from synesthete.training.stills.sources import Still

__all__ = ["GUIDANCE", "SHIPPED_PROMPTS", "STEPS", "DiffusersSource", "Request"]

SHIPPED_PROMPTS: Final = Path(__file__).with_name("prompts.yaml")
STEPS: Final = (20, 35)
"""Least and most sampling steps, where the number is drawn."""
GUIDANCE: Final = (6.5, 9.5)
"""Least and most guidance, where it is drawn."""

_INDEX: Final = "model_index.json"
_CHECKER: Final = "safety_checker"
_MOST_SEED: Final = 2**62
_MOST_ATTEMPTS: Final = 8


class Request(NamedTuple):
    """What one picture is asked for with."""

    prompt: str
    negative: str
    steps: int
    guidance: float


class DiffusersSource:
    """Draws by a Stable Diffusion pipeline, as diffusers saves it, at the size that it was trained for.

    Parameters
    ----------
    seed
        0 to 2**63 - 1.
    size
        Side of the pictures, pixels: those of the model are resampled to it.
    folder
        Of the pipeline; its weights are safetensors.
    prompts
        What to ask for; by default the prompts that ship.
    steps, guidance
        Fixed ones; by default both are drawn, from `STEPS` and `GUIDANCE`.
    device
        Where to draw; by default a GPU, if there is one. Pictures of one are not to the bit those of another.

    Raises
    ------
    InputError
        If there is no such folder or pipeline, or the extra ``sd`` is not installed.

    References
    ----------
    Rombach et al., "High-resolution image synthesis with latent diffusion models", CVPR 2022.
    Ho & Salimans, "Classifier-free diffusion guidance", 2022.
    """

    def __init__(
        self,
        seed: int,
        size: int,
        folder: Path,
        *,
        prompts: PromptBook | None = None,
        steps: int | None = None,
        guidance: float | None = None,
        device: str | None = None,
    ) -> None:
        self._seed, self._size = seed, size
        self._book = prompts or load_prompts(SHIPPED_PROMPTS)
        self._steps, self._guidance = steps, guidance
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._digest = _digest(folder)
        self._pipeline = _load(folder, self._device)

    @property
    def buckets(self) -> tuple[str, ...]:
        """Name the buckets that the prompts have."""
        return tuple(self._book.buckets)

    @property
    def recipe(self) -> Mapping[str, Any]:
        """Say what all its pictures depend on; the model counts by content, not by place."""
        return {
            "source": "sd",
            "seed": self._seed,
            "size": self._size,
            "model": self._digest,
            "prompts": digest_json(self._book.model_dump(mode="json")),
            "steps": self._steps,
            "guidance": self._guidance,
            "device": self._device,
        }

    def request(self, bucket: str, index: int) -> Request:
        """Draw what one picture is asked for with."""
        draw = generator_for(self._seed, f"stills.sd.{bucket}", index)
        wanted = self._book.buckets[bucket]
        parts = (wanted.subjects, self._book.colours, self._book.manners)
        words = [options[int(draw.integers(len(options)))] for options in parts]
        negatives = (self._book.negative, wanted.negative)
        steps, guidance = int(draw.integers(STEPS[0], STEPS[1] + 1)), float(draw.uniform(*GUIDANCE))
        return Request(
            ", ".join([*words, self._book.ending]),
            ", ".join(text for text in negatives if text),
            steps if self._steps is None else self._steps,
            round(guidance if self._guidance is None else self._guidance, 2),
        )

    def draw(self, bucket: str, index: int) -> Still:
        """Draw a still of one of the prompts' buckets; what the folder's safety checker stops is drawn again.

        Raises
        ------
        RenderError
            If the checker stops every one of several.
        """
        asked = self.request(bucket, index)
        draw = generator_for(self._seed, f"stills.sd.{bucket}.noise", index)
        for attempt in range(_MOST_ATTEMPTS):
            seed = int(draw.integers(_MOST_SEED))
            made = self._pipeline(
                asked.prompt,
                negative_prompt=asked.negative,
                num_inference_steps=asked.steps,
                guidance_scale=asked.guidance,
                # On the CPU: other devices would draw other noise.
                generator=torch.Generator("cpu").manual_seed(seed),
                output_type="pil",
            )
            if not (made.nsfw_content_detected and made.nsfw_content_detected[0]):
                picture = made.images[0].convert("RGB")
                if picture.size != (self._size, self._size):
                    picture = picture.resize((self._size, self._size), Image.Resampling.LANCZOS)
                return Still(np.array(picture), {**asked._asdict(), "noise": seed, "attempt": attempt})
        raise RenderError(
            f"the model's safety checker stopped {_MOST_ATTEMPTS} pictures of {bucket} {index}; "
            "take other prompts with --prompts, or another --seed"
        )


def _digest(folder: Path) -> str:
    """Digest a pipeline: its index, and the names and contents of all weights.

    Raises
    ------
    InputError
        If there is none.
    """
    index = folder / _INDEX
    try:
        data = index.read_bytes()
        if not isinstance(json.loads(data), dict):
            raise ValueError("no mapping")
    except (OSError, ValueError) as error:
        raise InputError(
            f"--model {folder} holds no pipeline ({_INDEX}: {getattr(error, 'strerror', None) or error}); "
            "name a folder that diffusers saved"
        ) from None
    weights = sorted(folder.rglob("*.safetensors"))
    if not weights:
        raise InputError(
            f"--model {folder} has no weights in safetensors; others are refused, so save it as safetensors"
        )
    found = {path.relative_to(folder).as_posix(): digest_file(path) for path in weights}
    return digest_json({"index": digest_bytes(data), "weights": found})


def _load(folder: Path, device: str) -> Any:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when the libraries are imported
    try:
        transformers: Any = importlib.import_module("transformers")
        transformers.utils.logging.set_verbosity_error()  # it has much to say while diffusers is imported
        diffusers: Any = importlib.import_module("diffusers")
    except ImportError:
        raise InputError(
            'Stable Diffusion needs the extra sd; install it with pip install "synesthete[sd]"'
        ) from None
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    # A folder that has a safety checker keeps it.
    absent = {} if (folder / _CHECKER).is_dir() else {_CHECKER: None, "requires_safety_checker": False}
    try:
        pipeline = diffusers.StableDiffusionPipeline.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float16 if device == "cuda" else torch.float32,
            **absent,
        )
    except Exception as error:  # the library raises many kinds
        raise InputError(
            f"--model {folder} can't be loaded ({str(error).splitlines()[0][:160]}); name the folder of a "
            "Stable Diffusion 1.5 pipeline"
        ) from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)
