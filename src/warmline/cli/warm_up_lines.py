"""The progress of the warm-up: a live line in a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable

from warmline.events import Event, WarmUpFinished, WarmUpStepFinished, WarmUpStepStarted
from warmline.startup import progress_line

__all__ = ["WarmUpLines", "warm_up_lines"]


def warm_up_lines(say: Callable[[str], None]) -> Callable[[Event], None]:
    """What to call with each event of the warm-up."""
    if sys.stdout.isatty():
        return WarmUpLines().show
    return lambda event: _plain(event, say)


def _plain(event: Event, say: Callable[[str], None]) -> None:
    if line := progress_line(event):
        say(f"  {line}")


class WarmUpLines:
    """Finished steps scroll by, what still runs is named below them."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(highlight=False)
        self._status = self._console.status("warming up")
        self._running: list[str] = []

    def show(self, event: Event) -> None:
        """One event; others than the warm-up's are passed over."""
        if isinstance(event, WarmUpStepStarted):
            self._running.append(event.name)
        elif isinstance(event, WarmUpStepFinished) and event.name in self._running:
            self._running.remove(event.name)
        if line := progress_line(event):
            self._print(event, line)
        if isinstance(event, WarmUpFinished):
            self._status.stop()
        elif isinstance(event, WarmUpStepStarted | WarmUpStepFinished):
            self._name_the_running()

    def _print(self, event: Event, line: str) -> None:
        good = not isinstance(event, WarmUpStepFinished) or event.error is None
        self._console.print(f"  {line}", style="default" if good else "red", markup=False)

    def _name_the_running(self) -> None:
        from rich.markup import escape

        self._status.update(escape(f"warming up: {', '.join(dict.fromkeys(self._running))}"))
        self._status.start()
