"""Record the golden bytes of this version: `python tools/golden.py > tests/golden/…`.

Until the first release shapes may change and this is run again. After it, a file that
was released is never written again: add a new one beside it.
"""

from holdfast.protocol import codec
from tests.support.samples import SAMPLES, frame_of

print("# One sample of every message of protocol 1: name, frame in hex.")
for name, message in SAMPLES.items():
    print(f"{name}\t{codec.encode(*frame_of(name), message).hex()}")
