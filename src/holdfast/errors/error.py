"""What every error has: its facts, and two sentences made from them."""

from typing import ClassVar, Self, dataclass_transform

Fact = str | int | float | bool | list[str] | None


@dataclass_transform(kw_only_default=True, eq_default=False)
class HoldfastError(Exception):
    """Base class, so that callers can catch everything at one edge."""

    code: ClassVar[str]
    status: ClassVar[int]  # the HTTP status that means the same
    what_template: ClassVar[str]
    fix_template: ClassVar[str]
    fact_names: ClassVar[tuple[str, ...]] = ()

    # Plain annotations instead of dataclasses: that import alone would cost every
    # `hold` command 10 ms.
    def __init_subclass__(cls) -> None:
        own = [name for name, kind in cls.__annotations__.items() if "ClassVar" not in str(kind)]
        cls.fact_names = (*cls.fact_names, *own)

    def __init__(self, **facts: Fact) -> None:
        super().__init__()
        for name in facts:
            if name not in self.fact_names:
                raise TypeError(f"{type(self).__name__} has no fact {name!r}")
        for name in self.fact_names:
            if name in facts:
                setattr(self, name, facts[name])
            elif not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} needs the fact {name!r}")
        self.what = self.what_template.format(**self.facts)
        self.fix = self.fix_template.format(**self.facts)

    @property
    def facts(self) -> dict[str, Fact]:
        return {name: getattr(self, name) for name in self.fact_names}

    def __str__(self) -> str:
        return f"{self.what}\n{self.fix}" if self.fix else self.what

    def __repr__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{type(self).__name__}({facts})"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.facts)

    def said(self, what: str, fix: str) -> Self:
        """Return this error in the words of the peer that raised it."""
        self.what, self.fix = what, fix
        return self


def _rebuild(kind: type[HoldfastError], facts: dict[str, Fact]) -> HoldfastError:
    return kind(**facts)
