"""Classes that only hold values: dataclasses without their import.

That import would cost the keeper 1.2 MB for all its life. mypy checks the calls.
"""

from typing import Any, dataclass_transform


@dataclass_transform(eq_default=False)
class Plain:
    """Take the annotated values in their order or by their names; the rest keep their default."""

    def __init__(self, *values: Any, **named: Any) -> None:
        for name, value in zip(self.__annotations__, values, strict=False):
            setattr(self, name, value)
        for name, value in named.items():
            setattr(self, name, value)
