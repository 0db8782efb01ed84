"""The model card of a generator of pictures."""

from collections.abc import Mapping
from typing import Any

import yaml

from synesthete.models.gan import LATENT_SIDE, GanGenerator

__all__ = ["gan_card"]

_MEANINGS = {
    "frechet": "squared Fréchet distance from held-out pictures, by the autoencoder's features",
    "variety": "how much drawn pictures differ, over how much held-out ones do (variances)",
    "saturation": "mean saturation, over the held-out pictures'",
    "brightness": "mean value, over the held-out pictures'",
    "chroma": "gap between mean and deviation of chroma and the held-out pictures'",
}


def gan_card(generator: GanGenerator, facts: Mapping[str, Any]) -> str:
    """Give the card as Markdown: what the weights are, what they come from, and what was measured.

    Parameters
    ----------
    facts
        As `synesthete.training.gan_run.train_gan` writes them into the weights' header.
    """
    figures = {
        name.removeprefix("validation/"): value
        for name, value in facts["figures"].items()
        if name.startswith("validation/")
    }
    spec, images = generator.spec, facts["images"]
    millions = sum(one.numel() for one in generator.parameters()) / 1e6
    side = LATENT_SIDE * spec.scale
    begun = f", beginning with {facts['init_from']}" if facts["init_from"] else ""
    lines = [
        "# Weights of the generator of pictures",
        "",
        f"A convolutional network of {millions:.1f} million parameters that draws pictures of {side}x{side} "
        f"pixels from {spec.latents} latents at each of {LATENT_SIDE}x{LATENT_SIDE} places, and of other "
        f"shapes from other grids: {spec.scale} pixels to a latent. Half precision; trained by `synesthete "
        f"train gan` of version {facts['version']}, {facts['steps']} steps{begun}.",
        "",
        f"**Data.** {_data_line(images)} {images['held_out']} more were held out, and are what is measured "
        "against here.",
        "",
        "**Use.** Films of music, by walks among its latents. It imitates and mixes the pictures that it "
        "learned from, and knows nothing of the world.",
        "",
        "**Licence.** MIT, as the code; what you may do with what it learned from pictures of others is said "
        "by their licence.",
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


def _data_line(images: Mapping[str, Any]) -> str:
    digest = f"SHA-256 of all {images['digest'][:16]}…"
    if not images["recipe"]:
        return f"{images['training']} pictures of a folder ({digest})."
    said = ", ".join(f"{name} {value}" for name, value in images["recipe"].items())
    return f"{images['training']} pictures that `synesthete dataset images` wrote ({said}; {digest})."
