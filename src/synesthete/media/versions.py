"""The versions of the FFmpeg libraries in use."""

import av

__all__ = ["library_versions"]


def library_versions() -> dict[str, str]:
    """Give the version of each FFmpeg library, such as ``{"libavcodec": "62.11.100"}``."""
    return {name: ".".join(map(str, version)) for name, version in sorted(av.library_versions.items())}
