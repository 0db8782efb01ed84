"""How the model that listens is asked to draw: the section ``diffusion`` of a preset."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from synesthete.config.base import Frozen
from synesthete.config.weights import GivenLargeWeights, GivenNetworkFolder, GivenPicture
from synesthete.seeding import MAX_SEED

__all__ = [
    "MAX_GUIDANCE_SCALE",
    "DiffusionLook",
    "StyleMode",
]

MAX_GUIDANCE_SCALE = 20.0
"""Most that guidance, by the music or by the style, may be multiplied by."""

StyleMode = Literal["random", "zero", "image", "interpolate"]

Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
Share = Annotated[float, Field(ge=0, le=1)]
Scale = Annotated[float, Field(ge=0, le=MAX_GUIDANCE_SCALE)]


class DiffusionLook(Frozen):
    """Everything the diffusion generator needs besides what is heard, the preset's style, and its seed."""

    files: ClassVar[Mapping[str, str]] = {"weights": "", "vae": ".vae", "style_image": ".style"}

    weights: GivenLargeWeights | None = Field(
        default=None,
        description="Weights that `synesthete train diffusion` wrote, below the preset's folder; none: those "
        "that ship.",
    )
    vae: GivenLargeWeights | None = Field(
        default=None, description="Those of the autoencoder that they were trained with; none: that ship."
    )
    embedding_dir: GivenNetworkFolder | None = Field(
        default=None,
        description="Folder of the pretrained audio network whose numbers the weights hear besides the "
        "Timeline, if they were trained with one: `data.embedding`.",
    )
    steps: Annotated[int, Field(ge=1, le=256)] | None = Field(
        default=None, description="Steps from noise to pictures (default: as the weights were validated)."
    )
    shift: float = Field(
        default=1.0, ge=0.1, le=20, description="Above 1 more of the steps are spent near the noise."
    )
    solver: Literal["euler", "heun"] = Field(
        default="euler", description="`heun` asks the model twice in a step, and errs less."
    )
    audio_guidance_scale: Scale | None = Field(
        default=None,
        description="How strongly it follows the music: 1 as it was trained, 0 not (default: as the weights "
        "were validated, times audio_guidance_factor). A mood multiplies it by its `guidance`.",
    )
    audio_guidance_factor: Scale = Field(
        default=1.0, description="Instead, a factor on the scale that the weights were validated with."
    )
    style_guidance_scale: Scale | None = Field(
        default=None,
        description="How strongly it keeps to the style: 1 as it was trained, 0 not (default: as the "
        "weights were validated).",
    )
    guidance_interval: tuple[Share, Share] = Field(
        default=(0.0, 1.0),
        description="Between which times scales other than 1 apply: 0 is noise, 1 the picture.",
    )
    guidance_rescale: Share = Field(
        default=0.0, description="How far what guidance exaggerates is brought back: against burnt colours."
    )
    style_mode: StyleMode = Field(
        default="random",
        description="Where the style comes from: `random` is drawn from a seed, `zero` the middle of all "
        "styles, `image` read from a picture, `interpolate` lies between those of two seeds.",
    )
    style_seed: Seed | None = Field(
        default=None, description="Seed of the style (default: the preset's, which also decides the noise)."
    )
    style_seed_to: Seed | None = Field(
        default=None, description="The other seed, with style_mode interpolate."
    )
    style_share: Share = Field(
        default=0.5, description="Where between them: 0 is style_seed, 1 is style_seed_to."
    )
    style_image: GivenPicture | None = Field(
        default=None, description="The picture, with style_mode image: a path below the preset's folder."
    )
    temperature: float = Field(
        default=1.0, ge=0, le=4, description="How far from the middle styles of seeds are drawn."
    )
    style_reach: float = Field(
        default=1.0, ge=0, le=8,
        description="How far each of the preset's four style numbers moves the style: standard deviations.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _fits_its_mode(self) -> "DiffusionLook":
        for field, mode in (("style_seed_to", "interpolate"), ("style_image", "image")):
            given = getattr(self, field) is not None
            if given and self.style_mode != mode:
                raise ValueError(f"{field} is for style_mode {mode}; set that, or remove {field}")
            if not given and self.style_mode == mode:
                raise ValueError(f"style_mode {mode} needs {field}; give it, or choose another mode")
        if self.guidance_interval[0] > self.guidance_interval[1]:
            first, last = self.guidance_interval
            raise ValueError(f"guidance_interval begins at {first:g} and ends at {last:g}; turn it round")
        return self
