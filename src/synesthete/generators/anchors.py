"""The anchors of a generator of pictures: latents whose pictures are lively, and look like no other anchor's.

They are found once for a file of weights and a shape of latents: many latents are drawn, those whose pictures
are flat or grey are left out, and the others are clustered by how their pictures look. From the same pictures
follow the axes along which latents change them most.

References
----------
Härkönen et al., "GANSpace: discovering interpretable GAN controls", NeurIPS 2020, for principal directions
carried over to latents by regression. Differs: of pictures, and to the coarsest waves of latents only, which
few pictures tell.
"""

from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64

from synesthete.config.gan_look import MOST_ANCHORS
from synesthete.files import code_digest, digest_json
from synesthete.generators.blocks import BlockStore
from synesthete.generators.latent_control import AXES
from synesthete.generators.threads import single_threaded
from synesthete.generators.thumbnails import Thumbnails, look_distances, thumbnails
from synesthete.generators.walk_grid import without_margin
from synesthete.models.gan import GanGenerator, noise_maps
from synesthete.seeding import generator_for

__all__ = ["CANDIDATES", "AnchorBank", "anchor_bank", "medoids", "principal_axes"]

CANDIDATES: Final = 384
"""Latents that anchors are chosen from."""

_SEED: Final = 0
_BATCH: Final = 8
_LIVELY: Final = 0.75
_ROUNDS: Final = 12
_WAVES: Final = 2

Grids = Float32[np.ndarray, "grids latents rows columns"]


class AnchorBank(NamedTuple):
    """What is known of a generator's latents.

    Attributes
    ----------
    anchors
        `MOST_ANCHORS` latents.
    axes
        Directions of length 1; pictures change most along the first. All make them lighter.
    """

    anchors: Grids
    axes: Grids


def anchor_bank(
    network: GanGenerator,
    digest: str,
    grid: tuple[int, int],
    store: BlockStore,
    *,
    device: torch.device | str = "cpu",
) -> AnchorBank:
    """Find the anchors of a generator, or take what was found before.

    Parameters
    ----------
    network
        What draws, on the device.
    digest
        SHA-256 of its weights.
    grid
        Rows and columns of the latents, those beyond the edges too; see `walk_grid`.
    store
        Keeps what is found.
    """
    key = digest_json(
        {
            "anchors": [MOST_ANCHORS, CANDIDATES, _SEED], "weights": digest, "grid": list(grid),
            "code": code_digest(), "torch": [torch.__version__, str(device)],
            "processor": torch.backends.cpu.get_cpu_capability(),
        }
    )  # fmt: skip
    found = store.get(key, lambda: np.concatenate(_found(network, grid, torch.device(device))))
    return AnchorBank(found[:MOST_ANCHORS], found[MOST_ANCHORS:])


def medoids(distances: Float64[np.ndarray, "n n"], count: int) -> Int64[np.ndarray, " count"]:
    """Choose items that stand for all: each the middle of a cluster, ``count`` of them.

    It begins with items that lie as far apart as can be, and moves each to the middle of those that lie
    nearest to it.

    Parameters
    ----------
    distances
        Of each from each.
    count
        At most ``n``.

    Returns
    -------
    Their places, ascending.

    References
    ----------
    Park & Jun, "A simple and fast algorithm for K-medoids clustering", Expert Systems with Applications 2009.
    Differs: begins with the farthest ones of Gonzalez, 1985, the first the middle of all.

    Examples
    --------
    >>> at = np.array([0.0, 0.1, 0.2, 5.0, 5.1, 9.0])
    >>> medoids(np.abs(at[:, None] - at), 3).tolist()
    [1, 3, 5]
    """
    chosen = [int(distances.sum(axis=1).argmin())]
    while len(chosen) < count:
        nearest = distances[:, chosen].min(axis=1)
        nearest[chosen] = -1.0
        chosen.append(int(nearest.argmax()))
    for _ in range(_ROUNDS):
        owner = distances[:, chosen].argmin(axis=1)
        owner[chosen] = np.arange(count)  # of items in one place, too, each keeps its own
        moved = []
        for cluster in range(count):
            members = np.flatnonzero(owner == cluster)
            moved.append(int(members[distances[np.ix_(members, members)].sum(axis=1).argmin()]))
        if moved == chosen:
            break
        chosen = moved
    return np.array(sorted(chosen), np.int64)


def principal_axes(latents: Grids, looks: Thumbnails) -> Float32[np.ndarray, "axes latents rows columns"]:
    """Give directions along which pictures change most with latents, made of their coarsest waves.

    Parameters
    ----------
    latents
        N(0, 1).
    looks
        Thumbnails of their pictures.

    Returns
    -------
    `AXES` directions of length 1, at right angles; pictures become lighter along each.
    """
    waves = _waves(latents.shape[2:])
    amounts = np.einsum("nchw,khw->nkc", latents.astype(np.float64), waves).reshape(len(latents), -1)
    seen = looks.astype(np.float64).reshape(len(looks), -1)
    seen = seen - seen.mean(axis=0)
    # For independent amounts N(0, 1) this is the regression. Of products of matrices threads change the bits.
    response = np.einsum("nk,nf->kf", amounts, seen) / len(latents)
    with single_threaded():
        spread = torch.from_numpy(np.einsum("kf,lf->kl", response, response))
        directions = torch.linalg.eigh(spread).eigenvectors.numpy().T[::-1][:AXES]
    lighter = np.einsum("ak,kf->af", directions, response)[:, ::3].sum(axis=1)
    directions = directions * np.where(lighter < 0, -1.0, 1.0)[:, None]
    mixed = directions.reshape(AXES, len(waves), latents.shape[1])
    return np.asarray(np.einsum("akc,khw->achw", mixed, waves), np.float32)


def _found(
    network: GanGenerator, grid: tuple[int, int], device: torch.device
) -> tuple[Grids, Float32[np.ndarray, "axes latents rows columns"]]:
    shape = (network.spec.latents, *grid)
    latents = np.stack(
        [generator_for(_SEED, "gan.anchor", n).standard_normal(shape, np.float32) for n in range(CANDIDATES)]
    )
    noise = [one.to(device) for one in noise_maps(network.spec, _SEED, rows=grid[0], columns=grid[1])]
    looks = []
    with torch.no_grad(), single_threaded():
        for some in np.split(latents, CANDIDATES // _BATCH):
            drawn = without_margin(network(torch.from_numpy(some).to(device), noise), network.spec.scale)
            looks.append(thumbnails(drawn.float().cpu()))
    seen = np.concatenate(looks)
    lively = np.sort(np.argsort(-_liveliness(seen), kind="stable")[: int(_LIVELY * CANDIDATES)])
    chosen = lively[medoids(look_distances(seen[lively], seen[lively]), MOST_ANCHORS)]
    return latents[chosen], principal_axes(latents, seen)


def _liveliness(looks: Thumbnails) -> Float[np.ndarray, " pictures"]:
    """Give how much the places of each picture differ, and how colourful it is, in OKLab."""
    cells = looks.astype(np.float64).reshape(len(looks), -1, 3)
    differ = np.sqrt(cells.var(axis=1).sum(axis=1))
    chroma = np.sqrt(np.square(cells[:, :, 1:]).sum(axis=2)).mean(axis=1)
    return np.asarray(differ + chroma)


def _waves(grid: tuple[int, ...]) -> Float64[np.ndarray, "waves rows columns"]:
    """Give the coarsest cosine waves of a grid, each of length 1, the even one first."""
    sides = []
    for count in grid:
        places = (np.arange(count) + 0.5) / count
        waves = np.array([np.cos(np.pi * turn * places) for turn in range(min(_WAVES, count))])
        sides.append(waves / np.sqrt(np.square(waves).sum(axis=1, keepdims=True)))
    down, across = sides
    return np.asarray(np.einsum("ih,jw->ijhw", down, across).reshape(-1, *grid))
