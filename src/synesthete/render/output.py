"""Look at a place for output before anything is computed for it."""

import contextlib
from pathlib import Path

from synesthete.config.formats import FORMATS, Codec
from synesthete.errors import OutputError
from synesthete.files import make_folder, writing_to

__all__ = ["check_film_output", "check_output"]


def check_film_output(output: Path, song: Path | None, codec: Codec) -> None:
    """Refuse a film's place that can't be written, must not be, or whose name is of another format.

    Raises
    ------
    OutputError
        See `check_output`.
    """
    made = FORMATS[codec]
    check_output(output, song, example=f"film{made.suffix}", because=f"{codec} films are {made.name}")


def check_output(
    output: Path,
    song: Path | None,
    *,
    example: str,
    because: str,
    option: str = "output",
    source: str = "the song itself",
) -> None:
    """Refuse a file that can't be written or must not be, and make its folder.

    Parameters
    ----------
    output
        The file that is wanted.
    song
        The song or a stem, which may not be overwritten; None for none.
    example, because
        A name that would do, for its ending; and what such files are: ``films are H.264 in MP4``.
    option
        What the user calls it, for the message.
    source
        What the sound is, for the message.

    Raises
    ------
    OutputError
        If the name ends otherwise, or is that of a folder or of the song, or its folder can't be made.
    """
    suffix = Path(example).suffix
    if output.suffix.lower() != suffix:
        raise OutputError(f"{option} {output} does not end in {suffix}; {because}")
    with writing_to(output):
        if output.is_dir():
            raise OutputError(f"{option} {output} is a folder; name a file in it, such as {output / example}")
    with contextlib.suppress(OSError):
        if song is not None and output.samefile(song):
            raise OutputError(f"{option} {output} is {source}; choose another name")
    make_folder(output.absolute().parent)
