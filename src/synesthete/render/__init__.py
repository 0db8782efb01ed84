"""Turn a Trajectory into a film: segments, encoding, stitching, manifest."""

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    """A room with the name of a function of the package, which it hides once imported; so it is both."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Render a song; see `synesthete.api.render`."""
        from synesthete.api import render

        return render(*arguments, **options)


sys.modules[__name__].__class__ = _Room
