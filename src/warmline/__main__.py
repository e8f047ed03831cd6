"""`python -m warmline` is the `warmline` command."""

import sys

from warmline.cli import main

sys.exit(main())
