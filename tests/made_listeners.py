"""Tiny audio networks with random weights, as transformers saves them: Wav2Vec2, Whisper, CLAP."""

from pathlib import Path
from typing import Any

import torch

__all__ = ["KINDS", "write_listener"]

KINDS = ("wav2vec2", "whisper", "clap")
_SMALL = {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


def write_listener(kind: str, folder: Path, **changes: Any) -> Path:
    """Save one.

    Parameters
    ----------
    kind
        One of `KINDS`, or ``clap whole``: with its text half.
    changes
        Of its configuration.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = _model(kind, changes)
        for name, values in model.named_parameters():
            if "norm" not in name and values.dim() > 1:
                # As they come, they are too small to tell sounds apart.
                torch.nn.init.xavier_normal_(values)
            if values.dim() == 3:  # kernels in time: the same from both ends, so that nothing leans to one
                values.data = (values + values.flip(-1)).detach() / 2
    model.save_pretrained(folder)
    return folder


def _model(kind: str, changes: dict[str, Any]) -> Any:
    import transformers

    transformers.utils.logging.disable_progress_bar()
    if kind == "wav2vec2":
        small = {**_SMALL, "hidden_size": 16, "conv_dim": (8,) * 7, "vocab_size": 8}
        positions = {"num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}
        return transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**{**small, **positions, **changes}))
    if kind == "whisper":
        small = {
            "d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 32,
            "decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 32, "vocab_size": 8,
            "max_source_positions": 200, "max_target_positions": 4, "pad_token_id": 0, "bos_token_id": 1,
            "eos_token_id": 2, "decoder_start_token_id": 1,
        }  # fmt: skip
        return transformers.WhisperModel(transformers.WhisperConfig(**{**small, **changes}))
    heard = {
        "patch_embeds_hidden_size": 8, "hidden_size": 16, "depths": [1, 1], "num_attention_heads": [2, 2],
        "num_hidden_layers": 2, "projection_dim": 16, **changes,
    }  # fmt: skip
    if kind == "clap":
        return transformers.ClapAudioModelWithProjection(transformers.ClapAudioConfig(**heard))
    read = {**_SMALL, "hidden_size": 16, "vocab_size": 8}
    return transformers.ClapModel(
        transformers.ClapConfig(audio_config=heard, text_config=read, projection_dim=16)
    )
