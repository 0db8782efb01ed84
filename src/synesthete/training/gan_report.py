"""What a generator of pictures draws, beside the pictures that it learned from: likeness, colour, and copies.

Pictures that it never saw say what can be had: they lie as far from those that it learned from as new
pictures of the same kind do.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from synesthete.config.gan_look import MOST_ANCHORS
from synesthete.evaluation.style_probes import effective_number
from synesthete.evaluation.thumbnails import FEATURE, Thumbnails, look_distances, thumbnails
from synesthete.generators.anchors import anchor_bank
from synesthete.generators.blocks import BlockStore
from synesthete.media.images import contact_sheet, write_png
from synesthete.models.gan import LATENT_SIDE, GanGenerator, noise_maps, on_sphere
from synesthete.models.vae import Vae
from synesthete.seeding import generator_for
from synesthete.training.losses import chroma, mean_saturation
from synesthete.training.picture_codes import picture_bytes
from synesthete.training.stills.batches import PlainBatches
from synesthete.training.stills.collection import StillFolder
from synesthete.training.stills.likeness import features_of, frechet_distance, variety

__all__ = ["GanReport", "measure_gan", "report_sheets"]

_BATCH: Final = 16
_SHOWN: Final = 32
_COLUMNS: Final = 8
_SWEEPS: Final = 4
_SWEEP_STEPS: Final = 64
_SEEN: Final = 0.02
"""Thumbnails that lie nearer can't be told apart."""

_SHAPES: Final = {"square": (16, 16), "wide": (9, 16), "tall": (16, 9)}

Pictures = Float[Tensor, "batch 3 height width"]


class GanReport(NamedTuple):
    """What was measured.

    Attributes
    ----------
    figures
        As JSON has it. ``pictures``, ``learned_from``, ``held_out``: how many; ``frechet``: squared Fréchet
        distance from those learned from, of as many ``drawn`` pictures as are held out, and of the
        ``held_out`` ones; ``variety``, ``saturation``, ``brightness``, ``contrast``: of drawn pictures over
        those learned from; ``chroma``: the gap between means and deviations of chroma; ``neighbours``: how
        far the nearest picture that was learned from lies, medians of ``drawn`` and ``held_out`` and their
        ``ratio``, and the shares that can't be told from one, mirrored or not, ``copies`` and
        ``copies_held_out``; ``looks``: how many different looks the 64 ``anchors`` of films have, and as many
        ``held_out`` pictures (`synesthete.evaluation.style_probes.effective_number` of thumbnails, the
        ``bandwidth`` being how far held-out pictures are from those learned from); ``sweep``: along walks
        from one picture to another, the mean ``step`` of pixels and the longest one over it, ``jump``;
        ``milliseconds``: to draw a picture of each shape.
    drawn
        Some of the pictures.
    shapes
        A picture of each other shape.
    sweeps
        Walks from one picture to another.
    nearest
        Drawn pictures that lie nearest to one that was learned from, with that one.
    """

    figures: dict[str, Any]
    drawn: list[Tensor]
    shapes: list[Tensor]
    sweeps: list[list[Tensor]]
    nearest: list[tuple[Tensor, Tensor]]


class _Looks(NamedTuple):
    """What is kept of some pictures."""

    features: Float[Tensor, "pictures features"]
    colours: Float[Tensor, "pictures 7"]
    thumbnails: Thumbnails


@torch.no_grad()
def measure_gan(
    generator: GanGenerator,
    vae: Vae,
    images: StillFolder,
    *,
    count: int = 500,
    seed: int = 17,
    on_pictures: Callable[[str, int, int], None] = lambda what, done, of: None,
) -> GanReport:
    """Measure a generator of pictures.

    Parameters
    ----------
    vae
        The autoencoder whose features pictures are compared by.
    images
        What it learned from.
    count
        How many pictures to draw.
    seed
        Of the latents and the noise.
    on_pictures
        Is told of what, how many are done, and of how many.
    """
    side = LATENT_SIDE * generator.spec.scale
    draws = _Draws(generator, seed)
    drawn = _look(vae, draws.square, count, lambda done: on_pictures("drawn", done, count))

    def looked_at(what: str, files: Sequence[Path]) -> _Looks:
        return _look(vae, _Read(files, side), len(files), lambda done: on_pictures(what, done, len(files)))

    learned, held_out = looked_at("learned from", images.training), looked_at("held out", images.held_out)
    fewer = min(count, len(images.held_out))
    near, apart = _neighbours(drawn.thumbnails, learned.thumbnails)
    _, apart_held_out = _neighbours(held_out.thumbnails, learned.thumbnails)
    bandwidth = float(np.median(apart_held_out))
    walks = [draws.walk(number) for number in range(_SWEEPS)]
    shapes = {name: draws.shape(*grid) for name, grid in _SHAPES.items()}
    closest = np.argsort(apart, kind="stable")[:_COLUMNS]
    figures = {
        "pictures": count,
        "learned_from": len(images.training),
        "held_out": len(images.held_out),
        "frechet": {
            "drawn": frechet_distance(drawn.features[:fewer], learned.features),
            "held_out": frechet_distance(held_out.features[:fewer], learned.features),
        },
        "variety": variety(drawn.features, learned.features),
        **_compared(drawn.colours, learned.colours),
        "neighbours": {
            "drawn": float(np.median(apart)),
            "held_out": bandwidth,
            "ratio": float(np.median(apart) / max(bandwidth, 1e-9)),
            "copies": float((apart < _SEEN).mean()),
            "copies_held_out": float((apart_held_out < _SEEN).mean()),
            "feature": FEATURE,
        },
        "looks": {
            "anchors": _different(_anchors(generator), bandwidth),
            "held_out": _different(held_out.thumbnails[:MOST_ANCHORS], bandwidth),
            "bandwidth": bandwidth,
            "feature": FEATURE,
        },
        "sweep": _smoothness(walks),
        "milliseconds": {name: milliseconds for name, (_, milliseconds) in shapes.items()},
    }
    return GanReport(
        figures,
        [draws.square(range(place, place + 1))[0] for place in range(min(count, _SHOWN))],
        [picture for name, (picture, _) in shapes.items() if name != "square"],
        [list(walk[:: _SWEEP_STEPS // _COLUMNS]) for walk in walks],
        [
            (
                draws.square(range(int(place), int(place) + 1))[0],
                _Read(images.training, side)(range(near[place], near[place] + 1))[0],
            )
            for place in closest
        ],
    )


def report_sheets(folder: Path, report: GanReport) -> None:
    """Write sheets of pictures: drawn ones with other shapes, walks, and the nearest neighbours.

    Parameters
    ----------
    folder
        Where to; it is made.
    """
    sheets = {
        "drawn": ([*report.drawn, *report.shapes], "drawn; last, other shapes"),
        "sweeps": (
            [one for sweep in report.sweeps for one in sweep], "walks from one picture to another",
        ),
        "neighbours": (
            [one[place] for place in (0, 1) for one in report.nearest],
            "drawn pictures nearest to one that was learned from; below, that one",
        ),
    }  # fmt: skip
    for name, (pictures, title) in sheets.items():
        shown = [picture_bytes(one) for one in pictures]
        write_png(folder / f"{name}.png", contact_sheet(shown, columns=_COLUMNS, title=title))


class _Draws:
    """Pictures of a generator, each by its number."""

    def __init__(self, generator: GanGenerator, seed: int) -> None:
        self._generator, self._seed = generator, seed
        self._noise = noise_maps(generator.spec, seed)

    def square(self, numbers: range) -> Pictures:
        """Draw some; of a batch of one other last bits come out, so that there are two at least."""
        latents = torch.stack([self._latents("picture", number) for number in numbers])
        several = latents if len(latents) > 1 else latents.expand(2, -1, -1, -1)
        drawn: Tensor = self._generator(several, self._noise)
        return drawn[: len(latents)]

    def walk(self, number: int) -> Pictures:
        """Walk from one picture to another."""
        ends = [self._latents(f"walk {end}", number) for end in range(2)]
        latents = on_sphere(ends[0], ends[1], torch.linspace(0.0, 1.0, _SWEEP_STEPS))
        return torch.cat([self._generator(some, self._noise) for some in torch.split(latents, _BATCH)])

    def shape(self, rows: int, columns: int) -> tuple[Float[Tensor, "3 height width"], float]:
        """Draw a picture of a shape twice; give it and how long the second took, ms."""
        noise = noise_maps(self._generator.spec, self._seed, rows=rows, columns=columns)
        latents = self._latents("shape", 0, rows=rows, columns=columns)[None]
        self._generator(latents, noise)
        started = time.perf_counter()
        drawn = self._generator(latents, noise)
        return drawn[0], 1000.0 * (time.perf_counter() - started)

    def _latents(
        self, name: str, number: int, *, rows: int = LATENT_SIDE, columns: int = LATENT_SIDE
    ) -> Float[Tensor, "latents rows columns"]:
        draw = generator_for(self._seed, f"gan.probe {name}", number)
        shape = (self._generator.spec.latents, rows, columns)
        return torch.from_numpy(draw.standard_normal(shape, np.float32))


class _Read:
    """Pictures of files, as they are."""

    def __init__(self, files: Sequence[Path], side: int) -> None:
        self._one = PlainBatches(files, side=side, batch_size=1)

    def __call__(self, numbers: range) -> Pictures:
        """Read some."""
        return torch.cat([self._one(number).pictures for number in numbers]).float() / 255.0


def _look(
    vae: Vae, give: Callable[[range], Pictures], count: int, on_pictures: Callable[[int], None]
) -> _Looks:
    features, colours, looks = [], [], []
    for first in range(0, count, _BATCH):
        pictures = give(range(first, min(first + _BATCH, count)))
        features.append(features_of(vae, pictures))
        luma, amounts = pictures.mean(dim=1).flatten(1), chroma(pictures).flatten(2)
        colours.append(
            torch.cat(
                [
                    torch.stack([mean_saturation(pictures), luma.mean(dim=1), luma.std(dim=1)], dim=1),
                    amounts.mean(dim=2),
                    amounts.std(dim=2),
                ],
                dim=1,
            )
        )
        looks.append(thumbnails(pictures))
        on_pictures(first + len(pictures))
    return _Looks(torch.cat(features), torch.cat(colours), np.concatenate(looks))


def _compared(drawn: Float[Tensor, "pictures 7"], learned: Float[Tensor, "others 7"]) -> dict[str, float]:
    own, other = drawn.double().mean(dim=0), learned.double().mean(dim=0)
    of_data = own / other.clamp(min=1e-6)
    return {
        **dict(zip(("saturation", "brightness", "contrast"), of_data[:3].tolist(), strict=True)),
        "chroma": float((own - other)[3:].abs().mean()),
    }


def _neighbours(looks: Thumbnails, learned: Thumbnails) -> tuple[list[int], Float64[np.ndarray, " pictures"]]:
    """Find for each picture the nearest one that was learned from, mirrored or not, and how far it lies."""
    both = np.concatenate([learned, learned[:, :, ::-1]])
    distances = look_distances(looks, both)
    nearest = distances.argmin(axis=1)
    return (nearest % len(learned)).tolist(), distances.min(axis=1)


def _anchors(generator: GanGenerator) -> Thumbnails:
    """Look at the squares that films walk between."""
    grid = (LATENT_SIDE, LATENT_SIDE)
    anchors = torch.from_numpy(anchor_bank(generator, "", grid, BlockStore()).anchors)
    noise = noise_maps(generator.spec, 0)
    return np.concatenate([thumbnails(generator(some, noise)) for some in torch.split(anchors, _BATCH)])


def _different(looks: Thumbnails, bandwidth: float) -> float:
    return effective_number(look_distances(looks, looks), bandwidth=max(bandwidth, 1e-9))


def _smoothness(walks: Sequence[Pictures]) -> dict[str, float]:
    steps = torch.stack([walk.diff(dim=0).square().mean(dim=(1, 2, 3)).sqrt() for walk in walks])
    mean = float(steps.mean())
    return {"step": mean, "jump": float((steps / steps.mean(dim=1, keepdim=True).clamp(min=1e-9)).max())}
