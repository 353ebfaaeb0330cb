"""Classes that only hold values, and words for types: without dataclasses and typing.

Those imports would cost the keeper 1.2 and 0.6 MB for all its life. mypy checks as if they
were there.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, dataclass_transform
else:
    Any = object

    def dataclass_transform(**_):
        return lambda kind: kind


@dataclass_transform(eq_default=False)
class Plain:
    """Take the annotated values in their order or by their names; the rest keep their default."""

    def __init__(self, *values: Any, **named: Any) -> None:
        for name, value in zip(self.__annotations__, values, strict=False):
            setattr(self, name, value)
        for name, value in named.items():
            setattr(self, name, value)


__all__ = ["TYPE_CHECKING", "Any", "Plain"]
