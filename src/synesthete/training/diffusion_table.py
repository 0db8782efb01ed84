"""The figures of a model that listens, as lines of text."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["diffusion_table"]


def diffusion_table(figures: Mapping[str, Any]) -> Iterator[str]:
    """Give the figures as lines; what was aimed at stands behind them."""
    sampling = figures["sampling"]
    yield (
        f"{figures['clips']} held-out clips; {figures['drawn']} drawn, {figures['seconds_per_clip']:.2g} s "
        f"each; {sampling['steps']} steps, guidance {sampling['audio_guidance']:g} by music, "
        f"{sampling['style_guidance']:g} by style"
    )
    yield f"{'':26}{'model':>9}{'teacher':>9}{'of it':>9}"
    for group in ("held_out", "reactive"):
        one, name = figures[group], group.replace("_", "-")
        shuffle, light, look = one["shuffle"], one["brightness"], one["look"]
        yield _line(f"{name}: other song", shuffle["model"], shuffle["teacher"], shuffle["of_teacher"],
                    aim="0.25, 0.7 of it" if group == "held_out" else "")  # fmt: skip
        yield _line("  brightness r", light["r"], aim="0.85")
        yield _line("  the same within clips", light["within_r"])
        yield _line("  silence, motion", one["silence"]["model"], one["silence"]["teacher"], aim="under 0.25")
        for what in ("brightness", "contrast", "saturation", "motion"):
            aim = "within 0.15 of 1" if what in ("contrast", "saturation") else ""
            yield _line(f"  {what}", of=look[what], aim=aim)
    bands = figures["bands"]
    for name, place in bands["places"].items():
        yield _line(f"bands: {name}, in place", place["model"], place["teacher"])
    yield _line("bands: size of change, r", bands["size_r"])
    yield _line("bands: change agrees, r", bands["agrees"])
    number, kept = figures["styles"]["number"], figures["styles"]["constancy"]
    yield _line(
        f"styles: looks of {figures['styles']['styles']}", number["model"], number["teacher"],
        number["of_teacher"], aim="0.5 of it",
    )  # fmt: skip
    yield _line("styles: constant", kept["model"], kept["teacher"], aim="0.95")
    yield _line("  by their vector alone", kept["model_vector"])
    between = figures["styles"]["interpolation"]
    yield _line("styles between: monotone", between["monotone"])
    yield _line("  longest step over mean", between["jump"])
    near = figures["neighbours"]
    yield _line("nearest of training", near["model"], near["held_out"], near["ratio"], aim="1 of it")
    heard = figures["listening"]
    yield (
        f"right music loses less than wrong in {heard['better']} of {heard['clips']} reactive clips; "
        f"p = {heard['p']:.2g}: it {'listens' if heard['listens'] else 'can not be said to listen'}"
    )


def _line(
    name: str,
    model: float | None = None,
    teacher: float | None = None,
    of: float | None = None,
    aim: str = "",
) -> str:
    cells = "".join(f"{'' if value is None else f'{value:.3f}':>9}" for value in (model, teacher, of))
    return f"{name:26}{cells}   {f'aim {aim}' if aim else ''}".rstrip()
