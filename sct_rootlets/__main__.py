"""``python -m sct_rootlets``: the same command as the console script."""

import sys

from sct_rootlets.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
