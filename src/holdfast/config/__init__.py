"""Settings and places: one frozen `Config`, made at the door and passed down."""

TYPE_CHECKING = False  # as in `holdfast`
if TYPE_CHECKING:
    from holdfast.config.paths import Paths
    from holdfast.config.settings import Config

__all__ = ["Config", "Paths"]
_HOME = {"Config": "settings", "Paths": "paths"}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # `hold ls` needs to know where the socket is, and nothing of what can be set.
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415

        found = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        return found
