"""How models are trained: what every kind of training shares."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, model_validator

from synesthete.config.base import Frozen, build, merge, parse_assignment, read_yaml, set_path
from synesthete.config.data import DataConfig
from synesthete.config.dataset import confine_folders
from synesthete.config.render import RenderOptions
from synesthete.seeding import MAX_SEED

__all__ = [
    "Memory",
    "OptimiserConfig",
    "RunConfig",
    "TrainConfig",
    "TrainOptions",
    "TrainPreset",
    "load_train_config",
]

TrainPreset = Literal["smoke", "small", "base", "large"]
Memory = Annotated[float, Field(ge=0, lt=1)]


class OptimiserConfig(Frozen):
    """AdamW or Muon, the learning rate, and the averaged weights."""

    method: Literal["adamw", "muon"] = Field(
        default="adamw",
        description="muon: matrices move by orthogonal steps, which learn more each; the rest by AdamW.",
    )
    learning_rate: float = Field(default=1e-3, gt=0, le=0.1, description="The highest learning rate.")
    warm_up_steps: int = Field(
        default=200, ge=0, le=1_000_000, description="Steps over which the learning rate rises to it."
    )
    final_share: float = Field(
        default=0.02, ge=0, le=1,
        description="What is left of it at the last step: it falls along a half cosine.",
    )  # fmt: skip
    weight_decay: float = Field(default=0.01, ge=0, le=1, description="Decay of weights.")
    betas: tuple[Memory, Memory] = Field(
        default=(0.9, 0.98), description="Memory of the gradient's mean and of its square."
    )
    clip_norm: float = Field(default=1.0, gt=0, le=1000, description="Longest gradient; longer ones are cut.")
    accumulate: int = Field(default=1, ge=1, le=1024, description="Batches whose gradients make one step.")
    average: Memory = Field(
        default=0.999,
        description="Memory of the averaged weights, which are what is validated and kept.",
    )  # fmt: skip


class RunConfig(Frozen):
    """What a run is; a run of the same configuration gives the same weights on the same machine."""

    seed: int = Field(default=0, ge=0, le=MAX_SEED, description="Of the first weights and of the noise.")
    steps: int = Field(default=14_000, ge=1, le=100_000_000, description="Steps of the optimiser.")
    precision: Literal["bf16", "fp32"] = Field(
        default="bf16", description="What networks compute in; weights are kept in fp32."
    )
    validate_every: int = Field(
        default=500, ge=1, le=1_000_000,
        description="Steps from one validation to the next, with a sheet of pictures and a checkpoint.",
    )  # fmt: skip
    validation_batches: int = Field(default=8, ge=1, le=1024, description="Batches of a validation.")
    optimiser: OptimiserConfig = Field(default=OptimiserConfig(), description="How weights are learned.")

    @model_validator(mode="after")
    def _ends_with_a_validation(self) -> "RunConfig":
        if self.steps % self.validate_every:
            raise ValueError(
                f"steps ({self.steps}) must be a multiple of validate_every ({self.validate_every}), so that "
                "the last ones are validated and kept; change either"
            )
        return self


class TrainConfig(RunConfig):
    """A run that learns from clips."""

    data: DataConfig = Field(default=DataConfig(), description="What is learned from.")


Run = TypeVar("Run", bound=RunConfig)


def load_train_config(
    kind: type[Run],
    presets: Sequence[Mapping[str, Any]],
    path: Path | None = None,
    assignments: Sequence[str] = (),
) -> Run:
    """Give a run's configuration.

    Parameters
    ----------
    kind
        Its model.
    presets
        Changes to it, each on top of the last.
    path
        A YAML file with further ones. Folders that it names lie below its own.
    assignments
        The last changes, ``field=value``.

    Raises
    ------
    ConfigError
        If the file can't be read, or a field is wrong.
    """
    values: dict[str, Any] = {}
    for changes in presets:
        values = merge(values, changes)
    if path is not None:
        given = read_yaml(path)
        if isinstance(given.get("data"), dict):
            given["data"] = confine_folders(given["data"], path, within="data.")
        values = merge(values, given)
    for assignment in assignments:
        place, value = parse_assignment(assignment)
        values = set_path(values, place, value)
    return build(kind, values, where="options" if path is None else str(path))


class TrainOptions(Frozen):
    """What every command that trains takes."""

    preset: TrainPreset = Field(
        default="small",
        description="smoke: two minutes; small: a few hours on two cores; base: a GPU; large: many.",
    )
    config: Path | None = Field(
        default=None, description="Changes to the preset as YAML; see docs/training.md."
    )
    set: tuple[str, ...] = Field(
        default=(), description="Change one field, such as steps=4000 or data.seed=3. Repeatable."
    )
    hours: float | None = Field(
        default=None, gt=0, le=10_000,
        description="Stop after so many hours; the same command goes on from there.",
    )  # fmt: skip
    devices: int = Field(
        default=1, ge=1, le=1024, description="GPUs, or processes on a CPU, of each machine."
    )
    nodes: int = Field(default=1, ge=1, le=4096, description="Machines that train together.")
    workers: int = Field(
        default=1, ge=0, le=256, description="Processes that make training data, per device."
    )
    shards: Path | None = Field(
        default=None, description="Train on this exported dataset instead of making data."
    )
    init_from: Path | None = Field(default=None, description="Begin with these weights instead of new ones.")
    wandb: bool = Field(
        default=False, description="Also log to Weights & Biases, in its offline mode; needs the extra wandb."
    )
    workspace: Path = Field(default=Path(), description=RenderOptions.model_fields["workspace"].description)
