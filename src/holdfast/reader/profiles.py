"""From what a terminal has said of itself to what is answered on its behalf."""

from msgspec.structs import asdict

from holdfast.protocol.about_viewing import Profile as Told
from holdfast.reader.model import Profile


def profile_of(told: Told | None) -> Profile:
    """Return the profile to answer by; what was not told is as nobody's terminal has it."""
    if told is None:
        return Profile()
    known = {name: value for name, value in asdict(told).items() if value}
    if told.attributes:
        known["conformance"], *features = known.pop("attributes")
        known["features"] = tuple(features)
    if told.cell is not None:
        known["cell_width"], known["cell_height"] = known.pop("cell")
    return Profile(**known)
