"""The commands, and how errors become one clear sentence and an exit status."""

import contextlib
import errno
import json
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from synesthete import __version__
from synesthete.cli.album import album
from synesthete.cli.analyse import analyse
from synesthete.cli.compose import compose
from synesthete.cli.dataset import app as dataset_app
from synesthete.cli.evaluate import evaluate
from synesthete.cli.evaluate_diffusion import evaluate_diffusion
from synesthete.cli.evaluate_gan import evaluate_gan
from synesthete.cli.evaluate_generator import evaluate_generator
from synesthete.cli.evaluate_vae import evaluate_vae
from synesthete.cli.explore import breed, explore
from synesthete.cli.export import app as export_app
from synesthete.cli.fit import fit
from synesthete.cli.manage import clean, presets
from synesthete.cli.pipeline import pipeline
from synesthete.cli.preset import app as preset_app
from synesthete.cli.preset import moods
from synesthete.cli.render import profile, render
from synesthete.cli.train import app as train_app
from synesthete.errors import SynestheteError

__all__ = ["main"]

INTERRUPTED = 130
_UsageError: Any = typer.BadParameter.__mro__[1]  # click's, or that of the copy of click in newer typers
_REPORT = "this is a fault of ours, please report it with the output of --debug"

app = typer.Typer(
    name="synesthete",
    help="Turn music into film: visuals that move because of what is heard.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(context_settings={"max_content_width": 100})(render)
app.command()(album)
app.command()(analyse)
app.command()(compose)
app.command()(evaluate)
app.command(name="evaluate-generator")(evaluate_generator)
app.command(name="evaluate-vae")(evaluate_vae)
app.command(name="evaluate-diffusion")(evaluate_diffusion)
app.command(name="evaluate-gan")(evaluate_gan)
app.command()(explore)
app.command()(breed)
app.command()(fit)
app.command()(presets)
app.add_typer(preset_app, name="preset")
app.add_typer(dataset_app, name="dataset")
app.add_typer(train_app, name="train")
app.add_typer(export_app, name="export")
app.command()(pipeline)
app.command()(moods)
app.command()(clean)
app.command()(profile)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"synesthete {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Turn music into film: visuals that move because of what is heard."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        Without the program's name; by default the process's own.

    Returns
    -------
    The exit status: 0, 2 for the user's input, 1 for a failure of ours, 130 after Ctrl-C.
    """
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stderr)
    with contextlib.suppress(AttributeError):  # a path need not be UTF-8, nor the terminal; show what can be
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        status = app(given, standalone_mode=False, prog_name="synesthete")
        if status == INTERRUPTED:  # what newer typers make of Ctrl-C
            raise KeyboardInterrupt
    except _UsageError as error:
        return _fail(given, error.format_message().replace("Value error, ", ""), 2)
    except SynestheteError as error:
        return _fail(given, str(error), error.exit_status)
    except (KeyboardInterrupt, typer.Abort):
        return _fail(given, "interrupted; repeat the same command to go on where it stopped", INTERRUPTED)
    except BrokenPipeError:
        _discard_output()
        return 1
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            return _fail(given, f"cannot write ({error.strerror}); free some space and repeat the command", 1)
        return _fail(given, f"{type(error).__name__}: {error}; {_REPORT}", 1)
    except Exception as error:
        return _fail(given, f"{type(error).__name__}: {error}; {_REPORT}", 1)
    return status if isinstance(status, int) else 0


def _fail(given: Sequence[str], message: str, status: int) -> int:
    if "--debug" in given and status != INTERRUPTED:
        traceback.print_exc()
    sentence = " ".join(message.split())
    try:
        if "--json" in given:
            print(json.dumps({"event": "error", "message": sentence}), flush=True)
        else:
            print(f"synesthete: {sentence}", file=sys.stderr, flush=True)
    except BrokenPipeError:
        _discard_output()
    except OSError:  # standard output is full: the sentence goes where there is room
        _discard_output()
        print(f"synesthete: {sentence}", file=sys.stderr, flush=True)
    return status


def _discard_output() -> None:
    """Send what is still unwritten nowhere: whoever read our output has gone, there is nobody to tell."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
