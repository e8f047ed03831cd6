"""The command line of the emulator."""

import argparse
import asyncio
import ipaddress
import sys
from collections.abc import Sequence
from pathlib import Path

from warmline.emulators.openai.duration import seconds
from warmline.emulators.openai.emulation import IDLE_CLOSE_SEC, Emulation
from warmline.emulators.openai.faults import FAULT_NAMES, Fault, FaultSwitch
from warmline.emulators.openai.pace import Pace
from warmline.emulators.openai.prompt_cache import PromptCache
from warmline.emulators.openai.server import Where, serve

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the emulator until it is told to stop; returns the exit status. None reads the command line."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    where = Where(
        host=chosen.host, port=chosen.port, tls=chosen.tls or chosen.http2, http2=chosen.http2, ca_file=chosen.ca_file,
        control_port=chosen.control_port, rtt_sec=chosen.rtt, namespace=chosen.namespace,
    )  # fmt: skip
    if not (chosen.api_key or _is_loopback(chosen.host) or chosen.namespace):
        parser.error(f"beyond this machine (--host {chosen.host}) a key is required: give --api-key")
    if where.tls:
        _check_installed(parser, where)
    try:
        asyncio.run(serve(_emulation(chosen), where))
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"cannot listen on {chosen.host} port {chosen.port}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_installed(parser: argparse.ArgumentParser, where: Where) -> None:
    from importlib.util import find_spec

    for needed in ("trustme", "hypercorn")[: where.tls + where.http2]:
        if find_spec(needed) is None:
            parser.error(f"TLS and HTTP/2 need {needed}: pip install 'warmline[emulators-tls]'")


def _emulation(chosen: argparse.Namespace) -> Emulation:
    return Emulation(
        pace=Pace(chosen.first_token_ms, chosen.prefill_us_per_token, chosen.token_interval_ms),
        keys=frozenset(chosen.api_key) if chosen.api_key else None,
        models=frozenset(chosen.model) if chosen.model else None,
        deployments=frozenset(chosen.deployment) if chosen.deployment else None,
        prompt_cache=PromptCache() if chosen.prompt_cache else None,
        realtime_limit_sec=chosen.realtime_limit,
        faults=FaultSwitch(chosen.idle_close, tuple(chosen.fault)),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m warmline.emulators.openai",
        description="An OpenAI-compatible server that answers as a receptionist, by rules. It prints its URL as JSON "
        "once it serves, and ends on SIGTERM or when its stdin ends. Times are written 100ms, 60s or 5m.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="port, 0 for a free one (default: %(default)s)")
    _add_model(parser.add_argument_group("the model"))
    _add_access(parser.add_argument_group("who may ask for what"))
    _add_network(parser.add_argument_group("the network"))
    _add_failures(parser.add_argument_group("what goes wrong"))
    return parser


def _add_model(group: argparse._ArgumentGroup) -> None:
    _add_duration(group, "--first-token-ms", Pace().first_token_ms, "fixed part of the time to the first token")
    _add_duration(group, "--prefill-us-per-token", Pace().prefill_us_per_token, "added to it per token of the prompt")
    _add_duration(group, "--token-interval-ms", Pace().token_interval_ms, "from one token of the answer to the next")
    group.add_argument(
        "--prompt-cache", action="store_true", help="simulate a prompt cache: what it holds needs no prefill"
    )


def _add_access(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--api-key", action="append", metavar="KEY", help="accept this key only; may be repeated")
    group.add_argument("--model", action="append", metavar="NAME", help="serve this model only; may be repeated")
    group.add_argument(
        "--deployment", action="append", metavar="NAME", help="serve this Azure deployment only; may be repeated"
    )


def _add_network(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--tls", action="store_true", help="TLS, by a certificate authority made for the occasion")
    group.add_argument("--http2", action="store_true", help="offer HTTP/2 beside HTTP/1.1 (implies --tls)")
    group.add_argument("--ca-file", type=Path, metavar="FILE", help="where its certificate goes (default: temporary)")
    group.add_argument("--rtt", type=seconds, metavar="TIME", help="put a network with this round-trip time in front")
    group.add_argument("--namespace", metavar="NAME", help="listen in this network namespace (Linux, root)")
    group.add_argument(
        "--control-port",
        type=_port,
        metavar="PORT",
        help="counters and faults on this loopback port; 0: a free one",
    )


def _add_failures(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--idle-close", type=seconds, default=IDLE_CLOSE_SEC, metavar="TIME",
        help="an idle connection is closed after this time (default: %(default)g s)",
    )  # fmt: skip
    group.add_argument(
        "--realtime-limit", type=seconds, default=3600.0, metavar="TIME",
        help="a realtime session is ended after this time (default: %(default)g s)",
    )  # fmt: skip
    named = "; ".join(f"{name} {explained}" for name, (explained, _) in FAULT_NAMES.items())
    group.add_argument(
        "--fault", type=_fault, action="append", default=[], metavar="NAME[=VALUE][,times=N]",
        help=f"let it happen to N requests, or to all; may be repeated. {named}",
    )  # fmt: skip


def _add_duration(group: argparse._ArgumentGroup, name: str, default: float, purpose: str) -> None:
    group.add_argument(name, type=_number, default=default, metavar="N", help=f"{purpose} (default: %(default)s)")


def _number(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1,000,000")
    return value


def _fault(text: str) -> Fault:
    try:
        return Fault.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port")
    return value
