"""``synesthete fit``: from pictures to a preset whose net shows them, and moves with the music."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from synesthete.config.fit import FitOptions
from synesthete.config.preset import Net, with_weights
from synesthete.config.weights import SUFFIX, Weights
from synesthete.errors import InputError, OutputError
from synesthete.evaluation.generator_probes import probe_subject
from synesthete.evaluation.probe_music import PROBE_SONGS
from synesthete.evaluation.subjects import PresetSubject, ProbeSettings
from synesthete.evaluation.thumbnails import display_to_oklab
from synesthete.files import code_digest, digest_bytes, digest_file, digest_json, write_whole
from synesthete.generators.base import Size
from synesthete.generators.build import weights_of
from synesthete.generators.cppn import spec_of
from synesthete.models.cppn import FOOTPRINT, CppnWeights, evaluate, prefiltered
from synesthete.models.cppn_file import packed_bytes
from synesthete.models.deform import Deformation
from synesthete.models.fit import Fitting, Guidance, Target, colours, fit, influences, net_inputs
from synesthete.render.evaluate_generator import probe_song, sync_of
from synesthete.render.fit.look import (
    LIGHT,
    PHASES,
    REACH,
    SIGNALS,
    fitted_net,
    fitted_values,
    fitted_yaml,
    preset_of,
    style_of,
)
from synesthete.render.fit.pictures import FitPicture, fit_pictures
from synesthete.render.output import check_output
from synesthete.render.threads import single_threaded
from synesthete.seeding import seed_sequence

__all__ = ["Fit", "fit_preset"]

_FLOOR: Final = 0.04
_DEAD_SHARE: Final = 0.5
_LEAST_EFFECT: Final = 0.2
_GUIDED: Final = 0.2
_POINTS: Final = 2048
_TINY_UNITS: Final = 64
_MOST_TRIES: Final = 8
_PROBE: Final = ProbeSettings(
    frames=16, size=Size(128, 72), film_s=30, film_size=Size(128, 72), styles=2, moments=1, speed_frames=1
)

OnEvent = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Fit:
    """What was fitted.

    Attributes
    ----------
    preset, weights
        The two files.
    figures
        ``psnr_db`` by picture, ``influences`` by input (root mean square change of display values at full
        value), ``effect``, ``silence_gap`` and ``shuffle_gap`` on a short song.
    """

    preset: Path
    weights: Path
    figures: Mapping[str, Any]


def fit_preset(
    places: Sequence[Path],
    output: Path,
    options: FitOptions,
    *,
    force: bool = False,
    on_event: OnEvent = lambda event: None,
) -> Fit:
    """Fit a net to pictures and save it as a preset with its weights beside it.

    Parameters
    ----------
    places
        Pictures, or folders of them; several become styles of one net, which films pass through.
    output
        The preset to write, ``.yaml``; its weights get the same name in ``.safetensors``.
    force
        Replace what is there.
    on_event
        Called with what happens, as ``--json`` prints it.

    Raises
    ------
    InputError
        If a picture or the CLIP model can't be used, the output is there already, or the fit is deaf.
    """
    check_output(output, None, example="my-look.yaml", because="presets are YAML")
    beside = output.with_suffix(SUFFIX)
    taken = next((path for path in (output, beside) if path.exists()), None)
    if taken is not None and not force:
        raise OutputError(f"{taken} exists already; choose another name, or pass --force to replace it")
    pictures = fit_pictures(places, size=options.size, aspect=options.aspect)
    data = _fitted(pictures, options, on_event)
    kept = _cached(pictures, options)
    values = fitted_values(
        options,
        pictures=[picture.name for picture in pictures],
        accent=_accent(pictures),
        weights={"file": beside.name, "sha256": digest_bytes(data)},
    )
    preset = preset_of(values, name="fitted")
    found = Weights(file=beside.name, sha256=digest_bytes(data), place=kept)
    preset = with_weights(preset, found)
    net = weights_of(preset.cppn)
    assert net is not None
    figures = _figures(net, pictures, options)
    _refuse_dead(figures)
    on_event({"event": "probe"})
    with single_threaded():
        probed = _probed(PresetSubject(preset), options.workspace)
    figures |= probed
    _refuse_deaf(figures)
    write_whole(beside, data)
    write_whole(output, fitted_yaml(values, name=output.stem, told=_told(figures)).encode())
    on_event({"event": "done", "preset": str(output), "weights": str(beside), **figures})
    return Fit(output, beside, figures)


# Fit ------------------------------------------------------------------------------------------------------


def _cached(pictures: Sequence[FitPicture], options: FitOptions) -> Path:
    """Give where the weights are kept under all that they follow from, so that nothing is fitted twice."""
    clip = None
    if options.clip_model is not None:
        clip = digest_file(options.clip_model / "model.safetensors")
    wanted = options.model_dump(mode="json", exclude={"workspace", "clip_model"})
    seen = [digest_bytes(picture.rgb.numpy().tobytes()) for picture in pictures]
    key = digest_json([wanted, clip, seen, code_digest()])
    return options.workspace / "cache" / "fits" / f"{key[:32]}{SUFFIX}"


def _fitted(pictures: Sequence[FitPicture], options: FitOptions, on_event: OnEvent) -> bytes:
    judge: Guidance | None = None
    if options.clip_model is not None and options.prompt is not None:
        from synesthete.models.clip import load_judge

        judge = load_judge(options.clip_model, options.prompt)
    place = _cached(pictures, options)
    if place.is_file():
        return place.read_bytes()

    def on_step(step: int, error: float) -> None:
        psnr = _decibels(error)
        on_event({"event": "progress", "step": step, "of": options.steps, "psnr_db": psnr})

    state = seed_sequence(options.seed, "fit").generate_state(1, np.uint64)[0]
    generator = torch.Generator().manual_seed(int(state >> 1))
    alone = len(pictures) == 1
    names = [*(name for name in PHASES for _ in range(2)), *SIGNALS, *(["style"] * 4 if alone else [])]
    deformation = Deformation.drawn(
        torch.tensor([REACH[name] for name in names]),
        torch.tensor([LIGHT.get(name, 0.0) for name in names]),
        generator,
    )
    targets = [
        Target(picture.rgb, picture.extent, () if alone else style_of(number, len(pictures)))
        for number, picture in enumerate(pictures)
    ]
    spec = spec_of(Net.model_validate(fitted_net(options)))
    # One thread: the sums of more are rounded in another order, and the same command would fit another net.
    with single_threaded():
        net = fit(
            spec, targets, deformation, _fitting(options, alone), generator, guidance=judge, on_step=on_step
        )
    data = packed_bytes(net)
    write_whole(place, data)
    return data


def _fitting(options: FitOptions, alone: bool) -> Fitting:
    _, units = options.shape
    field = options.net == "field"
    return Fitting(
        phases=len(PHASES),
        signals=len(SIGNALS),
        swings=4 if alone else 0,
        floor=_FLOOR,
        steps=options.steps,
        points=_POINTS,
        rate=0.005 * (64 / units) ** 0.5 if field else 0.01 * (4 / units) ** 0.5,
        tries=1 if field else max(1, min(_MOST_TRIES, _TINY_UNITS // units)),
        pixel=2 / options.size,
        finest=max(2.0, 0.12 * options.size) if field else None,
        guided=_GUIDED * options.guidance,
    )


# Measure --------------------------------------------------------------------------------------------------


def _figures(net: CppnWeights, pictures: Sequence[FitPicture], options: FitOptions) -> dict[str, Any]:
    """Measure how near the pictures are at rest, and what each input changes."""
    psnr, change = {}, []
    inputs = 2 * len(PHASES) + len(SIGNALS)
    for number, picture in enumerate(pictures):
        style = style_of(number, len(pictures))
        places = _places(picture)
        rest = torch.zeros(len(places), inputs)
        with torch.no_grad():
            drawn = colours(
                evaluate(
                    prefiltered(net, FOOTPRINT * 2 / options.size),
                    net_inputs(places, rest, torch.tensor(style)),
                )
            )
            error = (drawn.clamp(0.0, 1.0) - picture.rgb.flatten(1).T).square().mean().sqrt()
            change.append(influences(net, places[:: max(1, len(places) // 4096)], style, inputs))
        psnr[picture.name] = _decibels(float(error))
    mean = torch.stack(change).mean(0).tolist()
    phases = {name: max(mean[2 * k : 2 * k + 2]) for k, name in enumerate(PHASES)}
    found = phases | dict(zip(SIGNALS, mean[2 * len(PHASES) :], strict=True))
    return {"psnr_db": psnr, "influences": {name: round(value, 4) for name, value in found.items()}}


def _places(picture: FitPicture) -> Float[Tensor, "pixels 2"]:
    height, width = picture.rgb.shape[1:]
    x, y = (
        ((torch.arange(count) + 0.5) / count * 2 - 1) * half
        for count, half in ((width, picture.extent[0]), (height, picture.extent[1]))
    )
    across, down = torch.meshgrid(x, y, indexing="xy")
    return torch.stack([across, down], -1).reshape(-1, 2)


def _probed(subject: PresetSubject, workspace: Path) -> dict[str, Any]:
    """Measure on a short song how much the music decides."""
    song, other = (probe_song(None, name, workspace) for name in PROBE_SONGS)
    probed = probe_subject(subject, song, other, settings=_PROBE, sync=sync_of).figures
    return {
        "effect": probed["sync"]["effect"],
        "silence_gap": probed["silence"]["gap"],
        "shuffle_gap": probed["shuffle"]["gap"],
    }


def _refuse_dead(figures: Mapping[str, Any]) -> None:
    dead = [name for name, value in figures["influences"].items() if value < _DEAD_SHARE * _FLOOR]
    if dead:
        raise InputError(
            f"the fitted net does not answer to {', '.join(dead)}; pass more --steps or --units, another "
            "--seed, or a picture with more contrast"
        )


def _refuse_deaf(figures: Mapping[str, Any]) -> None:
    if figures["effect"] is None or figures["effect"] < _LEAST_EFFECT:
        raise InputError(
            f"the fitted preset hardly follows music (effect {figures['effect']}, where {_LEAST_EFFECT} is "
            "the least); pass another --seed, or a picture with more contrast"
        )


def _told(figures: Mapping[str, Any]) -> list[str]:
    met = ", ".join(f"{name} {value:.1f} dB" for name, value in figures["psnr_db"].items())
    heard = ", ".join(f"{name} {value:.3f}" for name, value in figures["influences"].items())
    return [
        f"At rest, against the picture: {met}.",
        f"What each input changes at most (root mean square of display values): {heard}.",
        f"On the song that evaluate-generator draws: effect {figures['effect']:.2f}, gap to silence "
        f"{figures['silence_gap']:.3f}, shuffled {figures['shuffle_gap']:.3f}.",
    ]


def _accent(pictures: Sequence[FitPicture]) -> tuple[float, float, float]:
    """Give the colour of glints: bright, in the hue that the first picture's brightest parts have."""
    pixels = pictures[0].rgb.flatten(1)
    most, least = pixels.amax(0), pixels.amin(0)
    telling = most * (most - least + 0.1)
    colour = pixels[:, telling.topk(max(1, len(telling) // 50)).indices].mean(1)
    light, a, b = display_to_oklab(colour.numpy()).tolist()
    return light, math.hypot(a, b), math.degrees(math.atan2(b, a))


def _decibels(error: float) -> float:
    return round(-20.0 * float(np.log10(max(error, 1e-5))), 2)
