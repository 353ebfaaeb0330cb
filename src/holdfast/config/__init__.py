"""Settings and places: one frozen `Config`, made at the door and passed down."""

from holdfast.config.load import load
from holdfast.config.paths import Paths
from holdfast.config.settings import Config

__all__ = ["Config", "Paths", "load"]
