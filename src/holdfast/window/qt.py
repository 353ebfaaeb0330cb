"""The window itself; the only file that knows Qt.

Its loop owns the main thread of this process, and nothing but the window lives there. The page has
processes and connections of its own, so it goes on also while this thread is held up.
"""

import json
import os
import signal
import threading
import time
import webbrowser
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QObject, QSocketNotifier, Qt, QTimer, QUrl
from PySide6.QtGui import QCloseEvent, QIcon
from PySide6.QtWebEngineCore import (
    QWebEngineDownloadRequest,
    QWebEngineFullScreenRequest,
    QWebEngineNavigationRequest,
    QWebEngineNewWindowRequest,
    QWebEnginePage,
    QWebEnginePermission,
    QWebEngineProfile,
    QWebEngineSettings,
)
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QApplication, QMainWindow
from shiboken6 import delete

from holdfast.window import place
from holdfast.window.asked import HEIGHT, WIDTH, Look
from holdfast.window.channel import Channel
from holdfast.window.driving import FAULTS, Answer, obey
from holdfast.window.keeping import Kept
from holdfast.window.links import Leads, leads, origin_of

NAME = "Holdfast"
SETTLED = 500  # ms without a move until its place is written down
AGAIN_AFTER = 500  # ms
PRESENT_FOR = 2.0  # seconds in which it is not said again that somebody is there
MOST_CRASHES = 5  # of the page's process, until a person has to look
ICON = Path(__file__).with_name("icon.svg")
ALLOWED = (
    QWebEngineSettings.WebAttribute.JavascriptCanAccessClipboard,  # programs copy into it (OSC 52)
    QWebEngineSettings.WebAttribute.FullScreenSupportEnabled,
)
GRANTED = (
    QWebEnginePermission.PermissionType.ClipboardReadWrite,
    QWebEnginePermission.PermissionType.Notifications,
)
Link = QWebEngineNavigationRequest.NavigationType.LinkClickedNavigation


def show(url: str, look: Look, channel: Channel) -> int:
    """Show *url* until the window is closed; return the exit code."""
    app = QApplication([NAME])
    app.setApplicationName(NAME)
    app.setDesktopFileName("holdfast")
    app.setWindowIcon(QIcon(str(ICON)))
    with Kept.of(look.keep) as kept:
        window = Window(url, look, channel, kept)
        awake = _close_on_signals(window)
        code: int = app.exec()
        window.let_go()
        awake.setEnabled(False)
    return code


class Page(QWebEnginePage):
    """A page whose words are for those alone who debug it."""

    def __init__(self, profile: QWebEngineProfile, parent: QMainWindow, *, talks: bool) -> None:
        super().__init__(profile, parent)
        self._talks = talks

    def javaScriptConsoleMessage(self, *words: Any) -> None:  # noqa: N802 - Qt's name
        """Print what the page logs, or nothing: it could name what is in an address."""
        if self._talks:
            super().javaScriptConsoleMessage(*words)


class Window(QMainWindow):
    """One page in one window."""

    def __init__(self, url: str, look: Look, channel: Channel, kept: Kept) -> None:
        super().__init__()
        self._url, self._look, self._channel, self._kept = url, look, channel, kept
        self._crashes = 0
        self._present_until = 0.0
        self._moved = QTimer(self, singleShot=True, interval=SETTLED)
        self._moved.timeout.connect(self._remember)
        self.setWindowTitle(look.title or NAME)
        self._profile = self._new_profile()
        self._page = Page(self._profile, self, talks=look.debug)
        self._view = QWebEngineView(self)
        self._view.setPage(self._page)
        self.setCentralWidget(self._view)
        self._tools = self._developer_tools() if look.debug else None
        self._connect()
        self._restore()
        self._page.setUrl(QUrl(url))
        self.show()
        self._view.setFocus()
        channel.tell(event="shown")
        if channel.commands >= 0:
            self._commands = QSocketNotifier(channel.commands, QSocketNotifier.Type.Read, self)
            self._commands.activated.connect(self._obey)

    def let_go(self) -> None:
        """End the page before the profile it writes into; what Qt would do is the other way."""
        delete(self._page)
        delete(self._profile)

    def _new_profile(self) -> QWebEngineProfile:
        if self._kept.storage is None:
            return QWebEngineProfile(self)
        profile = QWebEngineProfile("window", self)
        profile.setPersistentStoragePath(str(self._kept.storage))
        profile.setCachePath(str(self._kept.storage / "cache"))
        profile.setHttpCacheType(QWebEngineProfile.HttpCacheType.MemoryHttpCache)
        return profile

    def _connect(self) -> None:
        page = self._page
        for attribute in ALLOWED:
            page.settings().setAttribute(attribute, True)
        # What the engine cannot load it would hand to the desktop by itself.
        page.settings().setUnknownUrlSchemePolicy(
            QWebEngineSettings.UnknownUrlSchemePolicy.DisallowUnknownUrlSchemes
        )
        page.loadFinished.connect(self._loaded)
        page.titleChanged.connect(self._entitle)
        page.windowCloseRequested.connect(self.close)
        page.renderProcessTerminated.connect(self._mend)
        page.navigationRequested.connect(self._navigate)
        page.newWindowRequested.connect(self._leave)
        page.permissionRequested.connect(self._permit)
        page.fullScreenRequested.connect(self._fill)
        page.profile().downloadRequested.connect(QWebEngineDownloadRequest.accept)

    # -- what the page wants

    def _loaded(self, ok: bool) -> None:
        # What gets the input is a part of the view, and another one for each site.
        if (part := self._view.focusProxy()) is not None:
            part.installEventFilter(self)
        self._channel.tell(event="loaded", ok=ok)

    def _entitle(self, title: str) -> None:
        if not self._look.title:
            self.setWindowTitle(title or NAME)

    def _navigate(self, request: QWebEngineNavigationRequest) -> None:
        """Keep links of the page from replacing it; what it does by itself is its own business."""
        if not request.isMainFrame() or request.navigationType() is not Link:
            return
        if not self._follow(request.url()):
            request.reject()

    def _leave(self, request: QWebEngineNewWindowRequest) -> None:
        """Have a new window where links are usually opened; this one has no tabs."""
        if self._follow(request.requestedUrl()):
            webbrowse(request.requestedUrl().toString())

    def _follow(self, url: QUrl) -> bool:
        """Return whether it leads here; hand it on if it leads outside."""
        where = leads(url.toString(), self._url)
        if where is Leads.OUTSIDE:
            webbrowse(url.toString())
        return where is Leads.HERE

    def _permit(self, permission: QWebEnginePermission) -> None:
        """Grant what a terminal needs, to the page that is shown; no camera, no microphone."""
        is_own = origin_of(permission.origin().toString()) == origin_of(self._url)
        if is_own and permission.permissionType() in GRANTED:
            permission.grant()
        else:
            permission.deny()

    def _fill(self, request: QWebEngineFullScreenRequest) -> None:
        request.accept()
        if request.toggleOn():
            self.showFullScreen()
        else:
            self.showNormal()

    def _mend(self, *_: object) -> None:
        """The page's process has died: load it again, unless it dies of what it shows."""
        self._crashes += 1
        if self._crashes <= MOST_CRASHES:
            QTimer.singleShot(AGAIN_AFTER, self._page, lambda: self._page.setUrl(QUrl(self._url)))

    def _developer_tools(self) -> QWebEngineView:
        """Open the developer tools: in this process, so that no port has to be opened."""
        tools = QWebEngineView()
        tools.setWindowTitle(f"{NAME}: developer tools")
        tools.resize(WIDTH, HEIGHT)
        self._page.setDevToolsPage(tools.page())
        tools.show()
        return tools

    # -- where it is

    def _restore(self) -> None:
        is_known = self.restoreGeometry(QByteArray(place.read(self._kept.place)))
        if not is_known:
            self.resize(WIDTH, HEIGHT)
        if self._look.width or self._look.height:
            self.setWindowState(Qt.WindowState.WindowNoState)
            self.resize(self._look.width or self.width(), self._look.height or self.height())

    def _remember(self) -> None:
        if not self.isFullScreen():
            place.write(self._kept.place, bytes(self.saveGeometry().data()))

    def event(self, event: QEvent) -> bool:
        """Note that it has moved; once it rests, its place is written down."""
        changed = (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.WindowStateChange)
        if event.type() in changed:
            self._moved.start()
        elif event.type() is QEvent.Type.WindowActivate:
            self._tell_presence()
        return bool(super().event(event))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Note that somebody is there, who clicks or types; the page gets it all the same."""
        if event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.KeyPress):
            self._tell_presence()
        return bool(super().eventFilter(watched, event))

    def _tell_presence(self) -> None:
        if time.monotonic() >= self._present_until:
            self._present_until = time.monotonic() + PRESENT_FOR
            self._channel.tell(event="active")

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """The end: a page that wants to ask first is not asked."""
        self._remember()
        event.accept()
        if self._tools is not None:
            self._tools.close()
        QApplication.exit(0)

    # -- commands

    def _obey(self) -> None:
        commands = self._channel.read()
        if commands is None:
            self._commands.setEnabled(False)
            self.close()
            return
        for command in commands:
            told = partial(self._channel.tell, id=command.get("id"))
            try:
                obey(self, command, lambda value, told=told: told(value=value))  # type: ignore[misc]
            except FAULTS as error:
                told(error=str(error))

    def evaluate(self, script: str, answer: Answer) -> None:
        """Answer with the value of an expression, which no policy of the page forbids."""
        # As text: Qt's own conversion loses lists within lists.
        as_text = f"JSON.stringify({{value: (\n{script}\n)}})"

        def convert(text: object) -> None:
            answer(json.loads(text).get("value") if isinstance(text, str) and text else None)

        self._page.runJavaScript(as_text, 0, convert)

    def screenshot(self, file: str) -> bool:
        """Write what is seen."""
        return bool(self._view.grab().save(file, "PNG"))

    def state(self) -> dict[str, object]:
        """Return what it looks like from outside."""
        return {
            "title": self.windowTitle(),
            "x": self.x(),
            "y": self.y(),
            "width": self.width(),
            "height": self.height(),
            "maximised": self.isMaximized(),
            "platform": QApplication.platformName(),
            "keeps": self._kept.storage is not None,
        }

    def arrange(self, sides: Mapping[str, int], *, maximised: bool | None) -> None:
        """Do what a window manager does."""
        if maximised is not None:
            (self.showMaximized if maximised else self.showNormal)()
        if sides.keys() & {"width", "height"}:
            self.resize(sides.get("width", self.width()), sides.get("height", self.height()))
        if sides.keys() & {"x", "y"}:
            self.move(sides.get("x", self.x()), sides.get("y", self.y()))

    def block(self, seconds: float) -> list[float]:
        """Hold this thread up, as a dialog or a slow call of a program would."""
        begin = time.time()
        time.sleep(seconds)
        return [begin, time.time()]


def webbrowse(url: str) -> None:
    """Open the browser of the person; not on this thread, for some come back only when left."""
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _close_on_signals(window: Window) -> QSocketNotifier:
    """Close the window when told to end; Qt's loop is woken by a pipe, and not by a clock."""
    to_read, to_write = os.pipe()
    os.set_blocking(to_write, False)
    signal.set_wakeup_fd(to_write, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: window.close())
    awake = QSocketNotifier(to_read, QSocketNotifier.Type.Read)
    awake.activated.connect(lambda: os.read(to_read, 64))
    return awake
