"""`python -m warmline.emulators.openai`."""

import sys

from warmline.emulators.openai import main

if __name__ == "__main__":
    sys.exit(main())
