"""The grammar of random programs: a ground, a figure and a spark, composed as `words` and a style say.

Every program follows the music by construction: its light and its sizes come from envelopes, its ways from
integrated phases, its colour from the section. What a draw turns out to look like is for the guards to see.
"""

from collections.abc import Mapping
from typing import Any

from synesthete.programs.draws import Draws, Leaning
from synesthete.programs.parameters import Choice, Count, Real
from synesthete.programs.registry import primitives
from synesthete.programs.words import (
    FIGURES,
    GROUNDS,
    PALETTE_LEANINGS,
    SCENES,
    SPARKS,
    SURFACES,
    WARPS,
    Word,
)

__all__ = ["leanings", "write_program", "write_word"]

Tree = dict[str, Any]

_TURNS = frozenset({"turn", "spin", "sway", "flip", "across", "down"})
_WAYS = frozenset({"way", "path"})
_PLAIN: Leaning = {}
_FORMS: Mapping[str, Leaning] = {
    "emblem": {"matter": -0.3, "density": -0.3},
    "surface": {"matter": 0.7},
    "hall": {"density": 0.7, "matter": -0.2},
    "place": {"depth": 0.9},
    "veil": {"density": -0.2, "depth": 0.2},
}
_LIGHTS: Mapping[str, Leaning] = {
    "relief": {"depth": 0.2},
    "lantern": {"depth": 0.6, "density": -0.3},
    "metal": {"matter": 0.2, "depth": 0.3},
    "rim": {"density": -0.4},
    "level_lines": {"matter": -0.6},
}


def write_program(draws: Draws, *, stops: float = 0.0) -> Tree:
    """Write the root of a program, as JSON values.

    Parameters
    ----------
    stops
        By how much its picture is exposed more, before light is remembered and glows.
    """
    return _Writer(draws).root(stops)


class _Writer:
    def __init__(self, draws: Draws) -> None:
        self._draws = draws
        self._hue = draws.between("hue", -0.12, 0.12)
        self._palette = draws.choose("palette", PALETTE_LEANINGS)
        others = {name: leaning for name, leaning in PALETTE_LEANINGS.items() if name != self._palette}
        self._second = draws.choose("second", others)

    def root(self, stops: float) -> Tree:
        form = self._draws.choose("form", _FORMS)
        picture = {"node": "exposure", "stops": stops, "of": getattr(self, f"_{form}")()}
        return self._finished(self._remembered(picture, form))

    # Forms --------------------------------------------------------------------------------------------

    def _emblem(self) -> Tree:
        """One figure on a dark ground."""
        name = self._draws.choose("figure", leanings(FIGURES))
        figure = self._field("figure", FIGURES, name)
        figure = self._maybe_bent(figure, "figure", 0.35)
        figure = self._turned(figure, "figure")
        return self._sparked(self._on_ground(self._coloured(figure, "figure", 0.25, 0.85), name))

    def _surface(self) -> Tree:
        """Matter that fills the picture, mostly lit from the side."""
        name = self._draws.choose("surface", leanings(SURFACES))
        height = self._maybe_bent(self._field("surface", SURFACES, name), "surface", 0.6)
        if self._draws.chance("two colours", 0.4, {"density": 0.5}):
            other = self._draws.choose("shade", leanings(GROUNDS))
            picture = self._two_coloured(height, self._field("shade", GROUNDS, other))
        else:
            picture = self._coloured(height, "surface", 0.25, 0.85)
        if self._draws.chance("lit", 0.65, {"depth": 0.4}):
            picture = self._lit(picture, height)
        return self._sparked({"node": "curve", "darkness": self._base("dark", 0.1, 0.45), "of": picture})

    def _hall(self) -> Tree:
        """Put a figure over a surface, in a hall of mirrors."""
        figure = self._draws.choose("figure", leanings(FIGURES))
        ground = self._draws.choose("surface", leanings(SURFACES))
        below = self._coloured(self._field("surface", SURFACES, ground), "ground", 0.12, 0.5)
        above = self._coloured(self._field("figure", FIGURES, figure), "figure", 0.25, 0.85)
        both = self._blended("hall", {"node": "zoom", "factor": 1.3, "of": below}, above)
        mirrors = {
            name: WARPS[name] for name in ("kaleidoscope", "folds", "tile", "mirror", "droste", "polar")
        }
        return self._bent(self._turned(both, "hall", 0.7), "hall", mirrors)

    def _place(self) -> Tree:
        """Somewhere: a scene, with lights in its sky."""
        name = self._draws.choose("scene", leanings(SCENES))
        scene = self._coloured(self._field("scene", SCENES, name), "figure", 0.25, 0.85)
        sky = self._draws.choose(
            "sky", {"ground": _PLAIN, "figure": {"density": 0.3}, "starfield": {"depth": 0.3}}
        )
        if sky == "ground":
            return self._sparked(self._on_ground(scene, name, bare=0.0))
        if sky == "starfield":
            above = self._field("sky", GROUNDS, "starfield")
        else:
            words = {word: FIGURES[word] for word in FIGURES if word != name}
            above = self._turned(
                self._field("sky", words, self._draws.choose("figure", leanings(words))), "sky"
            )
        return self._blended("sky", self._coloured(above, "ground", 0.12, 0.6), scene)

    def _veil(self) -> Tree:
        """Two figures that meet: light where they agree, or where they differ."""
        name = self._draws.choose("figure", leanings(FIGURES))
        others = {word: FIGURES[word].leaning for word in FIGURES if word != name}
        other = self._draws.choose("other", others)
        below = self._maybe_bent(self._field("figure", FIGURES, name), "figure", 0.4)
        above = self._turned(self._field("other", FIGURES, other), "other")
        blend = self._draws.choose(
            "meet", dict.fromkeys(("melt", "lighten", "difference", "exclusion"), _PLAIN)
        )
        return self._coloured({"node": blend, "below": below, "above": above}, "figure", 0.25, 0.85)

    # Parts --------------------------------------------------------------------------------------------

    def _on_ground(self, figure: Tree, name: str, *, bare: float = 0.3) -> Tree:
        if bare and self._draws.chance("bare", bare, {"density": -1.0}):
            return figure
        words = {word: GROUNDS[word] for word in GROUNDS if word != name}
        ground = self._field("ground", words, self._draws.choose("ground", leanings(words)))
        below = self._coloured(ground, "ground", 0.1, 0.32)
        return self._blended("ground", {"node": "zoom", "factor": 1.4, "of": below}, figure)

    def _sparked(self, picture: Tree) -> Tree:
        if not self._draws.chance("sparked", 0.55, {"density": 0.5}):
            return picture
        word = self._draws.choose("spark", leanings(SPARKS))
        spark = self._turned(self._field("spark", SPARKS, word), "spark")
        bright = {
            "node": "palette",
            "colours": {"stops": self._second, "hue": self._moving_hue()},
            "light": {"base": 0.04, "energy": 0.2, "spark": self._base("spark light", 0.4, 0.65)},
            "of": spark,
        }
        return {"node": "add", "below": picture, "above": bright}

    def _blended(self, what: str, below: Tree, above: Tree) -> Tree:
        word = self._draws.choose(f"{what}.blend", dict.fromkeys(("add", "screen", "lighten"), _PLAIN))
        return {"node": word, "below": below, "above": above}

    def _coloured(self, of: Tree, what: str, rest: float, loud: float) -> Tree:
        """Colour a field; its light is what follows the music most."""
        name = self._second if what == "ground" else self._palette
        light = {
            "base": round(rest * self._base(f"{what}.rest", 0.6, 1.2), 4),
            "energy": round(loud * self._base(f"{what}.loud", 0.7, 1.0), 4),
            "body": round(loud * self._base(f"{what}.bass", 0.2, 0.5), 4),
        }
        if what != "ground":
            light["spark"] = round(loud * self._base(f"{what}.onset", 0.04, 0.08), 4)
            light["pulse"] = round(loud * self._base(f"{what}.beat", 0.08, 0.16), 4)
        if what != "ground" and self._draws.chance(f"{what}.harmony", 0.08):
            hue = {"base": round(self._hue + 0.08, 4), "part": 0.07}
            return {"node": "harmony", "hue": hue, "light": light, "of": of}
        return {
            "node": "palette",
            "colours": {"stops": name, "hue": self._moving_hue()},
            "light": light,
            "of": of,
        }

    def _two_coloured(self, of: Tree, by: Tree) -> Tree:
        light = {
            "base": self._base("surface.rest", 0.15, 0.3),
            "energy": self._base("surface.loud", 0.6, 0.85),
            "body": self._base("surface.bass", 0.2, 0.4),
            "spark": self._base("surface.onset", 0.04, 0.07),
            "pulse": self._base("surface.beat", 0.06, 0.12),
        }
        shades = {"stops": self._palette, "hue": self._moving_hue()}
        return {
            "node": "two_palettes",
            "first": shades,
            "second": {"stops": self._second, "hue": self._moving_hue()},
            "light": light,
            "of": of,
            "by": by,
        }

    def _lit(self, picture: Tree, height: Tree) -> Tree:
        name = self._draws.choose("light", _LIGHTS)
        settings: Mapping[str, Tree] = {
            "relief": {
                "depth": {"base": self._base("lit.depth", 0.1, 0.2), "body": 0.1},
                "turn": {"base": self._base("lit.turn", 0.0, 1.0), "turn": 0.5},
                "gloss": {"base": 0.3, "spark": 0.7},
                "occlusion": 0.6,
            },
            "lantern": {
                "depth": {"base": self._base("lit.depth", 0.15, 0.3), "body": 0.15},
                "right": {"base": 0.0, "sway": 0.5},
                "down": {"base": -0.1, "drift": 0.3},
                "reach": {"base": 0.9, "energy": 0.9},
                "gloss": {"base": 0.4, "spark": 0.6},
            },
            "metal": {
                "depth": {"base": self._base("lit.depth", 0.06, 0.14), "body": 0.04},
                "phase": {"flow": 1.0},
                "amount": {"base": 0.25, "energy": 0.15, "spark": 0.2},
            },
            "rim": {
                "depth": {"base": self._base("lit.depth", 0.08, 0.18), "body": 0.06},
                "amount": {"base": 0.4, "energy": 0.4, "spark": 0.6},
                "dim": 0.7,
            },
            "level_lines": {
                "phase": {"flow": 2.0},
                "amount": {"base": 0.3, "energy": 0.6, "spark": 0.5},
                "dim": 0.4,
            },
        }
        return {"node": name, **settings[name], "of": picture, "height": height}

    def _maybe_bent(self, of: Tree, what: str, share: float) -> Tree:
        if not self._draws.chance(f"{what}.bent", share, {"density": 0.4}):
            return of
        return self._bent(of, what, WARPS)

    def _bent(self, of: Tree, what: str, words: Mapping[str, Word]) -> Tree:
        name = self._draws.choose(f"{what}.warp", leanings(words))
        return {**self._field(f"{what}.warp", words, name), "of": of}

    def _turned(self, of: Tree, what: str, share: float = 0.5) -> Tree:
        if not self._draws.chance(f"{what}.turned", share):
            return of
        return {"node": "rotate", "turn": {"turn": 2.0 * self._draws.sign(f"{what}.way")}, "of": of}

    def _remembered(self, picture: Tree, form: str) -> Tree:
        """Let light leave trails that zoom and flow."""
        share = 0.25 if form in ("surface", "hall") else 0.65
        if not self._draws.chance("feedback", share, {"depth": 0.7}):
            return picture
        zoom = self._base("feedback.zoom", 0.1, 0.6) * (1.0 if self._draws.chance("outward", 0.8) else -0.6)
        return {
            "node": "feedback",
            "mode": "lighten",
            "amount": self._base("feedback.amount", 0.7, 0.9),
            "decay": self._base("feedback.decay", 0.12, 0.3),
            "zoom": {"base": round(zoom, 4), "body": round(1.5 * zoom, 4)},
            "turn": round(
                0.08 * self._draws.sign("feedback.turn") * self._base("feedback.spin", 0.0, 1.0), 4
            ),
            "flow": {"base": self._base("feedback.flow", 0.0, 0.25, {"matter": 0.8}), "air": 0.25},
            "flow_phase": {"flow": 1.0},
            "fade_to": {"oklch": [0.5, 0.2, 300], "hue": {"base": self._hue, "part": 0.06}},
            "fading": 0.4,
            "of": picture,
        }

    def _finished(self, picture: Tree) -> Tree:
        if self._draws.chance("vignette", 0.5):
            picture = {"node": "vignette", "amount": self._base("vignette.amount", 0.4, 0.8), "of": picture}
        if not self._draws.chance("glow", 0.75, {"matter": 0.2}):
            return picture
        return {
            "node": "glow",
            "amount": {"base": self._base("glow.amount", 0.2, 0.5), "energy": 0.3, "spark": 0.3},
            "radius": self._base("glow.radius", 0.08, 0.25),
            "threshold": 0.3,
            "of": picture,
        }

    # Values -------------------------------------------------------------------------------------------

    def _field(self, what: str, words: Mapping[str, Word], name: str) -> Tree:
        return write_word(self._draws, what, words, name)

    def _base(self, name: str, low: float, high: float, leaning: Leaning = _PLAIN) -> float:
        return self._draws.between(name, low, high, leaning)

    def _moving_hue(self) -> Tree:
        return {"base": self._hue, "part": 0.06, "drift": 0.03}


def write_word(draws: Draws, what: str, words: Mapping[str, Word], name: str) -> Tree:
    """Write a primitive without its children: every parameter drawn, and moved as its word says.

    Parameters
    ----------
    what
        Names its part in the program, so that its draws are its own.
    """
    word, what = words[name], f"{what}.{name}"
    values: Tree = {"node": name}
    for parameter, declared in primitives()[name].parameters.items():
        key = f"{what}.{parameter}"
        if parameter in word.given:
            values[parameter] = word.given[parameter]
        elif parameter in word.moves:
            low, high, signal, most = word.moves[parameter]
            amount = round(most * draws.between(f"{key}.by", 0.5, 1.0), 4)
            values[parameter] = {"base": draws.between(key, low, high), signal: amount}
        elif isinstance(declared, Choice):
            values[parameter] = draws.choose(key, dict.fromkeys(declared.options, _PLAIN))
        elif isinstance(declared, Count):
            reach = max(1, round(0.25 * (declared.high - declared.low)))
            drawn = draws.whole(key, declared.default - reach, declared.default + reach, {"density": 0.4})
            values[parameter] = max(declared.low, min(declared.high, drawn))
        elif isinstance(declared, Real):
            values[parameter] = _write_number(draws, key, parameter, declared, word.speed)
    return values


def _write_number(draws: Draws, key: str, parameter: str, declared: Real, speed: float) -> Any:
    if declared.wraps:
        base, way = draws.between(key, 0.0, declared.high), draws.sign(f"{key}.way")
        if parameter in _TURNS:
            return {"base": base, "turn": way}
        return {"base": base, "flow": round(speed * way * (4.0 if parameter in _WAYS else 1.0), 4)}
    if parameter == "seed":
        return draws.between(key, declared.low, declared.high)
    reach = 0.2 * (declared.high - declared.low)
    low, high = max(declared.low, declared.default - reach), min(declared.high, declared.default + reach)
    drawn = draws.between(key, low, high)
    if not draws.chance(f"{key}.part", 0.3):
        return drawn
    # A form of its own for each section of the song.
    return {"base": drawn, "part": round(0.4 * reach * draws.sign(f"{key}.way"), 4)}


def leanings(words: Mapping[str, Word]) -> Mapping[str, Leaning]:
    """Give the styles that words suit."""
    return {name: word.leaning for name, word in words.items()}
