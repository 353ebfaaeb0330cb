"""Print what a session prints, and nothing else: `python examples/follow.py SESSION`.

It begins at the first byte that is kept and ends with the session. The daemon may die meanwhile.
"""

import sys

from holdfast.blocking import Chunk, Gap, connect


def follow(name: str) -> None:
    with connect(role="stream", label="follow") as client:
        for item in client.attach(name).output():
            if isinstance(item, Chunk):
                sys.stdout.buffer.write(item.data)
                sys.stdout.buffer.flush()
            elif isinstance(item, Gap):
                print(f"{item.start} to {item.end}: {item.reason}", file=sys.stderr)


if __name__ == "__main__":
    follow(sys.argv[1])
