"""What a real `warmline serve` has loaded by its end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.shared_cache import shared_cache

SERVE_AND_LIST = """
import atexit, sys
atexit.register(lambda: print("MODULES", *sorted(sys.modules)))
from warmline.cli import main
sys.exit(main(["serve", "--port", "0", *sys.argv[1:]]))
"""


def modules_of_a_server(folder: Path, *arguments: str, **environment: str) -> set[str]:
    """From its start over its warm-up to its end by SIGTERM: the names of all modules."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WARMLINE_", "OPENAI_"))}
    paths = {"XDG_CACHE_HOME": str(shared_cache(folder)), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, "-c", SERVE_AND_LIST, *arguments],
        cwd=folder,
        env={**kept, **paths, **environment},
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        before = []
        for line in server.stdout:
            before.append(line)
            if line.startswith("Call it:"):
                server.send_signal(signal.SIGTERM)
                break
        after = server.stdout.read()
    assert (server.returncode, "MODULES" in after) == (0, True), before
    return set(after.rpartition("MODULES ")[2].split())
