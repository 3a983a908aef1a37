"""On a terminal, what is not given is asked."""

import fcntl
import os
import pty
import select
import signal
import termios
import time

from tests.browser import end_group, start_group
from tests.cli.conftest import ROOT


def _as_from_a_shell():
    """What a person's shell does: Ctrl-C reaches the command, even if the tests were started with it ignored."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A command on a terminal of its own, and a person who waits for each question."""

    def __init__(self, home, *words):
        self.mine, its = pty.openpty()
        self.seen = ""
        self.process = start_group(
            home.line(*words),
            cwd=ROOT,
            env={**home.environment, "TERM": "xterm"},
            stdin=its,
            stdout=its,
            stderr=its,
            preexec_fn=_as_from_a_shell,
        )
        os.close(its)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            end_group(self.process)
        os.close(self.mine)

    def wait_for(self, text):
        """Reads until `text` has been shown, and forgets what came before it."""
        deadline = time.monotonic() + 30
        while text not in self.seen:
            assert time.monotonic() < deadline, f"never shown: {text!r} in {self.seen!r}"
            self.seen += self._read()
        self.seen = self.seen.partition(text)[2]

    def press_ctrl_c(self):
        """Presses it, and returns the exit code once the command has ended.

        Again while nothing happens, as a person would: one that comes in the instant in which a question appears is
        lost between Python's line editor and its wait for a key.
        """
        gives_up_at = time.monotonic() + 30
        while time.monotonic() < gives_up_at:
            os.write(self.mine, b"\x03")
            while select.select([self.mine], [], [], 2)[0]:
                if not self._read():
                    return self.process.wait(timeout=30)
        raise AssertionError(f"it did not end after {self.seen!r}")

    def type(self, text):
        os.write(self.mine, text.encode() + b"\n")

    def rest(self):
        """What is shown until the command has ended with exit code 0."""
        while piece := self._read():
            self.seen += piece
        assert self.process.wait(timeout=30) == 0
        return self.seen

    def _read(self):
        ready, _, _ = select.select([self.mine], [], [], 30)
        assert ready, f"nothing more was shown, and it did not end, after {self.seen!r}"
        try:
            return os.read(self.mine, 4096).decode()
        except OSError:  # Linux says so when the other side has closed
            return ""


def test_init_asks_for_what_it_was_not_told(home):
    with Terminal(home, "init") as terminal:
        terminal.wait_for("Name of the practice")
        terminal.type("Lakeside")
        terminal.wait_for("time zone")
        terminal.type("America/Chicago")
        terminal.wait_for("E-mail address of the administrator")
        terminal.type("rosa@practice.example")
        terminal.wait_for("password for rosa@practice.example")
        terminal.type("correct horse battery")
        terminal.wait_for("The same again")
        terminal.type("correct horse bakery")
        terminal.wait_for("not the same")
        for question in ("password for rosa@practice.example", "The same again"):
            terminal.wait_for(question)
            terminal.type("correct horse battery")
        shown = terminal.rest()
    assert "Lakeside (America/Chicago)" in shown
    assert "Sign in as rosa@practice.example" in shown
    assert "correct horse battery" not in shown


def test_an_empty_password_means_that_one_is_made_and_shown(home):
    with Terminal(home, "init", "--practice", "Lakeside", "--timezone", "UTC", "--admin", "r@p.example") as terminal:
        terminal.wait_for("password for r@p.example")
        terminal.type("")
        shown = terminal.rest()
    assert "password: " in shown


def test_long_work_shows_a_bar_on_a_terminal_and_none_in_a_pipe(home):
    home.done("init")
    with Terminal(home, "verify") as terminal:
        terminal.wait_for("Checking")
        assert "No problem found." in terminal.rest()
    assert home.done("verify") == "No problem found.\n"


def test_ctrl_c_at_a_question_leaves_nothing_behind(home):
    with Terminal(home, "init") as terminal:
        terminal.wait_for("Name of the practice")
        assert terminal.press_ctrl_c() == 1
    assert not home.data.exists()


def test_start_on_a_terminal_asks_and_then_serves(home):
    home.environment["THREADTIME_ADMIN_PASSWORD"] = "correct horse battery"
    with Terminal(home, "start", "--port", "0") as terminal:
        for question in ("Name of the practice", "time zone", "E-mail address"):
            terminal.wait_for(question)
            terminal.type("")
        terminal.wait_for("Threadtime serves on http://127.0.0.1:")
        terminal.wait_for("Load unpacked")
        terminal.wait_for("device token")
        assert terminal.press_ctrl_c() == 0
