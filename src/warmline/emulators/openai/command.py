"""The command line of the emulator."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from warmline.emulators.openai.pace import Pace
from warmline.emulators.openai.server import serve

__all__ = ["main"]

# Cloudflare keeps idle client connections for 400 s, and OpenAI's API is served from behind it:
# https://developers.cloudflare.com/fundamentals/reference/connection-limits/
_KEEP_ALIVE_SEC = 400


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the emulator until it is told to stop; returns the exit status. None reads the command line."""
    chosen = _parser().parse_args(arguments)
    pace = Pace(chosen.first_token_ms, chosen.prefill_us_per_token, chosen.token_interval_ms)
    try:
        asyncio.run(serve(pace, chosen.host, chosen.port, chosen.keep_alive_sec))
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"cannot listen on {chosen.host} port {chosen.port}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m warmline.emulators.openai",
        description="An OpenAI-compatible server that answers as a receptionist, by rules. It prints its URL as JSON "
        "once it serves, and ends on SIGTERM or when its stdin ends.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="port, 0 for a free one (default: %(default)s)")
    _add_duration(parser, "--first-token-ms", Pace().first_token_ms, "fixed part of the time to the first token")
    _add_duration(parser, "--prefill-us-per-token", Pace().prefill_us_per_token, "added to it per token of the prompt")
    _add_duration(parser, "--token-interval-ms", Pace().token_interval_ms, "from one token of the answer to the next")
    parser.add_argument(
        "--keep-alive-sec",
        type=int,
        default=_KEEP_ALIVE_SEC,
        help="an idle connection is closed after this time (default: %(default)s)",
    )
    return parser


def _add_duration(parser: argparse.ArgumentParser, name: str, default: float, purpose: str) -> None:
    parser.add_argument(name, type=_duration, default=default, metavar="N", help=f"{purpose} (default: %(default)s)")


def _duration(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1,000,000")
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port")
    return value
