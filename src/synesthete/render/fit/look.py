"""The preset around a fitted net: how music reaches its inputs, and how its file tells what was measured."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from synesthete.config.base import build
from synesthete.config.fit import FitOptions
from synesthete.config.preset import Preset

__all__ = [
    "LIGHT",
    "PHASES",
    "REACH",
    "SIGNALS",
    "fitted_net",
    "fitted_values",
    "fitted_yaml",
    "preset_of",
    "style_of",
]

PHASES = ("flow", "turn")
SIGNALS = ("body", "voice", "air", "spark")
REACH: Mapping[str, float] = {
    "flow": 0.02, "turn": 0.02, "body": 0.03, "voice": 0.025, "air": 0.015, "spark": 0.01, "style": 0.05,
}  # fmt: skip
"""How far each input carries the picture at its full value; the short side is 2.

Little, as a net that bends a picture much loses its details: the larger moves are the view's.
"""

LIGHT: Mapping[str, float] = {
    "flow": 0.35, "turn": 0.3, "body": 0.4, "voice": 0.3, "air": 0.3, "spark": 0.6, "style": 0.3,
}  # fmt: skip
"""How it lights patches of it, as the logarithm of a gain."""

_TINY_UNITS = 24

_ACTIVATIONS = {"field": ["sine"], "cppn": ["sine", "cosine", "gaussian", "tanh"]}
_CPPN_GAIN, _CPPN_BIAS = 1.4, 0.8


def style_of(number: int, pictures: int) -> tuple[float, ...]:
    """Give the style that stands for one of several pictures: an end of one of the four axes.

    Examples
    --------
    >>> style_of(0, 2), style_of(1, 2), style_of(0, 1)
    ((1.0, 0.0, 0.0, 0.0), (-1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0))
    """
    axis, end = divmod(number, 2)
    return tuple((1.0 - 2.0 * end) * float(k == axis and pictures > 1) + 0.0 for k in range(4))


def fitted_net(options: FitOptions) -> dict[str, Any]:
    """Give the net's part of the preset, but for its weights."""
    layers, units = options.shape
    return {
        "layers": layers,
        "units": units,
        "activations": _ACTIVATIONS[options.net],
        "gain": _CPPN_GAIN,
        "bias": _CPPN_BIAS,
        "evolution": 0.0,
        "phases": list(PHASES),
        "signals": dict.fromkeys(SIGNALS, 1.0),
        "reach": {"energy": 1.2},
        "output": "colour",
    }


def fitted_values(
    options: FitOptions, *, pictures: Sequence[str], accent: Sequence[float], weights: Mapping[str, str]
) -> dict[str, Any]:
    """Give a preset's values; at rest, in silence, all that moves is 0, and the picture is seen."""
    layers, units = options.shape
    kind = "field" if options.net == "field" else "CPPN"
    surface: dict[str, Any] = {
        "exposure": {"base": 1.0, "energy": 0.1, "body": 0.1, "spark": 0.35, "pulse": 0.15},
        "relief": {"spark": 0.03, "body": 0.02},
        "gloss": {"spark": 1.0, "pulse": 0.3},
        "light_angle": {"base": 0.35, "turn": -1.0},
    }
    if units < _TINY_UNITS:  # too soft for much else to be seen
        surface["lines"] = {"energy": 0.25, "body": 0.3, "spark": 0.4}
        surface |= {"line_count": 9.0, "line_phase": {"flow": 1.0}, "line_width": 0.006}
    return {
        "summary": f"A {kind} of {layers} layers of {units} units, fitted to {_named(pictures)}",
        "world": "fitted",
        "seed": options.seed,
        "style": list(style_of(0, len(pictures))),
        "control": {
            "phases": {
                "flow": {"rate": 0.02, "drive": {"body": 0.2, "energy": 0.05, "pulse": 0.2}},
                "turn": {"rate": 0.01, "drive": {"voice": 0.12, "energy": 0.04, "spark": 0.1}},
            }
        },
        "cppn": {
            "net": {**fitted_net(options), "weights": dict(weights)},
            "view": {
                "zoom": {"base": 1.0, "body": 0.05, "pulse": 0.02},
                "warp": {"energy": 0.03, "body": 0.05, "voice": 0.03},
                "warp_scale": 2.6,
                "warp_phase": {"flow": 1.0},
            },
            "palette": {"accent": [round(value, 3) for value in accent]},
            "surface": surface,
        },
    }


def fitted_yaml(values: Mapping[str, Any], *, name: str, told: Sequence[str]) -> str:
    """Write a preset's file, with what was measured as comments; it loads as the values do."""
    head = [
        f"# {name}: a preset of Synesthete, fitted to pictures. Its weights lie beside it: copy both.",
        f"#   synesthete render SONG --preset {name}.yaml --preview",
        "#",
        *(f"# {line}" for line in told),
        "",
    ]
    text: str = yaml.safe_dump(
        dict(values), sort_keys=False, default_flow_style=None, allow_unicode=True, width=106
    )
    return "\n".join(head) + text


def preset_of(values: Mapping[str, Any], *, name: str) -> Preset:
    """Build the preset that the values are of."""
    return build(Preset, {"name": name, **values}, where="the fitted preset")


def _named(pictures: Sequence[str]) -> str:
    shown = ", ".join(pictures[:3]) + (f" and {len(pictures) - 3} more" if len(pictures) > 3 else "")
    return shown if len(shown) <= 120 else f"{shown[:117]}..."
