"""`hold stats`: what the daemon counts, for people; `hold daemon metrics` is for Prometheus."""

from argparse import Namespace

from holdfast.cli import door, health, render
from holdfast.cli.exits import OK, one_line
from holdfast.protocol.messages import GetStats, Role


def stats(values: Namespace) -> int:
    """Show what is counted; starts no daemon, it would have counted nothing."""
    with door.client(Role.STREAM, autostart=False) as client:
        found = client.call(GetStats())
    fields = {name: getattr(found, name) for name in found.__struct_fields__}
    if values.json:
        print(render.as_json(fields))
        return OK
    rows = [
        ("since", f"{render.age(render.clock() - found.started)}, {found.restarts} restarts"),
        *health.counted(fields),
        ("given up", f"{render.size(found.pruned)} to stay in bounds, {found.gaps} gaps told"),
        *((f"error {code}", str(count)) for code, count in sorted(found.failures.items())),
    ]
    width = max(len(name) for name, _ in rows) + 2
    print("\n".join(f"{name:{width}}{one_line(text)}" for name, text in rows))
    return OK
