"""The parts of the fault proxy; `tests.support.proxy` is its face."""
