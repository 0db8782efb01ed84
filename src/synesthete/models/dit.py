r"""A transformer over clips of latents: attention within frames and along time, by turns.

A token is one latent's place in one frame. Blocks attend by turns to the places of their own frame, and to
their own place in frames near in time. Flow time, what is heard around each frame, and style scale, shift and
gate every block (adaLN-zero): each frame by what is heard at its own moment. A token begins with the style of
its part of the picture, too.

Nothing in it knows a clip's length or a picture's shape: positions in time are relative (rotary), places are
normalised coordinates, and attention along time reaches as many frames as it was trained with, so that long
films are many overlapping windows, drawn together.

References
----------
Peebles & Xie, "Scalable diffusion models with transformers" (DiT), ICCV 2023. Su et al., "RoFormer", 2021. Ma
et al., "Latte", 2024, for attention by turns. Henry et al., "Query-key normalization", 2020. Differs:
conditions are per frame.
"""

import math
from typing import Final, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

__all__ = ["Dit", "rotation", "time_features"]

_HEAD: Final = 64
_SHORT: Final = 128
_FEW: Final = 4
_WAVES: Final = 4
_TIME_WAVES: Final = 64
_LONGEST: Final = 100.0

Axis = Literal["place", "time"]


class Dit(nn.Module):
    """Latents at a flow time, and conditions, to velocities.

    Parameters
    ----------
    latents
        Channels of the latents.
    width
        Channels of a token; heads have 64.
    blocks
        How many: the first attends within frames, the next along time, and so on.
    condition
        Channels of the conditions.
    style
        Channels of a style's cells.
    window
        How many frames before and after each one are attended to.
    """

    def __init__(
        self, latents: int, *, width: int, blocks: int, condition: int, style: int, window: int
    ) -> None:
        super().__init__()
        self.window = window
        self.enter = nn.Conv2d(latents, width, 1)
        self.place = nn.Linear(4 * _WAVES, width)
        self.ground = nn.Sequential(
            nn.Conv2d(style, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, width, 1)
        )
        self.clock = nn.Sequential(
            nn.Linear(_TIME_WAVES, condition), nn.SiLU(), nn.Linear(condition, condition)
        )
        self.mix = nn.Sequential(
            nn.SiLU(), nn.Linear(condition, condition), nn.SiLU(), nn.Linear(condition, condition)
        )
        axes: list[Axis] = ["place", "time"]
        self.blocks = nn.ModuleList(_Block(width, condition, axes[place % 2]) for place in range(blocks))
        self.shape = nn.Linear(condition, 2 * width)
        self.leave = nn.Linear(width, latents)
        for last in (self.shape, self.leave):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(
        self,
        latents: Float[Tensor, "clips frames latents h w"],
        time: Float[Tensor, " clips"],
        condition: Float[Tensor, "clips #frames condition"],
        style: Float[Tensor, "clips #frames style cells cells"],
        *,
        spacing: float = 1.0,
    ) -> Float[Tensor, "clips frames latents h w"]:
        """Give the velocity.

        Parameters
        ----------
        time
            Flow time, 0-1: at 0 latents are noise.
        condition
            Of every frame: what is heard, and the style.
        style
            The style of the parts of a picture, of any number.
        spacing
            From frame to frame, in frames of training: 0.5 at twice the frame rate.
        """
        clips, frames, channels, high, wide = latents.shape
        x: Tensor = self.enter(latents.flatten(0, 1))
        x = x.flatten(2).transpose(1, 2) + self.place(_place_features(high, wide, latents.device))
        x = x.view(clips, frames, high * wide, -1) + self._grounds(style, (high, wide))
        condition = condition + self.clock(time_features(time))[:, None]
        condition = condition + self.mix(condition)
        turns = {
            "place": _place_rotation(high, wide, latents.device),
            "time": rotation(
                torch.arange(frames, device=latents.device, dtype=torch.float32) * spacing, _HEAD
            ),
        }
        seen = _near(frames, self.window / spacing, latents.device)
        for block in self.blocks:
            assert isinstance(block, _Block)
            x = block(x, condition, turns[block.axis], seen if block.axis == "time" else None)
        shift, scale = self.shape(nn.functional.silu(condition))[:, :, None].chunk(2, dim=-1)
        out: Tensor = self.leave(_normal(x) * (1.0 + scale) + shift)
        return out.transpose(2, 3).reshape(clips, frames, channels, high, wide)

    def _grounds(self, style: Tensor, size: tuple[int, int]) -> Float[Tensor, "clips #frames places width"]:
        """Give the style at each place."""
        cells = self.ground(style.flatten(0, 1))
        places = nn.functional.interpolate(cells, size, mode="bilinear", align_corners=False)
        return places.flatten(2).transpose(1, 2).reshape(*style.shape[:2], size[0] * size[1], -1)


class _Block(nn.Module):
    """Attention along one axis, then a perceptron; both begin as nothing."""

    def __init__(self, width: int, condition: int, axis: Axis) -> None:
        super().__init__()
        self.axis: Axis = axis
        self.shape = nn.Linear(condition, 6 * width)
        self.mixed = nn.Linear(width, 3 * width, bias=False)
        self.back = nn.Linear(width, width)
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)
        self.query = nn.Parameter(torch.ones(_HEAD))
        self.key = nn.Parameter(torch.ones(_HEAD))
        nn.init.zeros_(self.shape.weight)
        nn.init.zeros_(self.shape.bias)

    def forward(
        self,
        x: Float[Tensor, "clips frames places width"],
        condition: Float[Tensor, "clips #frames condition"],
        turn: Float[Tensor, "2 positions half"],
        seen: Bool[Tensor, "frames frames"] | None,
    ) -> Float[Tensor, "clips frames places width"]:
        parts = self.shape(nn.functional.silu(condition))[:, :, None].chunk(6, dim=-1)
        shift, scale, gate, shift_after, scale_after, gate_after = parts
        x = x + gate * self._attend(_normal(x) * (1.0 + scale) + shift, turn, seen)
        inner = self.widen(_normal(x) * (1.0 + scale_after) + shift_after)
        outcome: Tensor = x + gate_after * self.narrow(nn.functional.gelu(inner, approximate="tanh"))
        return outcome

    def _attend(self, x: Tensor, turn: Tensor, seen: Tensor | None) -> Tensor:
        if self.axis == "time":
            x = x.transpose(1, 2)
        outer, inner, length, width = x.shape
        heads = self.mixed(x).view(outer * inner, length, 3, width // _HEAD, _HEAD)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        query = _rotate(_unit(query) * self.query.to(query), turn)
        key = _rotate(_unit(key) * self.key.to(key), turn)
        found = _attention(query, key, value, seen)
        out: Tensor = self.back(found.transpose(1, 2).reshape(outer, inner, length, width))
        return out.transpose(1, 2) if self.axis == "time" else out


def _attention(query: Tensor, key: Tensor, value: Tensor, seen: Tensor | None) -> Tensor:
    """Attend: as torch does, but on a CPU by plain products, whose backward pass is four times as fast."""
    if seen is not None or query.device.type != "cpu" or query.shape[-2] > _SHORT:
        return nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
    query = query * _HEAD**-0.5
    if query.shape[-2] <= _FEW:
        # Products of so few rows are slower than their terms one by one: five times for two.
        weights = (query.unsqueeze(-2) * key.unsqueeze(-3)).sum(dim=-1).softmax(dim=-1)
        return (weights.unsqueeze(-1) * value.unsqueeze(-3)).sum(dim=-2)
    attended: Tensor = (query @ key.transpose(-1, -2)).softmax(dim=-1) @ value
    return attended


def time_features(time: Float[Tensor, " clips"]) -> Float[Tensor, "clips 64"]:
    """Give flow times as waves of 1 to 1,000 radians."""
    rates = torch.logspace(0.0, 3.0, _TIME_WAVES // 2, device=time.device)
    angles = time.float()[:, None] * rates
    return torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)


def rotation(positions: Float[Tensor, " positions"], size: int) -> Float[Tensor, "2 positions half"]:
    """Give cosines and sines by which a rotary embedding turns pairs of channels at positions."""
    half = size // 2
    rates = _LONGEST ** (-torch.arange(half, device=positions.device) / half)
    angles = positions[:, None] * rates
    return torch.stack([torch.cos(angles), torch.sin(angles)])


def _place_rotation(high: int, wide: int, device: torch.device) -> Float[Tensor, "2 places half"]:
    """Turn half of the channels by the row, half by the column."""
    rows, columns = (
        rotation(torch.arange(count, device=device, dtype=torch.float32), _HEAD // 2)
        for count in (high, wide)
    )
    across = columns[:, None].expand(-1, high, -1, -1)
    down = rows[:, :, None].expand(-1, -1, wide, -1)
    return torch.cat([down, across], dim=-1).flatten(1, 2)


def _place_features(high: int, wide: int, device: torch.device) -> Float[Tensor, "places 16"]:
    """Give each place's coordinates, the short side from -1 to 1, as waves."""
    short = min(high, wide)
    y, x = ((torch.arange(count, device=device) + 0.5 - count / 2) * (2.0 / short) for count in (high, wide))
    places = torch.stack(torch.meshgrid(y, x, indexing="ij"), dim=-1).flatten(0, 1)
    angles = (places[..., None] * (0.5 * math.pi * 2.0 ** torch.arange(_WAVES, device=device))).flatten(1)
    return torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)


def _near(frames: int, window: float, device: torch.device) -> Bool[Tensor, "frames frames"] | None:
    """Say which frames are attended to from which; None: all from all."""
    if frames - 1 <= window:
        return None
    index = torch.arange(frames, device=device)
    return (index[:, None] - index).abs() <= window


def _rotate(x: Tensor, turn: Float[Tensor, "2 positions half"]) -> Tensor:
    cosine, sine = turn.to(x)
    one, two = x.chunk(2, dim=-1)
    return torch.cat([one * cosine - two * sine, one * sine + two * cosine], dim=-1)


def _normal(x: Tensor) -> Tensor:
    return nn.functional.layer_norm(x, x.shape[-1:])


def _unit(x: Tensor) -> Tensor:
    return nn.functional.rms_norm(x, x.shape[-1:])
