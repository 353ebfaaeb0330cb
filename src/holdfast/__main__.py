"""`python -m holdfast` is the same as `hold`."""

import sys

from holdfast.cli import main

sys.exit(main())
