"""The model card of the weights of a model that listens."""

from collections.abc import Mapping
from typing import Any

import yaml

from synesthete.models.diffusion import Diffusion
from synesthete.training.diffusion_probes import PROBE_MEANINGS
from synesthete.training.vae_card import data_line

__all__ = ["diffusion_card"]

_MEANINGS = {
    "flow": "mean squared error of velocities, latents about N(0, 1)",
    "wrong": "the same under another song's audio, over it",
    "style_divergence": "divergence of a style from N(0, 1), nats",
    **PROBE_MEANINGS,
}


def diffusion_card(model: Diffusion, facts: Mapping[str, Any]) -> str:
    """Give the card as Markdown: what the weights are, what they come from, and what was measured.

    Parameters
    ----------
    facts
        As `synesthete.training.diffusion_run.train_diffusion` writes them into the weights' header.
    """
    figures = {
        name.removeprefix("validation/"): value
        for name, value in facts["figures"].items()
        if name.startswith("validation/")
    }
    spec = model.spec
    millions = sum(one.numel() for one in model.parameters()) / 1e6
    begun = f", beginning with {facts['init_from']}" if facts["init_from"] else ""
    lines = [
        "# Weights of the model that listens",
        "",
        f"A transformer of {spec.blocks} blocks, {millions:.1f} million parameters, that draws clips of "
        f"latents from noise: each frame by what is heard around it, all in one style of {spec.style_size} "
        f"numbers. Half precision; trained by `synesthete train diffusion` of version {facts['version']}, "
        f"{facts['steps']} steps{begun}. Its latents are those of the encoder with the SHA-256 "
        f"{facts['latents'][:16]}….",
        "",
        f"**Data.** {_data_line(facts['config']['data'])}",
        "",
        "**Use.** Films of music, by the generator `diffusion`. It has heard composed songs; it imitates and "
        "mixes what the programs of this project draw, and knows nothing of the world.",
        "",
        "**Licence.** MIT, as the code.",
        "",
        "| measured in training | |",
        "|---|---|",
        *(f"| {_MEANINGS[name]} | {value:.4g} |" for name, value in figures.items() if name in _MEANINGS),
        "",
        "## Configuration",
        "",
        "```yaml",
        yaml.safe_dump(facts["config"], sort_keys=False).rstrip(),
        "```",
        "",
    ]
    return "\n".join(lines)


def _data_line(data: Mapping[str, Any]) -> str:
    few = "the few programs that it learned from, under other music" if data["audio_debug_mode"] else None
    return data_line(data, measured=few)
