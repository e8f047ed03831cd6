"""What runs in the template process: load once, then fork a worker for every socket that is handed over.

Forking is safe here because this process is born by exec, runs one thread, and holds no lock or event loop.
Started as `python -m warmline.workers.template_process <control fd> <module:function>`.
"""

import gc
import importlib
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping

from warmline.workers.channel import Channel
from warmline.workers.frames import HEADER, FrameDecoder, Message, decode_payload, encode

__all__ = ["Preload", "Serve", "main"]

Serve = Callable[[Channel], None]
Preload = Callable[[Mapping[str, object]], Serve]


def main(control_fd: int, preload: str) -> None:
    """Load, say so, and fork until the control socket closes."""
    control = socket.socket(fileno=control_fd)
    started_sec = time.monotonic()
    gc.disable()  # what is loaded stays
    try:
        load = _load(preload)  # while the configuration is on its way
        serve = load(_receive_config(control))
    except Exception as failure:
        control.sendall(encode({"failed": f"{type(failure).__name__}: {failure}", "trace": traceback.format_exc()}))
        return
    gc.freeze()  # a collection in a worker would copy every page that it walks
    gc.enable()
    control.sendall(encode({"ready": os.getpid(), "took_ms": (time.monotonic() - started_sec) * 1000}))
    _fork_until_closed(control, serve)


def _receive_config(control: socket.socket) -> Mapping[str, object]:
    kind, length = HEADER.unpack(_receive_exactly(control, HEADER.size))
    config = decode_payload(kind, _receive_exactly(control, length))
    assert not isinstance(config, bytes), "the first message is the configuration"
    return config


def _receive_exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise SystemExit(0)
        data += piece
    return data


def _load(preload: str) -> Preload:
    module, _, function = preload.partition(":")
    loaded: Preload = getattr(importlib.import_module(module), function)
    return loaded


def _fork_until_closed(control: socket.socket, serve: Serve) -> None:
    child_died = _child_signal()
    decoder = FrameDecoder()
    while True:
        readable, _, _ = select.select([control, child_died], [], [])
        if child_died in readable:
            child_died.recv(4096)
            _reap(control)
        if control in readable:
            data, fds, _, _ = socket.recv_fds(control, 65536, 16)
            if not data:
                return
            for request in decoder.feed(data):
                fd = fds.pop(0)
                _fork(control, child_died, request, fd, fds, serve)


def _child_signal() -> socket.socket:
    """A socket that becomes readable when a child has died."""
    readable, writable = socket.socketpair()
    writable.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writable.detach(), warn_on_full_buffer=False)
    return readable


def _reap(control: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        control.sendall(encode({"exited": pid, "status": os.waitstatus_to_exitcode(status)}))


def _fork(
    control: socket.socket, child_died: socket.socket, request: Message, fd: int, later: list[int], serve: Serve
) -> None:
    """One worker on `fd`. It closes `later`, the sockets of the next ones: held open, they would hide their ends."""
    assert not isinstance(request, bytes), "requests are control messages"
    try:
        pid = os.fork()
    except OSError as failure:  # no memory or no process to be had: the next one may be
        os.close(fd)
        control.sendall(encode({"refused": request["spawn"], "why": str(failure)}))
        return
    if pid:
        os.close(fd)
        control.sendall(encode({"spawned": request["spawn"], "pid": pid}))
        return
    # The child must never fall back into the template's loop, whatever happens: hence os._exit.
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        control.close()
        child_died.close()
        for other in later:
            os.close(other)
        serve(Channel(socket.socket(fileno=fd)))
        status = 0
    except BrokenPipeError:
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(int(sys.argv[1]), sys.argv[2])
