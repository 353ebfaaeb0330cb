"""What is counted, and how it reads."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.metrics.counters import BOUNDS, LONGEST_ECHO, Counters, Histogram, Meter
from holdfast.metrics.exposition import Family, histogram_text, text_of


def test_an_echo_is_the_first_byte_after_the_oldest_key() -> None:
    counters = Counters()
    meter = Meter(counters)

    meter.typed(1, 10.0)
    meter.typed(2, 10.003)
    meter.printed(5, 10.004)
    meter.printed(7, 10.5)

    assert (counters.bytes_in, counters.bytes_out) == (3, 12)
    assert counters.echo.counts[BOUNDS.index(0.005)] == 1
    assert sum(counters.echo.counts) == 1


def test_what_comes_much_later_is_no_echo_and_hides_none() -> None:
    counters = Counters()
    meter = Meter(counters)

    meter.typed(1, 0.0)
    meter.printed(1, LONGEST_ECHO + 1)
    meter.typed(1, 20.0)
    meter.typed(1, 100.0)
    meter.printed(1, 100.0004)

    assert counters.echo.counts == [1] + [0] * len(BOUNDS)


@given(st.lists(st.floats(0, 10)))
def test_a_histogram_counts_each_once_below_its_bound(durations: list[float]) -> None:
    histogram = Histogram()
    for seconds in durations:
        histogram.add(seconds)

    upto = [sum(histogram.counts[: n + 1]) for n in range(len(BOUNDS))]
    assert upto == [sum(seconds <= bound for seconds in durations) for bound in BOUNDS]
    assert sum(histogram.counts) == len(durations)


def test_metrics_as_prometheus_reads_them() -> None:
    families = [
        Family("holdfast_connections", "gauge", "Clients\nnow.", "", {"": 3}),
        Family("holdfast_failures_total", "counter", "By code.", "code", {'a"b\\c': 2, "X": 1}),
    ]

    assert text_of(families).splitlines() == [
        "# HELP holdfast_connections Clients\\nnow.",
        "# TYPE holdfast_connections gauge",
        "holdfast_connections 3",
        "# HELP holdfast_failures_total By code.",
        "# TYPE holdfast_failures_total counter",
        'holdfast_failures_total{code="a\\"b\\\\c"} 2',
        'holdfast_failures_total{code="X"} 1',
    ]


def test_a_histogram_as_prometheus_reads_it() -> None:
    text = histogram_text("echo", "Help.", [0.1, 1.0], [2, 0, 1], 3.5)

    assert text.splitlines()[2:] == [
        'echo_bucket{le="0.1"} 2',
        'echo_bucket{le="1.0"} 2',
        'echo_bucket{le="+Inf"} 3',
        "echo_sum 3.5",
        "echo_count 3",
    ]
