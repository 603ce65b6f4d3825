"""``python -m benchmark.published``."""

import sys

from benchmark.published.table import main

if __name__ == "__main__":
    sys.exit(main())
