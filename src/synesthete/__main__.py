"""Run the command line with ``python -m synesthete``."""

import sys

from synesthete.cli import main

if __name__ == "__main__":
    sys.exit(main())
