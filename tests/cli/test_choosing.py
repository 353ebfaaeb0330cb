"""Which sessions a command means, and what it asks before it destroys."""

import pytest

from tests.support.hold import Hold

pytestmark = pytest.mark.slow


def three(hold: Hold) -> list[str]:
    return [hold.start("-n", name, "--", "sleep", "100") for name in ("a-1", "a-2", "b")]


def alive(hold: Hold) -> list[str]:
    return [each["name"] for each in hold.sessions()]


@pytest.mark.parametrize("words", [["kill", "a-*"], ["kill", "a-1", "a-2"], ["kill", "--all"]])
def test_more_than_one_is_refused_where_nobody_can_be_asked(hold: Hold, words: list[str]) -> None:
    three(hold)

    done = hold.run(*words)

    assert done.returncode == 2
    what, fix = done.stderr.decode().splitlines()
    assert what.endswith("sessions are meant, and nobody is there to be asked")
    assert "--yes" in fix
    assert alive(hold) == ["a-1", "a-2", "b"]


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["kill", "a-*", "--yes"], ["b"]),
        (["kill", "a-1", "a-1", "--now"], ["a-2", "b"]),
        (["kill", "a-[2-9]", "b", "--yes"], ["a-1"]),
        (["signal", "?-?", "KILL", "--yes"], ["b"]),
        (["kill", "--all", "--yes"], []),
    ],
)
def test_what_is_meant_is_done_to_all_of_them_and_to_no_other(
    hold: Hold, words: list[str], left: list[str]
) -> None:
    ids = three(hold)

    hold.ok(*words)
    for name, session in zip(("a-1", "a-2", "b"), ids, strict=True):
        if name not in left:
            hold.run("wait", session)

    assert alive(hold) == left


@pytest.mark.parametrize(("answer", "left"), [(b"y\n", ["b"]), (b"\n", ["a-1", "a-2", "b"])])
def test_on_a_terminal_it_is_asked_and_named(hold: Hold, answer: bytes, left: list[str]) -> None:
    ids = three(hold)
    asking = hold.terminal("kill", "a-*")

    asking.expect(f"{ids[0]} (a-1)  running  sleep 100")
    asking.expect("end 2 sessions? [y/N] ")
    asking.send(answer)
    _, code = asking.end()

    assert alive(hold) == left
    assert code == (0 if left == ["b"] else 1)


def test_a_glob_that_fits_nothing_is_an_error(hold: Hold) -> None:
    three(hold)

    done = hold.run("kill", "c-*", "--yes")

    assert done.returncode == 3
    assert b"no session 'c-*'" in done.stderr


def test_ended_ones_are_meant_where_they_can_be(hold: Hold) -> None:
    ids = three(hold)
    hold.ok("kill", "a-*", "--yes")

    hold.ok("restore", "a-*", "--yes")
    assert alive(hold) == ["a-1", "a-2", "b"]
    hold.ok("kill", "a-*", "--yes")
    hold.ok("clear", "*", "--yes")
    hold.ok("forget", "a-*", "--yes")
    assert [each["id"] for each in hold.sessions("--all")] == ids[2:]


def test_when_one_fails_the_others_are_done_all_the_same(hold: Hold) -> None:
    """Somebody else owns one of them."""
    ids = three(hold)
    owner = hold.terminal("claim", "a-1")
    owner.expect("is yours until Ctrl-C")

    done = hold.run("kill", *ids, "--yes")

    assert done.returncode == 6
    assert done.stderr.count(b"hold: ") == 1
    assert alive(hold) == ["a-1"]
    assert hold.sessions()[0]["owner"].startswith("terminal pts/")
    owner.send(b"\x03")
    assert owner.end()[1] == 0
    assert hold.sessions()[0]["owner"] is None


def test_a_takeover_is_told_and_a_release_frees(hold: Hold) -> None:
    session = hold.start("-n", "a", "--", "sleep", "100")
    first = hold.terminal("claim", "a")
    first.expect("is yours until Ctrl-C")
    assert hold.run("claim", "a").returncode == 6
    assert hold.run("release", "a").returncode == 6

    second = hold.terminal("takeover", "a", "--reason", "deploy at 5")
    second.expect("is yours until Ctrl-C")
    assert f"session {session} now belongs to terminal pts/".encode() in first.end()[0]
    assert first.child.exitstatus == 6
    assert "deploy at 5" in hold.ok("events", "a", "--json")

    hold.ok("release", "a", "--takeover")
    # To nobody: but for a moment it was the one's that released it.
    assert f"session {session} now belongs to ".encode() in second.end()[0]
    assert second.child.exitstatus == 6
    assert hold.run("release", "a").stderr.decode() == f"nobody owns session {session}\n"


def test_a_claim_ends_with_its_session(hold: Hold) -> None:
    hold.start("-n", "a", "--", "cat")
    claim = hold.terminal("claim", "a")
    claim.expect("is yours until Ctrl-C")

    hold.ok("kill", "a", "--now", "--takeover")
    _, code = claim.end()

    assert code in (5, 6)  # taken over by who kills it, or over already


def test_sizes_stay_when_who_set_them_has_left(hold: Hold) -> None:
    hold.start("-n", "a", "--", "sh", "-c", "trap 'stty size' WINCH; while :; do sleep 0.1; done")

    hold.ok("resize", "a", "101x33")

    hold.ok("output", "a", "--follow", "--until", "8")
    (session,) = hold.sessions()
    assert (session["cols"], session["rows"]) == (101, 33)
    assert hold.ok("output", "a") == "33 101\r\n"


@pytest.mark.parametrize("reader", ["on", "off"])
@pytest.mark.parametrize(("mode", "sent"), [("", "^[[A"), ("\\033[?1h", "^[OA")])
def test_cursor_keys_are_sent_as_the_program_wants_them(
    hold: Hold, mode: str, sent: str, reader: str
) -> None:
    """Also while the reader, that knows the modes, is not there."""
    hold.environ["HOLDFAST_READER_ENABLED"] = reader
    session = hold.start(
        "-n", "a", "--", "sh", "-c", f"stty -icanon; printf '{mode}.'; exec cat -v"
    )
    printed = len(mode.replace("\\033", "\x1b")) + 1
    hold.ok("output", session, "--follow", "--until", str(printed))

    hold.ok("send", "a", "x", "--keys", "Up,C-d,Esc,Comma", "--enter")

    expected = f"x{sent}^D^[,"
    until_both = str(printed + 2 * len(expected))
    shown = hold.run("output", session, "--follow", "--until", until_both)
    assert expected.encode() in shown.stdout.replace(b"\x1b[?1h", b"")
