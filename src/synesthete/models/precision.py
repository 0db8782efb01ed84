"""In which type a machine multiplies matrices fastest."""

from typing import Final

import torch

__all__ = ["sampling_dtype"]

_NATIVE: Final = ("avx512_bf16", "amx_bf16", "arm_bf16")


def sampling_dtype(device: torch.device) -> torch.dtype:
    """Give bfloat16 where the machine multiplies it, and float32 where it would have to be imitated."""
    known = torch.cpu.get_capabilities()
    native = device.type == "cuda" or any(known.get(name) for name in _NATIVE)
    return torch.bfloat16 if native else torch.float32
