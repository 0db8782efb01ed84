"""A tiny CLIP with random weights, and a tokenizer of a few words, as transformers saves them."""

from pathlib import Path

import torch

WORDS = ("<start>", "<end>", "<unknown>", "a", "red", "sea", "blue", "night")


def write_clip(folder: Path) -> Path:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

    small = {
        "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
    }  # fmt: skip
    text = {
        **small,
        "vocab_size": len(WORDS),
        "max_position_embeddings": 8,
        "bos_token_id": 0,
        "eos_token_id": 1,
    }
    vision = {**small, "image_size": 16, "patch_size": 8}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8))
    model.save_pretrained(folder)
    words = Tokenizer(WordLevel({word: k for k, word in enumerate(WORDS)}, unk_token="<unknown>"))
    words.pre_tokenizer = Whitespace()
    words.post_processor = TemplateProcessing(
        single="<start> $A <end>", special_tokens=[("<start>", 0), ("<end>", 1)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words,
        bos_token="<start>",
        eos_token="<end>",
        unk_token="<unknown>",
        pad_token="<end>",
    )
    tokenizer.save_pretrained(folder)
    return folder
