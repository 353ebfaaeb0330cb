"""Records of commands: reported by a mirrored session's client, kept, listed, told, forgotten."""

import itertools
import json
from collections.abc import Iterator

import pytest

from holdfast.client.blocking import Client
from holdfast.errors import InvalidArgument, NotFound, OwnerRequired
from holdfast.protocol.messages import (
    CommandRecord,
    Commands,
    Context,
    Forget,
    GetContext,
    RecordCommand,
)
from tests.support.home import Home, running_home
from tests.support.mirroring import Mirrorer

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with running_home(tmp_path_factory.mktemp("commands") / "h") as running:
        yield running


@pytest.fixture
def mine(home: Home) -> Iterator[Mirrorer]:
    with Mirrorer(home, f"sess{next(NUMBERS)}") as mirrorer:
        yield mirrorer


def records(client: Client, session: str, last: int = 0) -> list[CommandRecord]:
    return client.call(Commands(session=session, last=last)).records


def context(client: Client, session: str = "", **bounds: int) -> Context:
    return client.call(GetContext(session=session, **bounds))


def test_a_record_comes_back_with_every_field(mine: Mirrorer) -> None:
    record = CommandRecord(
        id="7",
        line="make -j4",
        cwd="/src",
        started=100.5,
        ended=103.0,
        exit_code=2,
        author="terminal pts/3",
        summary="error: no",
        offset=17,
        length=42,
    )
    mine.client.call(RecordCommand(session=mine.session, record=record))

    assert records(mine.client, mine.session) == [record]


def test_the_same_id_again_replaces_the_record(mine: Mirrorer) -> None:
    mine.record("1", "make", started=1.0)
    mine.record("2", "ls", started=2.0)
    mine.record("1", "make", started=1.0, ended=5.0, exit_code=0)

    assert [(r.line, r.exit_code) for r in records(mine.client, mine.session)] == [
        ("make", 0),
        ("ls", None),
    ]


def test_records_survive_the_end_and_a_daemon_that_is_killed(home: Home, mine: Mirrorer) -> None:
    mine.record("1", "make")
    mine.end(0)
    mine.record("2", "exit")  # the last one is known only now
    home.another_daemon(home.kill_daemon())
    with home.client() as client:
        assert [r.line for r in records(client, mine.session)] == ["make", "exit"]
    with Mirrorer(home, mine.session) as again:
        again.record("3", "make again")
        assert len(records(again.client, mine.session)) == 3


def test_the_newest_are_listed_and_the_others_counted(mine: Mirrorer) -> None:
    for number in range(5):
        mine.record(str(number), f"make {number}", started=float(number))

    listed = mine.client.call(Commands(session=mine.session, last=2))
    assert [r.id for r in listed.records] == ["3", "4"]
    assert listed.omitted == 3


def test_more_than_a_reply_holds_is_counted(mine: Mirrorer) -> None:
    for number in range(30):
        mine.record(str(number), "make", started=float(number), summary="x" * 100_000)

    listed = mine.client.call(Commands(session=mine.session))
    assert 1 < len(listed.records) < 30
    assert len(listed.records) + listed.omitted == 30
    assert listed.records[-1].id == "29"


@pytest.mark.parametrize(
    ("record", "argument"),
    [
        (CommandRecord(id="", line="x"), "id"),
        (CommandRecord(id="\n", line="x"), "id"),
        (CommandRecord(id="1", line="x" * (200 << 10)), "record"),
        (CommandRecord(id="1", line="x", offset=-1), "offset"),
    ],
)
def test_a_record_that_makes_no_sense_is_refused(
    mine: Mirrorer, record: CommandRecord, argument: str
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        mine.client.call(RecordCommand(session=mine.session, record=record))
    assert caught.value.argument == argument


def test_only_who_has_registered_a_session_reports_its_commands(home: Home, mine: Mirrorer) -> None:
    record = CommandRecord(id="1", line="x")
    with home.client() as other:
        with pytest.raises(OwnerRequired):
            other.call(RecordCommand(session=mine.session, record=record))
        with pytest.raises(NotFound):
            other.call(RecordCommand(session="n0body", record=record))
        session = home.create(other, "cat").id
        with pytest.raises(InvalidArgument, match="not a mirrored"):
            other.call(RecordCommand(session=session, record=record))
        assert records(other, session) == []


def test_context_tells_what_ran(mine: Mirrorer) -> None:
    mine.record("1", "make", started=100.0, ended=103.5, exit_code=2, summary="\x1b[31mno\x1b[0m")
    text = context(mine.client, mine.session)

    assert f"# session {mine.session}, running" in text.text
    assert "$ make\n  exit 2, after 3.5 s, 1970-01-01 " in text.text
    assert text.text.endswith("\n  no")
    assert (text.commands, text.omitted) == (1, 0)


def test_context_reads_what_has_no_summary_out_of_the_log(mine: Mirrorer) -> None:
    output = b"\x1b[1mfirst\x1b[0m\r\n" + b"x" * 50_000 + b"\r\nlast\r\n"
    mine.append(0, b"$ make\r\n" + output)
    mine.record("1", "make", offset=8, length=len(output))

    text = context(mine.client, mine.session).text
    assert "  first\n" in text
    assert text.endswith("  last")
    assert "left out" in text


def test_context_of_everything_is_by_session_and_of_what_runs(home: Home, mine: Mirrorer) -> None:
    mine.record("1", "older of one", started=1000.0)
    with Mirrorer(home, "an0ther", name="second") as other, Mirrorer(home, "ended1") as over:
        other.record("1", "newer", started=2000.0)
        over.record("1", "of one that ended", started=3000.0)
        over.end(0)
        text = context(mine.client).text
    assert text.index("older of one") < text.index("# session an0ther (second)")
    assert "of one that ended" not in text


def test_context_obeys_last_and_budget(mine: Mirrorer) -> None:
    for number in range(100):
        mine.record(str(number), f"make {number}", started=float(number + 1), summary="x" * 500)

    assert context(mine.client, mine.session, last=3).omitted == 97
    text = context(mine.client, mine.session, last=100, budget=2000)
    assert len(text.text) <= 2000
    assert text.commands + text.omitted == 100
    assert "make 99" in text.text
    for wrong in ({"last": 0}, {"budget": 0}, {"budget": 1 << 40}):
        with pytest.raises(InvalidArgument):
            context(mine.client, mine.session, **wrong)


def test_forget_takes_the_records_of_a_range_with_it(home: Home, mine: Mirrorer) -> None:
    """A secret that was printed is in the summary of its command too, and typed in its line."""
    mine.append(0, b"$ ls\r\nfile\r\n$ export T=very-secret-token\r\ndone\r\n$ date\r\nnow\r\n")
    mine.record("1", "ls", offset=6, length=6)
    mine.record("2", "export T=very-secret-token", offset=41, length=6, summary="done")
    mine.record("3", "date", offset=55, length=5)
    with home.client() as other:
        erased = other.call(Forget(session=mine.session, since=14, until=41, takeover=True))
        assert erased.found == []
        assert [r.id for r in records(other, mine.session)] == ["1", "3"]
    for path in home.paths.journal.parent.glob(home.paths.journal.name + "*"):
        assert b"very-secret-token" not in path.read_bytes()


def test_an_ended_session_that_is_forgotten_leaves_no_command(home: Home, mine: Mirrorer) -> None:
    mine.record("1", "export T=another-secret-token")
    mine.end(0)
    mine.client.call(Forget(session=mine.session))
    for path in home.paths.journal.parent.glob(home.paths.journal.name + "*"):
        assert b"another-secret-token" not in path.read_bytes()
    mine.register()
    assert records(mine.client, mine.session) == []


# -- `hold commands` and `hold context`


def test_hold_commands_lists_and_hold_context_tells(home: Home, mine: Mirrorer) -> None:
    mine.record("1", "make\nall", started=100.0, ended=103.5, exit_code=2, cwd="/src")
    lines = home.hold("commands", mine.session).splitlines()
    assert len(lines) == 2
    assert all(word in lines[1] for word in ("make", "all", "2", "3.5 s", "/src"))
    (listed,) = json.loads(home.hold("commands", mine.session, "--json"))
    assert (listed["session"], listed["line"], listed["exit_code"]) == (
        mine.session,
        "make\nall",
        2,
    )
    assert mine.session in home.hold("commands")
    assert "exit 2, after 3.5 s" in home.hold("context", mine.session, "--last", "5")
    told = json.loads(home.hold("context", mine.session, "--budget", "500", "--json"))
    assert (told["commands"], told["omitted"]) == (1, 0)
    assert "make" in told["text"]
    assert "mirrored" in next(
        line for line in home.hold("ls").splitlines() if line.startswith(mine.session)
    )
    assert "--last" in home.failing("context", "--last", "many")
