"""What a host counts, as text for Prometheus."""

from holdfast.host.host import Host
from holdfast.metrics.exposition import Family, text_of


def measures(host: Host) -> str:
    """Return the metrics of this host."""
    return text_of(
        [
            _one("holdfast_host_tabs", "gauge", "Tabs that are told things.", host.tabs),
            _one("holdfast_host_views", "gauge", "Terminals in them.", host.views),
            _one(
                "holdfast_host_messages_total",
                "counter",
                "Messages that tabs were sent.",
                host.load.messages,
            ),
        ]
    )


def _one(name: str, kind: str, help_: str, value: int) -> Family:
    return Family(name, kind, help_, "", {"": value})
