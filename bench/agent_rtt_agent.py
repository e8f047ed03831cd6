"""One agent of `agent_rtt.py`: `warmline serve`, with the engine as it is or over the SDK's own connections.

python bench/agent_rtt_agent.py warm|plain serve-options...
"""

import sys

from warmline.cli import main
from warmline.engines.openai import client, language_model


class _PlainTransport:
    """In place of the warm one, for a client that has none: nothing to warm, to wait for or to look at."""

    class route:  # noqa: N801 - read as an attribute
        keeps_warm = False

    refused_status = 0

    def begin(self) -> None:
        """Nothing begins."""

    def snapshot(self) -> None:
        """There is no pool."""

    async def wait_warm(self, timeout: float = 0.0) -> bool:
        """Never."""
        return False


def _unwarmed(made: object, **_: object) -> object:
    return made


def _serve_plainly() -> None:
    vars(client)["warm"] = _unwarmed
    vars(language_model)["transport_of"] = lambda _: _PlainTransport()


if __name__ == "__main__":
    arm, *options = sys.argv[1:]
    if arm == "plain":
        _serve_plainly()
    sys.exit(main(["serve", *options]))
