"""A live line in terminals that can, plain lines elsewhere."""

import io

import pytest

from mmreid_ext.cli.screen.terminal import Terminal


class Tty(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")


def test_a_pipe_gets_plain_lines_of_any_length():
    file = io.StringIO()
    terminal = Terminal(file, {})
    terminal.change("never seen")
    terminal.line("x" * 200)
    terminal.line("[red]no markup[/red]")
    terminal.clear()
    assert file.getvalue() == "x" * 200 + "\n[red]no markup[/red]\n"


def test_a_terminal_shows_the_live_line_below_the_others_and_forgets_it():
    file = Tty()
    terminal = Terminal(file, {})
    terminal.change("iter 1/2")
    terminal.line("a note")
    terminal.change("iter 2/2")
    terminal.clear()
    text = file.getvalue()
    assert text.index("iter 1/2") < text.index("a note") < text.index("iter 2/2")
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1  # the cursor is back
    assert text.endswith("\x1b[2K")  # and the line is gone


def test_a_live_line_never_wraps():
    file = Tty()
    terminal = Terminal(file, {})
    terminal.change("y" * 200)
    assert file.getvalue().count("y") < terminal.width


@pytest.mark.parametrize("changes", [dict(CI="true"), dict(TERM="dumb")])
def test_build_servers_and_simple_terminals_get_plain_lines(changes, monkeypatch):
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    assert Terminal(Tty(), {}).can_change == ("CI" in changes)
    assert not Terminal(Tty(), changes).can_change
