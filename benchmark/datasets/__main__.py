"""``python -m benchmark.datasets``."""

import sys

from benchmark.datasets.catalogue import main

if __name__ == "__main__":
    sys.exit(main())
