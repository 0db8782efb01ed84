"""CLIP as a judge of pictures: how near one is to a sentence. From a folder on this machine, nothing else."""

import importlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.errors import InputError

__all__ = ["load_judge"]

_WEIGHTS = "model.safetensors"
_MEAN, _STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class _Judge:
    """Gives 0 for a picture that says just what the sentence says, 1 for one unrelated to it."""

    def __init__(self, model: Any, wanted: Float[Tensor, " features"], mean: Tensor, std: Tensor) -> None:
        self._model, self._wanted, self._mean, self._std = model, wanted, mean, std
        self._side = int(model.config.vision_config.image_size)

    def __call__(self, picture: Float[Tensor, "3 height width"]) -> Tensor:
        sized = torch.nn.functional.interpolate(
            picture.clamp(0.0, 1.0)[None], (self._side, self._side), mode="bicubic", align_corners=False
        )
        pixels = (sized - self._mean) / self._std
        seen = self._model.visual_projection(self._model.vision_model(pixel_values=pixels).pooler_output)
        return 1.0 - torch.nn.functional.cosine_similarity(seen[0], self._wanted, dim=0)


def load_judge(folder: Path, prompt: str) -> _Judge:
    """Load CLIP from a folder as Hugging Face's transformers saves it, with its tokenizer.

    Nothing is downloaded, no code of the folder runs, and pickled weights are refused.

    Parameters
    ----------
    prompt
        What pictures are to show.

    Returns
    -------
    A function from a picture ``(3, height, width)``, display values, to a loss of about 0 to 1.

    Raises
    ------
    InputError
        If there is no such folder or model, or the extra ``embed`` is not installed.

    References
    ----------
    Radford et al., "Learning transferable visual models from natural language supervision", 2021.
    """
    what = f"--clip-model {folder}"
    kind = _json(folder / "config.json", what).get("model_type")
    if kind != "clip":
        raise InputError(f"{what} holds a model of type {kind!r}; name the folder of a CLIP model")
    if not (folder / _WEIGHTS).is_file():
        raise InputError(f"{what} has no {_WEIGHTS}; other weights are refused, so save it as safetensors")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when transformers is imported
    try:
        transformers: Any = importlib.import_module("transformers")
    except ImportError:
        raise InputError(
            'CLIP needs the extra embed; install it with pip install "synesthete[embed]"'
        ) from None
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        model = transformers.CLIPModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # the library raises many kinds
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{what} can't be loaded ({reason}); save model and tokenizer there anew") from None
    model.eval().requires_grad_(False)
    longest = int(model.config.text_config.max_position_embeddings)
    words = tokenizer(prompt, truncation=True, max_length=longest, return_tensors="pt")
    with torch.no_grad():
        text = model.text_model(input_ids=words["input_ids"], attention_mask=words["attention_mask"])
        wanted = model.text_projection(text.pooler_output)[0]
    mean, std = _normalisation(folder, what)
    return _Judge(model, wanted, mean, std)


def _normalisation(folder: Path, what: str) -> tuple[Tensor, Tensor]:
    """Give the mean and the standard deviation of colours that the model expects."""
    file = folder / "preprocessor_config.json"
    given = _json(file, what) if file.is_file() else {}
    mean, std = (
        torch.tensor(given.get(name, default), dtype=torch.float32).reshape(1, 3, 1, 1)
        for name, default in (("image_mean", _MEAN), ("image_std", _STD))
    )
    return mean, std


def _json(file: Path, what: str) -> dict[str, Any]:
    try:
        value = json.loads(file.read_bytes())
    except (OSError, ValueError):
        raise InputError(
            f"{what} has no {file.name} that can be read; name the folder of a CLIP model"
        ) from None
    if not isinstance(value, dict):
        raise InputError(f"{what}: {file.name} holds no settings; name the folder of a CLIP model")
    return value
