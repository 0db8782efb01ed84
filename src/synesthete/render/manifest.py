"""The manifest: every input, version, seed, digest and timing behind a film."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from typing import Any

import torch

from synesthete import __version__
from synesthete.files import code_digest, digest_json
from synesthete.generators.build import choose_device
from synesthete.media.versions import library_versions
from synesthete.render.plan import RenderPlan, Segment
from synesthete.render.run import FINISHED, StoredPart

__all__ = ["manifest", "with_other_sound"]

_PACKAGES = ("torch", "av", "numpy", "scipy", "pydantic")


def manifest(
    plan: RenderPlan,
    *,
    numeric_path: str,
    eager_because: str | None,
    trajectory: str,
    parts: Sequence[tuple[Segment, StoredPart, bool]],
    sound: StoredPart | None,
    film: Mapping[str, Any],
    previews: Sequence[str],
    seconds: Mapping[str, float],
    flash_safety: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Assemble ``meta.json``.

    Parameters
    ----------
    parts
        Each Segment, what is stored of it, and whether it had been finished by an earlier process.
    seconds
        Time per stage; those named ``threads.*`` are added up over all threads.
    flash_safety
        What flashes, and what the limiter did; None if nobody asked.
    """
    device = choose_device(plan.options.device)
    return {
        "status": FINISHED,
        **_identity(plan),
        "synesthete": __version__,
        **{k: v for k, v in plan.summary().items() if k not in {"synesthete", "song", "device", "scenes"}},
        "film": {"file": plan.film_name, **film},
        "song": _song(plan),
        "seeds": {"preset": plan.preset.seed},
        "preset_resolved": plan.preset.model_dump(mode="json"),
        "scenes": [] if plan.schedule is None else plan.schedule.to_json(),
        "options": plan.options.model_dump(mode="json"),
        "digests": {"timeline": plan.timeline_digest, "trajectory": trajectory, "code": code_digest()},
        "numerics": {"path": numeric_path, "eager_because": eager_because},
        "device": {
            "name": torch.cuda.get_device_name() if device == "cuda" else platform.processor() or "cpu",
            "kind": device,
        },
        "video": asdict(plan.video),
        "sound": {} if sound is None else sound.facts,
        "flash_safety": flash_safety,
        "segments": [
            {"index": s.index, "start": s.start, "stop": s.stop, "resumed": resumed, **part.facts}
            for s, part, resumed in parts
        ],
        "previews": list(previews),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "versions": {
            "python": platform.python_version(),
            "platform": platform.platform(),
            **{name: metadata.version(name) for name in _PACKAGES},
            **library_versions(),
        },
    }


def with_other_sound(
    finished: Mapping[str, Any], plan: RenderPlan, *, sound: StoredPart | None, film: Mapping[str, Any]
) -> dict[str, Any]:
    """Assemble ``meta.json`` of a film whose pictures are those of a finished one."""
    return {
        **finished,
        **_identity(plan),
        "film": {"file": plan.film_name, **film},
        "song": _song(plan),
        "options": plan.options.model_dump(mode="json"),
        "sound": {} if sound is None else sound.facts,
    }


def _identity(plan: RenderPlan) -> dict[str, str]:
    """Give the digests of what the film, and of what its pictures alone, follow from."""
    return {"inputs": digest_json(plan.inputs()), "picture": digest_json(plan.picture_inputs())}


def _song(plan: RenderPlan) -> dict[str, Any]:
    song = plan.song
    return {
        "file": song.path.name,
        "sha256": song.digest,
        "sample_rate": song.sample_rate,
        "channels": song.channels,
        "samples": song.samples,
        "start": None if song.start is None else str(song.start),
        "end": None if song.end is None else str(song.end),
        "tags": dict(song.tags),
    }
