"""The model card of an autoencoder's weights."""

from collections.abc import Mapping
from typing import Any

import yaml

from synesthete.config.vae import HELD_OUT
from synesthete.models.vae import BLOCK, VaeSpec

__all__ = ["data_line", "vae_card"]

_MEANINGS = {
    "psnr": "PSNR of validation frames, dB (mean over pictures)",
    "psnr_crops": "PSNR of crops of pictures up to 8.5 times as large, dB",
    "edges_crops": "power of their edges, over the true one",
    "saturation": "mean saturation, over the data's",
    "motion": "share of the change from frame to frame that survives",
    "divergence": "divergence of a latent from N(0, 1), nats",
    "latent_std": "standard deviation of the latents",
}


def vae_card(spec: VaeSpec, facts: Mapping[str, Any]) -> str:
    """Give the card as Markdown: what the weights are, what they come from, and what was measured.

    Parameters
    ----------
    facts
        As `synesthete.training.vae_run.train_vae` writes them into the weights' header.
    """
    figures = {
        name.removeprefix("validation/"): value
        for name, value in facts["figures"].items()
        if name.startswith("validation/")
    }
    lines = [
        "# Weights of the autoencoder",
        "",
        f"An encoder from pictures of some 128 pixels to {spec.latents} latents for every {BLOCK}x{BLOCK} of "
        "them, and a field decoder that draws latents at any size. Half precision; trained by `synesthete "
        f"train vae` of version {facts['version']}, {facts['steps']} steps"
        + (f", beginning with {facts['init_from']}." if facts["init_from"] else ".")
        ,
        "",
        f"**Data.** {data_line(facts['config']['data'])}",
        "",
        "**Use.** Latents for the diffusion model, and pictures from them. It knows what such programs draw; "
        "photographs come back as a painter of light would remember them.",
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
    ]  # fmt: skip
    return "\n".join(lines)


def data_line(data: Mapping[str, Any], *, measured: str | None = None) -> str:
    """Say what it saw, what validation looked at, and whether that was held out.

    Parameters
    ----------
    measured
        What validation looked at, where it was not what is held out.
    """
    music = "music that it composes" + (
        " and to recorded music" if data["real_mix_prob"] else "; nothing else"
    )
    seen = data["first_program"] + data["programs"] > HELD_OUT.start
    held_out = "of which it may have seen some in training" if seen else "which were held out"
    catalogue = f"programs {HELD_OUT.start}-{HELD_OUT.stop - 1} of the catalogue, {held_out}"
    return (
        f"Frames that the programs of this project draw to {music}. What is measured here are "
        f"{measured or catalogue}."
    )
