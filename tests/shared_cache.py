"""One cache for all tests of a run: to make a recogniser's model takes seconds of a processor."""

import os
from pathlib import Path


def shared_cache(tmp_path: Path) -> Path:
    """The cache, seen from a test's `tmp_path`: beside the folders of this run's tests, whichever worker runs them."""
    of_this_worker = tmp_path.parent
    return (of_this_worker.parent if "PYTEST_XDIST_WORKER" in os.environ else of_this_worker) / "cache"
