"""The error tree: every code once, every sentence made from its facts."""

import pickle

import pytest

from holdfast import errors
from holdfast.errors import BY_CODE, Fact, HoldfastError, LimitReached, NotFound
from holdfast.protocol.codec import error_of, failure_of
from holdfast.protocol.messages import Failure

CODES = """
PROTOCOL_MISMATCH PROTOCOL_ERROR AUTH_FAILED INVALID_CLIENT_ID NOT_AUTHENTICATED
ALREADY_AUTHENTICATED ROLE_FORBIDDEN OWNER_REQUIRED NOT_FOUND SESSION_TERMINATING SESSION_GONE
LIMIT_REACHED INPUT_QUEUE_FULL INVALID_ARGUMENT INVALID_SIGNAL CWD_MISSING COMMAND_NOT_FOUND
PERMISSION_DENIED OFFSET_PRUNED DISK_FULL TIMEOUT IO_ERROR UNKNOWN_REQUEST MIRRORED NOT_CONNECTED
DAEMON_UNREACHABLE SUPERSEDED INTERNAL
""".split()  # noqa: SIM905 - twenty-eight quoted words are harder to compare with the design


def sample(kind: type[HoldfastError]) -> HoldfastError:
    """An error with a fact of the right type for each name."""
    kinds = {k: v for base in kind.__mro__ for k, v in getattr(base, "__annotations__", {}).items()}
    values: dict[object, Fact] = {str: "value", int: 7, float: 1.5}
    return kind(**{name: values[kinds[name]] for name in kind.fact_names})


def test_every_code_has_exactly_one_class() -> None:
    assert sorted(BY_CODE) == sorted(CODES)


@pytest.mark.parametrize("code", CODES)
def test_an_error_survives_the_wire(code: str) -> None:
    error = sample(BY_CODE[code])

    back = error_of(failure_of(error))

    assert type(back) is type(error)
    assert back.facts == error.facts
    assert str(back) == str(error)


@pytest.mark.parametrize("code", CODES)
def test_every_error_says_what_happened_with_its_values(code: str) -> None:
    error = sample(BY_CODE[code])

    assert error.what
    for value in error.facts.values():
        assert str(value) in str(error)
    assert "{" not in str(error)


@pytest.mark.parametrize("code", CODES)
def test_every_error_has_a_sentence_for_the_reference(code: str) -> None:
    assert (BY_CODE[code].__doc__ or "").endswith(".")


def test_a_missing_or_invented_fact_is_a_bug_of_the_caller() -> None:
    with pytest.raises(TypeError, match="needs the fact 'session'"):
        NotFound()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="no fact 'sesion'"):
        NotFound(session="a", sesion="b")  # type: ignore[call-arg]


def test_a_fact_with_a_default_may_be_left_out() -> None:
    assert "config.toml" in LimitReached(resource="sessions", limit=3).fix


def test_an_older_peer_that_lacks_a_fact_is_still_understood() -> None:
    error = error_of(Failure(code="NOT_FOUND", what="no session 'x'"))

    assert str(error) == "no session 'x'"


def test_errors_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(NotFound(session="x")))

    assert isinstance(error, NotFound)
    assert error.session == "x"


def test_the_tree_in_the_docstring_names_every_class() -> None:
    def all_below(kind: type[HoldfastError]) -> set[str]:
        # What another room makes of one of them, as `HandedBack`, has its code and its place.
        ours = [
            one for one in kind.__subclasses__() if one.__module__.startswith("holdfast.errors")
        ]
        return {kind.__name__}.union(*(all_below(child) for child in ours))

    assert errors.__doc__ is not None
    assert [name for name in all_below(HoldfastError) if name not in errors.__doc__] == []
