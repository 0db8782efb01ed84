"""What an autoencoder's pictures are measured against: a linear code, and the edges that should be there."""

from typing import Final

import numpy as np
import torch
from jaxtyping import Float, UInt8
from scipy.fft import dctn, idctn
from torch import Tensor

from synesthete.models.vae import BLOCK

__all__ = ["PERIODS", "block_transform", "edge_powers", "picture_bytes"]

PERIODS: Final = (2, 4, 8, 16)
"""The finest period of each octave of spatial frequency, pixels."""

# ITU-R BT.601, as JPEG has it.
_TO_YCC: Final = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))

Pictures = Float[Tensor, "batch 3 height width"]


def block_transform(pictures: Pictures, kept: int, *, own: bool = False) -> Pictures:
    """Keep some coefficients of the cosine transforms of blocks of 16x16 pixels.

    Parameters
    ----------
    pictures
        Display RGB; sides are multiples of 16.
    kept
        Coefficients of a block, of the three components of BT.601 together.
    own
        True: every block keeps its own largest ones, which takes more than ``kept`` numbers, as it must be
        told which. False: all keep the same ones, those of most energy in these pictures.
    """
    count, _, high, wide = pictures.shape
    to_ycc = torch.tensor(_TO_YCC, dtype=torch.float64)
    ycc = torch.einsum("cr,brhw->bchw", to_ycc, pictures.double()).numpy()
    blocks = ycc.reshape(count, 3, high // BLOCK, BLOCK, wide // BLOCK, BLOCK).transpose(0, 2, 4, 1, 3, 5)
    spectrum = dctn(blocks, axes=(-2, -1), norm="ortho")
    energy = np.square(spectrum)
    ranked = energy if own else energy.mean(axis=(0, 1, 2), keepdims=True)
    flat = ranked.reshape(*ranked.shape[:3], -1)
    least = np.partition(flat, -kept, axis=-1)[..., -kept]
    spectrum = spectrum * (ranked >= least[..., None, None, None])
    back = idctn(spectrum, axes=(-2, -1), norm="ortho").transpose(0, 3, 1, 4, 2, 5).reshape(ycc.shape)
    return torch.einsum("cr,brhw->bchw", torch.linalg.inv(to_ycc), torch.from_numpy(back)).float()


def edge_powers(pictures: Pictures) -> Float[Tensor, " octaves"]:
    """Give the power of edges by octaves of spatial frequency, `PERIODS`, and of all together, last.

    Edges are the differences of neighbouring pixels of luma; their power is that of their Fourier transform.

    Parameters
    ----------
    pictures
        Square.
    """
    luma = (pictures * pictures.new_tensor(_TO_YCC[0])[:, None, None]).sum(dim=1)
    frequency = torch.fft.fftfreq(pictures.shape[-1], device=pictures.device)
    radius = torch.hypot(frequency[:, None], frequency[None])
    power = torch.zeros_like(radius)
    for axis in (-1, -2):
        apart = luma.diff(dim=axis, append=luma.narrow(axis, -1, 1))
        power += torch.fft.fft2(apart).abs().square().sum(dim=0)
    octaves = [power[(radius > 0.5 / period) & (radius <= 1.0 / period)].sum() for period in PERIODS]
    return torch.stack([*octaves, power.sum()])


def picture_bytes(picture: Float[Tensor, "3 height width"]) -> UInt8[np.ndarray, "height width 3"]:
    """Give a picture, 0-1, as it is written to a file."""
    scaled = torch.round(picture.float().clamp(0.0, 1.0) * 255.0).to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(1, 2, 0).cpu().numpy())
