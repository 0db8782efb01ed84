"""Synesthete turns music into film: `render` a song, `analyse` what is heard, `evaluate` a film."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "analyse", "evaluate", "render"]

if TYPE_CHECKING:
    from synesthete.api import analyse, evaluate, render


def __getattr__(name: str) -> Any:
    # Importing the package loads nothing heavy; the first use does.
    if name in ("analyse", "evaluate", "render"):
        from synesthete import api

        return getattr(api, name)
    raise AttributeError(f"module 'synesthete' has no attribute {name!r}")
