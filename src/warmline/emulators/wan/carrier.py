"""The process that carries packets between two network namespaces, each after half a round trip.

`python -m warmline.emulators.wan.carrier 100 220` makes the namespaces, says their names in a line of JSON on stdout,
and carries until its stdin ends; then it removes them. On stdin it takes one word a line: `forget` (every flow so far
is dropped in silence, as by a NAT that has forgotten them; others pass) and `heal`. It answers each with a line.
"""

import contextlib
import fcntl
import heapq
import json
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from warmline.emulators.wan.namespace import entered
from warmline.emulators.wan.plan import CLIENT_ADDRESS, available_controls, server_address

__all__ = ["main"]

# From linux/if_tun.h.
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 1, 0x1000
_TCP = 6
_READ_BYTES = 65536


def main(rtts_ms: Sequence[int]) -> int:
    """Carry until stdin ends."""
    with contextlib.suppress(OSError):
        # A late packet is an error of every figure measured over it.
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    with _namespaces(rtts_ms) as (client, server):
        carrier = _Carrier(_tun(client), _tun(server))
        _configure(client, server, rtts_ms)
        print(json.dumps({"client": client, "server": server}), flush=True)
        carrier.run()
    return 0


@contextlib.contextmanager
def _namespaces(rtts_ms: Sequence[int]) -> Iterator[tuple[str, str]]:
    names = (f"warmline-c-{os.getpid()}", f"warmline-s-{os.getpid()}")
    try:
        for name in names:
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


def _configure(client: str, server: str, rtts_ms: Sequence[int]) -> None:
    _ip("-n", client, "addr", "add", f"{CLIENT_ADDRESS}/16", "dev", "wan0")
    controls = available_controls()
    for rtt_ms in rtts_ms:
        for control in (None, *controls):
            _ip("-n", server, "addr", "add", f"{server_address(rtt_ms, control)}/32", "dev", "wan0")
    for name in (client, server):
        _ip("-n", name, "link", "set", "wan0", "mtu", "1500", "txqueuelen", "10000", "up")
    _ip("-n", server, "route", "add", f"{CLIENT_ADDRESS}/32", "dev", "wan0")
    for rtt_ms in rtts_ms:
        for control in controls:
            # A client may leave BBR and come back to it; to a host without BBR, there is none to come to.
            chosen = ("lock", control) if control == "cubic" else (control,)
            _ip("-n", client, "route", "add", server_address(rtt_ms, control), "dev", "wan0", "congctl", *chosen)


def _tun(namespace: str) -> int:
    """A TUN device inside the namespace; its descriptor serves from outside."""
    with entered(namespace):
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", b"wan0", _IFF_TUN | _IFF_NO_PI))
    return descriptor


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


@dataclass(order=True, slots=True)
class _Packet:
    due_sec: float
    number: int
    to: int = field(compare=False)
    data: bytes = field(compare=False)


class _Carrier:
    """The loop. A flow is known by the client's TCP port."""

    def __init__(self, client: int, server: int) -> None:
        self._client = client
        self._server = server
        self._under_way: list[_Packet] = []
        self._number = 0
        self._seen: set[bytes] = set()
        self._forgotten: set[bytes] = set()

    def run(self) -> None:
        descriptors = (self._client, self._server, sys.stdin.fileno())
        while True:
            self._deliver()
            wait_sec = max(0.0, self._under_way[0].due_sec - time.monotonic()) if self._under_way else 1.0
            # Not epoll, nor poll: they wait for whole milliseconds, rounded up, twice in every round trip.
            for descriptor in select.select(descriptors, (), (), wait_sec)[0]:
                if descriptor != sys.stdin.fileno():
                    self._take_all(descriptor)
                elif not self._obey(os.read(descriptor, 4096)):
                    return

    def _deliver(self) -> None:
        while self._under_way and self._under_way[0].due_sec <= time.monotonic():
            packet = heapq.heappop(self._under_way)
            with contextlib.suppress(OSError):  # A full device drops, as a router would.
                os.write(packet.to, packet.data)

    def _take_all(self, descriptor: int) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                self._take(descriptor, os.read(descriptor, _READ_BYTES))

    def _take(self, descriptor: int, data: bytes) -> None:
        outward = descriptor == self._client
        if data[0] >> 4 != 4 or self._is_dropped(data, outward=outward):
            return
        rtt_ms = data[18 if outward else 14]  # the third byte of the server's address
        self._number += 1
        due_sec = time.monotonic() + rtt_ms / 2000
        to = self._server if outward else self._client
        heapq.heappush(self._under_way, _Packet(due_sec, self._number, to, data))

    def _is_dropped(self, data: bytes, *, outward: bool) -> bool:
        if data[9] != _TCP:
            return False
        ports = (data[0] & 15) * 4
        flow = data[ports : ports + 2] if outward else data[ports + 2 : ports + 4]
        self._seen.add(flow)
        return flow in self._forgotten

    def _obey(self, told: bytes) -> bool:
        for word in told.decode().split():
            if word == "forget":
                self._forgotten |= self._seen
            elif word == "heal":
                self._forgotten.clear()
            self._seen.clear()
            print(json.dumps({"forgotten": len(self._forgotten)}), flush=True)
        return bool(told)


if __name__ == "__main__":
    sys.exit(main([int(rtt_ms) for rtt_ms in sys.argv[1:]]))
