"""The app behind the address: started, waited for, and started again under the same pages."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

from holdfast.client.aio import Client
from holdfast.dev.changes import History
from holdfast.dev.clients import Clients, Problem
from holdfast.dev.kinds import Script
from holdfast.dev.ports import Lent
from holdfast.dev.program import Program, environment, searched
from holdfast.dev.proxy import Proxy
from holdfast.dev.upstream import Address, answers
from holdfast.dev.voice import Failed, Voice
from holdfast.errors import HoldfastError
from holdfast.protocol.messages import SessionInfo

PATIENCE = 120.0  # seconds until the first answer; what compiles first takes many
GLANCE = 0.05  # seconds between two attempts
PROGRESS = 1.0  # seconds between two words on how long it takes


class Backend:
    """One app over all its lives."""

    def __init__(
        self, script: Script, url: Address | None, client: Client, *, environ: Mapping[str, str]
    ) -> None:
        self._script = script
        self._url = url
        self._client = client
        self._environ = environ
        self._lent = Lent(script.root) if script.takes_port else None
        self._program: Program | None = None
        self._again = asyncio.Event()
        self.voice = Voice()

    @property
    def name(self) -> str:
        """What it is called in what people read."""
        return " ".join(self._script.argv)

    @property
    def session(self) -> str:
        """The id of its session; empty before there is one."""
        session = self._program and self._program.session
        return session.id if session else ""

    def restart(self) -> None:
        """Somebody wants it to run again."""
        self._again.set()

    async def start(self) -> Address:
        """Return where it answers; raise Failed."""
        port = self._lent.port if self._lent else None
        argv = self._script.command(port) if port is not None else self._script.argv
        program = self._program = Program(self._client, self.voice.heard)
        await program.start(
            searched(argv, self._script.root),
            folder=self._script.root,
            environ=environment(self._environ, port),
            name=_session_name(self._script.root),
        )
        ended = asyncio.create_task(program.ended())
        looking = asyncio.create_task(self._answering(program))
        try:
            await asyncio.wait(
                [ended, looking], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED
            )
            if looking.done():
                return looking.result()
            if ended.done():
                raise self._died(ended.result(), program)
        finally:
            for task in (ended, looking):
                task.cancel()
            await asyncio.gather(ended, looking, return_exceptions=True)
        await program.stop()
        what = f"`{self.name}` has not answered for {PATIENCE:g} s"
        fix = "look at what it says; where it listens is told by --url"
        raise Failed(what, fix, program.tail())

    async def keep(self, proxy: Proxy, history: History, clients: Clients) -> None:
        """Have the pages say when it has ended, and come back with it; until cancelled."""
        while True:
            failed: Failed | None = await self._end()
            while failed is not None:
                proxy.address = None
                proxy.reason = failed.what
                text = "\n".join(failed.tail)
                clients.set_problem(Problem(title=failed.what, text=text, can_restart=True))
                self.voice.note(f"{failed.what}; a page has a button that starts it again")
                await self._again.wait()
                self._again.clear()
                clients.set_problem(Problem(title=f"Starting `{self.name}`", text=""))
                self.voice.status(f"starting `{self.name}` again")
                try:
                    proxy.address = await self.start()
                    failed = None
                except (Failed, HoldfastError) as error:
                    failed = _as_failed(error)
            self._again.clear()
            self.voice.status(f"`{self.name}` runs again")
            clients.set_problem(None)
            clients.tell_change(history.renew())

    async def _end(self) -> Failed:
        """Return how this life ended, once it has."""
        assert self._program is not None
        try:
            return self._died(await self._program.ended(), self._program)
        except HoldfastError as error:  # somebody has had the session forgotten
            return _as_failed(error)

    async def stop(self) -> None:
        """End it, and give its port back."""
        if self._program is not None:
            await self._program.stop()
        if self._lent is not None:
            self._lent.close()

    async def _answering(self, program: Program) -> Address:
        begin, said = time.monotonic(), 0.0
        while True:
            for address in self._where(program):
                if await answers(address):
                    return address
            waited = time.monotonic() - begin
            if waited - said >= PROGRESS:
                said = waited
                self.voice.status(f"waiting for `{self.name}` to answer: {waited:.0f} s")
            await asyncio.sleep(GLANCE)

    def _where(self, program: Program) -> list[Address]:
        """Return where it may listen, best first."""
        if self._url is not None:
            return [self._url]
        lent = [Address(port=self._lent.port)] if self._lent else []
        return lent + program.addresses

    def _died(self, info: SessionInfo, program: Program) -> Failed:
        how = "has ended"
        if info.exit_signal is not None:
            how = f"was ended by signal {info.exit_signal}"
        elif info.exit_code is not None:
            how = f"has ended with exit code {info.exit_code}"
        fix = f"`hold output {info.id}` has all that it said"
        root = self._script.root
        has_packages = (root / "node_modules").exists() or not (root / "package.json").exists()
        if info.exit_code == 127 and not has_packages:
            fix = (
                f"its packages are not installed: run `{self._script.argv[0]} install` there first"
            )
        return Failed(f"`{self.name}` {how}", fix, program.tail())


def _as_failed(error: Failed | HoldfastError) -> Failed:
    return error if isinstance(error, Failed) else Failed(error.what, error.fix)


def _session_name(folder: Path) -> str:
    name = "".join(each for each in folder.name if each.isprintable())
    return f"dev {name}"[:64]
