"""An emulator in a process of its own, that ends when its parent does."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from warmline.emulators.child import end_child
from warmline.emulators.remote_control import EmulatorControl
from warmline.errors import EngineError

__all__ = ["EmulatorProcess"]

_MODULE = "warmline.emulators.openai"
_TAIL_BYTES = 4096
_GRACE_SEC = 3.0


class EmulatorProcess:
    """A running OpenAI emulator. Close it; if its parent dies first, the end of its stdin stops it."""

    def __init__(
        self, process: asyncio.subprocess.Process, tail: "_Tail", announced: Mapping[str, str], folder: ExitStack
    ) -> None:
        self._process = process
        self._tail = tail
        self._announced = announced
        self._folder = folder

    @classmethod
    async def start(
        cls,
        *,
        first_token_ms: float | None = None,
        prefill_us_per_token: float | None = None,
        token_interval_ms: float | None = None,
        port: int = 0,
        tls: bool = False,
        http2: bool = False,
        control: bool = False,
        options: Sequence[str] = (),
        start_timeout_sec: float = 20.0,
    ) -> Self:
        """Start the child on loopback and wait until it serves; None leaves a figure to the emulator's default.

        With `tls` or `http2` it has a certificate authority of its own, `ca_file`; with `control` its counters and
        faults are at hand. `options` are further ones of its command line, such as `--rtt=100ms`.

        Raises:
            EngineError: it died, or did not serve within `start_timeout_sec`; carries the end of its stderr.
        """
        figures = {
            "--first-token-ms": first_token_ms,
            "--prefill-us-per-token": prefill_us_per_token,
            "--token-interval-ms": token_interval_ms,
            "--port": port,
        }
        given = [f"{name}={value}" for name, value in figures.items() if value is not None]
        given += [name for name, wanted in (("--tls", tls), ("--http2", http2)) if wanted]
        given += ["--control-port=0"] if control else []
        with ExitStack() as folder:
            if tls or http2:
                # Here and not in the child, so that it is removed however the child ends.
                made = folder.enter_context(tempfile.TemporaryDirectory(prefix="warmline-ca-"))
                given.append(f"--ca-file={Path(made) / 'ca.pem'}")
            return await cls._run([*given, *options], start_timeout_sec, folder)

    @classmethod
    async def _run(cls, options: list[str], start_timeout_sec: float, folder: ExitStack) -> Self:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # What lies in the working directory must not be imported in place of a package.
            "-m",
            _MODULE,
            *options,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # Ctrl-C in a terminal is for the parent, which may still have calls to end.
            start_new_session=True,
        )
        tail = _Tail(process)
        try:
            announced = await _announcement(process, start_timeout_sec)
        except EngineError as error:
            await _end(process, tail, grace_sec=0)
            raise EngineError(f"the emulator did not start: {error}{tail.quoted()}") from error.__cause__
        except BaseException:
            await _end(process, tail, grace_sec=0)
            raise
        return cls(process, tail, announced, folder.pop_all())

    @property
    def url(self) -> str:
        """Base URL of the API, with `/v1`."""
        return self._announced["url"]

    @property
    def ca_file(self) -> Path | None:
        """Certificate of the authority that its certificate is from; None without TLS. Removed at the close."""
        found = self._announced.get("ca")
        return Path(found) if found else None

    @property
    def control(self) -> EmulatorControl:
        """Its counters and faults.

        Raises:
            EngineError: it was started without.
        """
        if "control" not in self._announced:
            raise EngineError("this emulator was started without its control path: control=True")
        return EmulatorControl(self._announced["control"])

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    async def aclose(self) -> None:
        """End the child and reap it. Harmless when called twice, or after the child died."""
        try:
            await _end(self._process, self._tail, grace_sec=_GRACE_SEC)
        finally:
            self._folder.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class _Tail:
    """Reads a child's stderr, so that it never blocks on a full pipe, and keeps the end of it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._kept = b""
        self._task = asyncio.create_task(self._read(process), name="emulator-stderr")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        while process.stderr and (part := await process.stderr.read(_TAIL_BYTES)):
            self._kept = (self._kept + part)[-_TAIL_BYTES:]

    async def ended(self) -> None:
        """Wait until all was read."""
        await asyncio.shield(self._task)

    def quoted(self) -> str:
        """The tail as the end of an error message."""
        text = self._kept.decode(errors="replace").strip()
        return f"\n{text}" if text else ""


async def _announcement(process: asyncio.subprocess.Process, timeout_sec: float) -> Mapping[str, str]:
    try:
        async with asyncio.timeout(timeout_sec):
            line = await process.stdout.readline() if process.stdout else b""
            if not line:
                raise EngineError(f"it ended with exit status {await process.wait()}")
    except TimeoutError as error:
        raise EngineError(f"not within {timeout_sec:g} s") from error
    try:
        announced: Mapping[str, str] = json.loads(line)
        if not announced["url"]:
            raise ValueError("an empty URL")
    except (ValueError, KeyError, TypeError) as error:
        raise EngineError("its first line of output was not its URL") from error
    return announced


async def _end(process: asyncio.subprocess.Process, tail: _Tail, grace_sec: float) -> None:
    try:
        await end_child(process, grace_sec)
    finally:
        await tail.ended()
