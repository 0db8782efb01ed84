"""A progress bar on a terminal, JSON lines on request, silence otherwise."""

import json
import sys
from types import TracebackType
from typing import Any, Self

__all__ = ["Progress"]


class Progress:
    """Shows the events of a render, or of an evaluation.

    Parameters
    ----------
    json_lines
        Print each event as one JSON object on standard output, and no bar.
    """

    def __init__(self, *, json_lines: bool) -> None:
        self._json = json_lines
        self._bar: Any = None
        self._task: Any = None
        self._frame_rate = 1.0
        self._about = ""

    def __enter__(self) -> Self:
        if not self._json and sys.stderr.isatty():
            self._bar = _make_bar()
            self._bar.start()
            self._task = self._bar.add_task("listening", total=None, rate="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def on_event(self, event: dict[str, Any]) -> None:
        """Show one event."""
        if self._json:
            print(json.dumps(event), flush=True)
        elif event["event"] == "warning":
            about = f"{event['track']}: " if "track" in event else ""
            text = f"warning: {about}{event['message']}"
            if self._bar is not None:
                self._bar.console.print(text, markup=False, highlight=False)
            else:
                print(text, file=sys.stderr, flush=True)
        elif self._bar is not None:
            self._show(event)

    def _show(self, event: dict[str, Any]) -> None:
        if event["event"] in ("plan", "watch"):
            numerator, _, denominator = event["frame_rate"].partition("/")
            self._frame_rate = float(numerator) / float(denominator or 1)
            self._about = event.get("track", event.get("preset", "watching"))
            self._bar.update(self._task, description=self._about, total=event["frames"])
        elif event["event"] == "compile":
            self._bar.update(self._task, description="compiling kernels, kept for later films")
        elif event["event"] == "flash-safety":
            self._bar.update(self._task, description="looking for flashes")
        elif event["event"] == "progress":
            elapsed = max(self._bar.tasks[0].elapsed or 0.0, 1e-3)
            speed = event["rendered"] / elapsed
            rate = f"{speed:.1f} frames/s  {speed / self._frame_rate:.2f} × real time"
            self._bar.update(self._task, description=self._about, completed=event["frames"], rate=rate)


def _make_bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        transient=True,
    )
