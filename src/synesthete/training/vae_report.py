"""What an autoencoder keeps of pictures that it was not trained on: detail, size, colour, and the music.

Every held-out program draws one clip. Baselines are measured on the same pictures: for whole frames a cosine
transform of blocks that keeps as many coefficients as there are latents; for large pictures the autoencoder's
own small picture, enlarged by cubic interpolation.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from synesthete.config.data import DataConfig
from synesthete.config.vae import HELD_OUT
from synesthete.media.images import contact_sheet, write_png
from synesthete.models.field import Canvas
from synesthete.models.vae import Posterior, Vae
from synesthete.programs.program import Program
from synesthete.training.items import Item, make_planned
from synesthete.training.losses import mean_saturation, psnr
from synesthete.training.picture_codes import PERIODS, block_transform, edge_powers, picture_bytes
from synesthete.training.plan import ClipPlan, plan_clip
from synesthete.training.reactive import REACTIVE
from synesthete.training.songs import Songs

__all__ = ["SCALES", "VaeReport", "measure_vae", "report_sheets"]

SCALES: Final = (2.0, 4.0, 8.4375)
"""How many times as large as the encoded picture; at the last its side is 1080 pixels."""

_CROPS: Final = 4
_CROP_SIDE: Final = 64
_FRAMES: Final = 4
_SHOWN: Final = 16
_COLUMNS: Final = 4

Pictures = Float[Tensor, "batch 3 height width"]


class VaeReport(NamedTuple):
    """What was measured.

    Attributes
    ----------
    figures
        As JSON has it. ``programs``: how many; ``psnr``, ``psnr_blocks``, ``psnr_own_blocks``: of the
        autoencoder and of `block_transform`, means over programs, dB; ``saturation``: over the data's;
        ``scales``: for each of `SCALES` the PSNR of the field, ``psnr``, of the enlarged picture,
        ``psnr_enlarged``, and ``edges``: the power of edges over the true one, by octaves; ``words``: mean
        PSNR of the programs with each visual primitive; ``effect``: what is left of the change that another
        song makes, of ``held_out`` and of ``reactive`` programs; ``latents``: their ``mean``, ``std``,
        ``noise`` and ``divergence``, nats.
    frames
        A true frame and the same after the autoencoder, of some programs.
    crops
        Of the largest scale: true, drawn, enlarged.
    """

    figures: dict[str, Any]
    frames: list[tuple[Tensor, Tensor]]
    crops: list[tuple[Tensor, Tensor, Tensor]]


@torch.no_grad()
def measure_vae(
    vae: Vae,
    *,
    programs: int = 500,
    seed: int = 11,
    on_program: Callable[[int, int], None] = lambda done, of: None,
) -> VaeReport:
    """Measure an autoencoder.

    Parameters
    ----------
    programs
        How many held-out programs, 1 to 512.
    seed
        Of the music and the moments.
    on_program
        Is told how many are done, and of how many.
    """
    config = DataConfig(
        seed=seed, buckets={"square": 1.0}, clip_frames=_FRAMES, style_frames=0, crop_size=_CROP_SIDE
    )
    songs = Songs(config)
    seen = []
    for place, program in enumerate(HELD_OUT[:programs]):
        plan = plan_clip(config, place)._replace(program=program)
        seen.append(_see(vae, config, songs, plan))
        on_program(place + 1, programs)
    reactive = [
        _effect(vae, config, songs, plan_clip(config, place)._replace(program=-1 - place))
        for place in range(len(REACTIVE))
    ]
    truth = torch.cat([one.truth for one in seen]).float() / 255.0
    blocks = {own: psnr(block_transform(truth, vae.spec.latents, own=own), truth) for own in (False, True)}
    words: dict[str, list[float]] = defaultdict(list)
    for one in seen:
        for word in one.words:
            words[word].append(one.psnr)
    figures = {
        "programs": programs,
        "psnr": _mean([one.psnr for one in seen]),
        "psnr_blocks": float(blocks[False].mean()),
        "psnr_own_blocks": float(blocks[True].mean()),
        "saturation": sum(one.saturation for one in seen) / float(mean_saturation(truth).mean() * len(seen)),
        "scales": {str(scale): _scale([one.large[k] for one in seen]) for k, scale in enumerate(SCALES)},
        "words": {word: _mean(values) for word, values in sorted(words.items())},
        "effect": {"held_out": _mean([one.effect for one in seen]), "reactive": _mean(reactive)},
        "latents": {
            name: _mean([getattr(one, name) for one in seen])
            for name in ("mean", "std", "noise", "divergence")
        },
    }
    shown = seen[:: max(1, len(seen) // _SHOWN)][:_SHOWN]
    return VaeReport(figures, [one.frames for one in shown], [one.crops for one in shown])


def report_sheets(folder: Path, report: VaeReport) -> None:
    """Write what the eye should judge: ``frames.png`` and, of the largest scale, ``crops.png``."""
    for name, rows, title in (
        ("frames", report.frames, "true, after the autoencoder"),
        ("crops", report.crops, f"x{SCALES[-1]:g}: true, the field, the small picture enlarged"),
    ):
        pictures = [picture_bytes(picture) for row in rows for picture in row]
        sheet = contact_sheet(pictures, columns=_COLUMNS * len(rows[0]), title=title)
        write_png(folder / f"{name}.png", sheet)


class _Large(NamedTuple):
    """Crops of pictures of one scale."""

    psnr: float
    psnr_enlarged: float
    edges: Float[Tensor, "drawn_and_true octaves"]


class _Seen(NamedTuple):
    """What was seen of one program."""

    truth: Tensor
    psnr: float
    saturation: float
    words: frozenset[str]
    large: list[_Large]
    effect: float
    mean: float
    std: float
    noise: float
    divergence: float
    frames: tuple[Tensor, Tensor]
    crops: tuple[Tensor, Tensor, Tensor]


def _see(vae: Vae, config: DataConfig, songs: Songs, plan: ClipPlan) -> _Seen:
    cuts = [config.model_copy(update={"crops": _CROPS, "crop_scales": (scale, scale)}) for scale in SCALES]
    items = [make_planned(cut, [plan], songs)[0] for cut in cuts]
    item = items[-1]  # all of them show the same frames, and other crops
    truth = item.frames.float() / 255.0
    posterior = vae.encode(truth)
    features = vae.decoder.features(posterior.mean)
    drawn = vae.decoder.paint(features, Canvas.of(_sides(truth))).clamp(0.0, 1.0)
    large, crops = zip(*(_enlarge(vae, one, features, drawn) for one in items), strict=True)
    return _Seen(
        truth=item.frames,
        psnr=float(psnr(drawn, truth).mean()),
        saturation=float(mean_saturation(drawn).mean()),
        words=frozenset(node.primitive.name for node in Program.from_text(item.program).root.walk()),
        large=list(large),
        effect=_effect(vae, config, songs, plan),
        **_latents(posterior),
        frames=(truth[0], drawn[0]),
        crops=crops[-1],
    )


def _enlarge(
    vae: Vae, item: Item, features: Tensor, drawn: Pictures
) -> tuple[_Large, tuple[Tensor, Tensor, Tensor]]:
    """Compare crops of large pictures with the field's, and with the small picture, enlarged."""
    truth = item.crops.float() / 255.0
    places = item.crop_places
    canvas = Canvas.crops(_CROP_SIDE, places[:, 1:].float())
    painted = vae.decoder.paint(features[places[:, 0]], canvas).clamp(0.0, 1.0)
    enlarged = torch.stack(
        [
            nn.functional.interpolate(
                drawn[frame, None], size=(high, wide), mode="bicubic", align_corners=False
            )[0, :, top : top + _CROP_SIDE, left : left + _CROP_SIDE]
            for frame, wide, high, left, top in places.tolist()
        ]
    ).clamp(0.0, 1.0)
    found = _Large(
        float(psnr(painted, truth).mean()),
        float(psnr(enlarged, truth).mean()),
        torch.stack([edge_powers(painted), edge_powers(truth)]),
    )
    widest = int(truth.flatten(1).std(dim=1).argmax())
    return found, (truth[widest], painted[widest], enlarged[widest])


def _effect(vae: Vae, config: DataConfig, songs: Songs, plan: ClipPlan) -> float:
    """Say what is left of the change that another song makes: 1 is all of it.

    What changes after the autoencoder is projected on what truly changes, so that noise does not count.
    """
    plans = [plan, plan._replace(song=plan.song + 1)]
    one, other = (item.frames.float() / 255.0 for item in make_planned(config, plans, songs))
    drawn = [vae.decode(vae.encode(pictures).mean).clamp(0.0, 1.0) for pictures in (one, other)]
    true = one - other
    return float(((drawn[0] - drawn[1]) * true).sum() / true.square().sum().clamp(min=1e-6))


def _latents(posterior: Posterior) -> dict[str, float]:
    return {
        "mean": float(posterior.mean.mean()),
        "std": float(posterior.mean.std()),
        "noise": float(torch.exp(0.5 * posterior.log_variance).mean()),
        "divergence": float(posterior.divergence()),
    }


def _scale(found: Sequence[_Large]) -> dict[str, Any]:
    powers = torch.stack([one.edges for one in found]).sum(dim=0)
    names = [*(str(period) for period in PERIODS), "all"]
    return {
        "psnr": _mean([one.psnr for one in found]),
        "psnr_enlarged": _mean([one.psnr_enlarged for one in found]),
        "edges": dict(zip(names, (powers[0] / powers[1]).tolist(), strict=True)),
    }


def _sides(pictures: Pictures) -> tuple[int, int]:
    return pictures.shape[3], pictures.shape[2]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
