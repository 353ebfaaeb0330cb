"""Start a reader: `python -I -S holdfast/reader/__main__.py SPEC FD`.

Only the keeper does this. -S leaves out the site files; the packages we need are named in
the spec.
"""

import json
import sys


def main() -> int:
    spec = json.loads(sys.argv[1])
    sys.path[:0] = [spec["root"]]
    sys.path += spec["path"]
    from holdfast.errors import HoldfastError  # noqa: PLC0415 - the path is known only now
    from holdfast.reader import app  # noqa: PLC0415

    try:
        return app.run(spec, int(sys.argv[2]))
    except HoldfastError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the keeper shows it to whoever asks
        return 1


if __name__ == "__main__":
    sys.exit(main())
