"""The core can be installed and imported without a single dependency."""

import importlib.util
import subprocess
import sys

import pytest

pytestmark = pytest.mark.core

CORE = ["warmline", *(f"warmline.{name}" for name in ("errors", "events", "clock"))]
CORE_TO_COME = [f"warmline.{name}" for name in ("sizing", "pool", "startup", "testing")]

LIST_FOREIGN_MODULES = """
import importlib, sys
before = set(sys.modules)
importlib.import_module({module!r})
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(loaded - sys.stdlib_module_names - {{"warmline"}}))
"""


@pytest.mark.parametrize("module", CORE + [name for name in CORE_TO_COME if importlib.util.find_spec(name)])
def test_importing_it_loads_the_standard_library_alone(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LIST_FOREIGN_MODULES.format(module=module)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, [], "")


def test_the_package_itself_requires_nothing() -> None:
    from importlib.metadata import requires

    unconditional = [each for each in requires("warmline") or [] if "extra ==" not in each]
    assert unconditional == []
