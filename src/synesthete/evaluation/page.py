"""Write the pages of reports: one self-contained HTML file each, from a template of the package."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from synesthete.files import write_whole

__all__ = ["hertz", "write_page"]

_TEMPLATES: Final = Path(__file__).parent / "templates"


def write_page(
    path: Path, template: str, context: Mapping[str, Any], *, templates: Path = _TEMPLATES
) -> None:
    """Fill a template in, everything escaped, and write the page, whole.

    Parameters
    ----------
    templates
        The folder of the template; by default that of the evaluation.

    Raises
    ------
    OutputError, RenderError
        If the file can't be written.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(template).render(context)
    # A file's name need not be UTF-8; its stray bytes are escaped as in JSON.
    write_whole(path, page.encode(errors="backslashreplace"))


def hertz(frequency: float) -> str:
    """Write a frequency in Hz, short.

    Examples
    --------
    >>> hertz(66.2), hertz(3330.0)
    ('66', '3.3k')
    """
    return f"{frequency:.0f}" if frequency < 1000 else f"{frequency / 1000:.1f}k"
