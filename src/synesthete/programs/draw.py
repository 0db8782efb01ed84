"""Draw a program: walk its tree once per picture, on whole pictures, bands of rows, or batches.

Everything that differs between frames, seeds and songs comes in as tensors. `Drawing.layer` is what is
compiled: a tree is cut where its root remembers, so that what is remembered and what is seen share a kernel.
`Drawing.paint` gives the same picture in one go.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from synesthete.programs.light import tone
from synesthete.programs.place import Place, Plane, start
from synesthete.programs.program import FRAME_SLOTS, Node, Program
from synesthete.programs.registry import Picture, Scalars, Table

__all__ = ["RELIEF_DETAIL", "Drawing", "Seen", "Step", "in_order"]

RELIEF_DETAIL = 0.008
"""Finest detail of a lit surface, normalised units: about four pixels at 1080 lines."""


@dataclass(frozen=True)
class Seen:
    """A small picture, stretched to the columns of a large one; rows are mixed where it is drawn.

    Attributes
    ----------
    picture
        ``(*batch, 3, small_rows, columns)``.
    row, share
        For each row of the large picture the small row above it, and the share of the one below.
    """

    picture: Float[Tensor, "*batch 3 small_rows columns"]
    row: Int64[Tensor, " rows"]
    share: Float[Tensor, "rows 1"]

    def band(self, top: int, bottom: int) -> "Seen":
        """Give the part that a band of rows needs."""
        return Seen(self.picture, self.row[top:bottom], self.share[top:bottom])

    def columns(self, left: int, right: int) -> "Seen":
        """Give the part that a band of columns needs."""
        return Seen(self.picture[..., left:right], self.row, self.share)

    def tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        """Give it as a kernel takes it."""
        return self.picture, self.row, self.share


@dataclass(frozen=True)
class Step:
    """A node, and where its scalars lie in a frame's vector."""

    node: Node
    scalars: dict[str, tuple[int, int]]
    fixed: dict[str, Any]
    children: dict[str, "Step"]
    seen: int | None


class Drawing:
    """Draws the programs of one structure, or one of their subtrees.

    Parameters
    ----------
    program
        Any of them: only its structure counts.

    Attributes
    ----------
    step
        The tree.
    border
        Pixels around the picture that are computed because stencils look at them: 0 or 1.
    hears
        Tables that `paint` takes.
    maps
        Number of small pictures (`Seen`) that `paint` takes.
    layers
        Where the tree is cut, innermost first: what each memory on the way from the root remembers, and the
        root. Between them are only grades, so that all are drawn at the same places.
    """

    def __init__(self, program: Program) -> None:
        self.hears: tuple[Table, ...] = program.hears
        self.maps = 0
        self._slot = FRAME_SLOTS
        self.step = self._plan(program.root)
        lit = any("height" in node.primitive.slots for node in program.root.walk())
        self.border = 1 if lit else 0
        self.layers = tuple(reversed([self.step, *_remembered(self.step)]))

    def _plan(self, node: Node) -> Step:
        scalars = {}
        for name, parameter in node.primitive.parameters.items():
            if parameter.moves:
                scalars[name] = (self._slot, parameter.slots)
                self._slot += parameter.slots
        fixed = {name: node.values[name] for name, p in node.primitive.parameters.items() if not p.moves}
        children = {slot: self._plan(child) for slot, child in node.children.items()}
        seen = None
        if node.primitive.family == "memory":
            # Children first: their small pictures are made before this one's.
            seen, self.maps = self.maps, self.maps + 1
        return Step(node, scalars, fixed, children, seen)

    def paint(
        self,
        x: Float[Tensor, "1 columns"],
        y: Float[Tensor, "rows 1"],
        vector: Float[Tensor, "*batch scalars"],
        *tables: Tensor,
    ) -> Float[Tensor, "*batch 3 rows columns"]:
        """Draw pictures of one place.

        Parameters
        ----------
        x, y
            Positions of columns and rows, `border` more on each side than are drawn.
        vector
            A frame's scalars: first those of `synesthete.programs.place.start`, then the program's.
        tables
            The tables of `hears`, then the tensors of each `Seen`.

        Returns
        -------
        Display RGB, 0-1.
        """
        picture = self.light(self.step, x, y, vector, *tables)
        return torch.stack([tone(channel) for channel in picture], -3)

    def layer(
        self, index: int, x: Tensor, y: Tensor, vector: Tensor, *tables: Tensor
    ) -> Float[Tensor, "*batch 3 rows columns"]:
        """Draw one of the layers, upon the picture of the one below it, if there is one.

        Parameters
        ----------
        x, y, vector
            As for `paint`.
        tables
            The tables of `hears`, the tensors of the `maps_below` small pictures, and the picture below.

        Returns
        -------
        Light, 0 upward; of the last layer display RGB, 0-1.
        """
        step, cut = self.layers[index], None
        if index > 0:
            red, green, blue = tables[-1].unbind(-3)
            cut, tables = (self.layers[index - 1], (red, green, blue)), tables[:-1]
        picture = self.light(step, x, y, vector, *tables, cut=cut)
        return torch.stack([tone(channel) if step is self.step else channel for channel in picture], -3)

    def maps_below(self, index: int) -> int:
        """Give the number of small pictures that a layer and those below it look at: the first so many."""
        return sum(1 for step in in_order(self.layers[index]) if step.seen is not None)

    def light(
        self,
        step: Step,
        x: Tensor,
        y: Tensor,
        vector: Tensor,
        *tables: Tensor,
        cut: tuple[Step, Picture] | None = None,
    ) -> Picture:
        """Draw a subtree as light: display values, 0 upward, not rolled off yet.

        Parameters
        ----------
        cut
            A step whose picture is known.
        """
        scalars = vector.unbind(-1)
        if vector.ndim > 1:
            scalars = tuple(scalar[:, None, None] for scalar in scalars)
        walk = _Walk(
            scalars,
            dict(zip(self.hears, tables, strict=False)),
            tables[len(self.hears) :],
            (y.shape[-2], x.shape[-1]),
            trimmed=self.border > 0,
            cut=cut,
        )
        at = start(x, y, *scalars[:FRAME_SLOTS])
        value = walk.value(step, at)
        picture = value if isinstance(value, tuple) else (value, value, value)
        inner_x, inner_y = (x[..., 1:-1], y[..., 1:-1, :]) if self.border else (x, y)
        shape = (*vector.shape[:-1], inner_y.shape[-2], inner_x.shape[-1])
        red, green, blue = (channel.expand(shape) for channel in picture)
        return red, green, blue


@dataclass(frozen=True)
class _Walk:
    scalars: Sequence[Tensor]
    heard: dict[Table, Tensor]
    seen: Sequence[Tensor]
    shape: tuple[int, int]
    trimmed: bool
    cut: tuple[Step, Picture] | None

    def value(self, step: Step, at: Place) -> Any:
        """Draw a node: a plane, or three."""
        if self.cut is not None and step is self.cut[0]:
            return self.cut[1]
        primitive = step.node.primitive
        given = {name: self._scalar(*slots) for name, slots in step.scalars.items()} | step.fixed
        if primitive.family == "warp":
            return self.value(step.children["of"], primitive.function(at, **given))
        children = {
            slot: self._surface(child, at) if slot == "height" else self.value(child, at)
            for slot, child in step.children.items()
        }
        if primitive.family == "blend":
            return _blended(primitive.function, children, given)
        if primitive.placed:
            given["at"] = at.inner() if self.trimmed else at
        if primitive.hears:
            given["heard"] = self.heard
        if step.seen is not None:
            given["seen"] = self._seen(step.seen)
        return primitive.function(**children, **given)

    def _surface(self, step: Step, at: Place) -> Plane:
        """Draw a height with its border."""
        plane = replace(self, trimmed=False).value(step, at.coarser(RELIEF_DETAIL))
        surface: Plane = plane.expand(*plane.shape[:-2], *self.shape)
        return surface

    def _scalar(self, first: int, slots: int) -> Tensor | Scalars:
        return self.scalars[first] if slots == 1 else tuple(self.scalars[first : first + slots])

    def _seen(self, index: int) -> Picture:
        picture, row, share = self.seen[3 * index : 3 * index + 3]
        below = torch.clamp(row + 1, max=picture.shape[-2] - 1)
        rows = torch.lerp(picture.index_select(-2, row), picture.index_select(-2, below), share)
        red, green, blue = rows.unbind(-3)
        return red, green, blue


def in_order(step: Step) -> Sequence[Step]:
    """Give steps, children first: the order of `Step.seen`."""
    return [*(below for child in step.children.values() for below in in_order(child)), step]


def _remembered(step: Step) -> Iterator[Step]:
    """Give what memories at the root remember, outermost first."""
    while step.node.primitive.family in ("memory", "grade"):
        memory = step.seen is not None
        step = step.children["of"]
        if memory:
            yield step


def _blended(function: Any, children: dict[str, Any], given: dict[str, Any]) -> Any:
    if not isinstance(children["below"], tuple):
        return function(**children, **given)
    matte = {"matte": children["matte"]} if "matte" in children else {}
    return tuple(
        function(below=below, above=above, **matte, **given)
        for below, above in zip(children["below"], children["above"], strict=True)
    )
