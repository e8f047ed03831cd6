"""The arms of the benchmark: how each server is started, and what its first caller pays."""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import run

__all__ = ["COLD", "IMPORTS", "PLAIN", "WARM", "Arm", "base_arm", "worktree"]

_BENCH = Path(__file__).parent
_SERVE = (sys.executable, "-c", "import sys; from warmline.cli import main; sys.exit(main())", "serve")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way to serve. `paid` says what its first caller waits for, `ca_file` whose certificates it trusts."""

    name: str
    command: tuple[str, ...]
    paid: str
    pythonpath: str | None = None
    ca_file: str | None = None

    def environment(self, llm_url: str) -> Mapping[str, str]:
        """What its process is given, beside what this one has."""
        given = {"OPENAI_BASE_URL": llm_url, "OPENAI_API_KEY": "local"}
        given |= {"PYTHONDONTWRITEBYTECODE": ""}  # bytecode is kept, as it is of any installed package
        given |= {"SSL_CERT_FILE": self.ca_file} if self.ca_file else {}
        return given | ({"PYTHONPATH": self.pythonpath} if self.pythonpath else {})


COLD = Arm(
    name="cold process",
    command=(*_SERVE, "--cold"),
    paid="process start, imports, models, voice, recogniser, client, connection, synthesis of the greeting",
)
IMPORTS = Arm(
    name="imports only",
    command=(*_SERVE, "--warm", "imports"),
    paid="models, voice, recogniser, client, connection, synthesis of the greeting (before the call: process, imports)",
)
PLAIN = Arm(
    name="plain Pipecat",
    command=(sys.executable, str(_BENCH / "plain_pipecat.py")),
    paid="models, voice, recogniser, client, connection, built for each call, synthesis of the greeting "
    "(before the call: process, imports)",
)
WARM = Arm(name="Warmline", command=_SERVE, paid="nothing that can be made before a call")


def base_arm(tree: Path, commit: str) -> Arm:
    """Warmline as of another commit."""
    return Arm(name=f"base {commit[:10]}", command=_SERVE, paid=WARM.paid, pythonpath=str(tree / "src"))


@contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """A checkout of `commit` beside this one, for as long as the block lasts."""
    git = ["git", "-C", str(_BENCH), "worktree"]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "base")
        run([*git, "add", "--detach", str(tree), commit], check=True, capture_output=True)
        try:
            yield tree
        finally:
            run([*git, "remove", "--force", str(tree)], check=True, capture_output=True)
