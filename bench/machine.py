"""What a benchmark was run on, for its report."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from subprocess import run

__all__ = ["this_machine"]


def this_machine() -> dict[str, str]:
    """Commit, processor, system, and the versions that matter."""
    commit = run(["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"], capture_output=True, text=True).stdout
    return {
        "commit": commit.strip(),
        "processor": f"{_processor()}, {len(os.sched_getaffinity(0))} cores",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{
            package: version(package)
            for package in ("pipecat-ai", "pocketsphinx", "onnxruntime", "uvicorn", "websockets")
        },
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
