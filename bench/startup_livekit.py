"""LiveKit's worker process for `startup.py`: prints `ready` once its job process is initialised.

No LiveKit server is needed: the worker is not registered with one, and takes no call. Its `prewarm` loads Silero, as
in LiveKit's own examples, and exercises nothing. One idle process, so that it has to start no more than that.

    python bench/startup_livekit.py --port 7861
"""

import argparse
import asyncio
import logging

from livekit.agents import AgentServer, JobContext, JobProcess
from livekit.plugins import silero


def prewarm(process: JobProcess) -> None:
    """What a job finds in its process."""
    process.userdata["vad"] = silero.VAD.load()


async def entrypoint(context: JobContext) -> None:
    """No job ever comes."""


class _Told(logging.Handler):
    """The worker says in its log, and nowhere else that is public, when a process is ready."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == "process initialized":
            print("ready", flush=True)


async def main() -> None:
    """Start, and wait to be ended."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    log = logging.getLogger("livekit.agents")
    log.setLevel(logging.INFO)
    log.addHandler(_Told())
    server = AgentServer(host="127.0.0.1", port=parser.parse_args().port, setup_fnc=prewarm, num_idle_processes=1)
    server.rtc_session(entrypoint)
    await server.run(unregistered=True)


if __name__ == "__main__":
    asyncio.run(main())
