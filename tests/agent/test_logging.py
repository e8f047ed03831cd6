"""What other people's libraries may write into the server's log."""

import subprocess
import sys

LOG = """
import logging
from warmline.agent.serve import _configure_logging
_configure_logging("debug")
logging.getLogger("azure.identity._credentials.chained").warning("refused: X-IDENTITY-HEADER of-this-app")
logging.getLogger("warmline.credentials").warning("the identity endpoint gave no token")
"""


def test_azure_identity_does_not_quote_what_its_endpoint_answered():
    done = subprocess.run([sys.executable, "-c", LOG], capture_output=True, text=True, check=True)
    assert "gave no token" in done.stderr
    assert "of-this-app" not in done.stderr
