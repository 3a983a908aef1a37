"""Exit codes are 0, 1 and 2, and what is wrong is one clear line."""

import pytest

DAYS = ("--from", "2026-04-01", "--to", "2026-04-30")


@pytest.mark.parametrize(
    "words",
    [
        ("user", "add", "--email", "a@b.example", "--name", "A", "--role", "staff"),
        ("portal", "add", "--key", "x", "--kind", "medplum", "--origin", "https://x.example"),
        ("device", "add", "--clinician", "a@b.example", "--name", "x"),
        ("report", *DAYS),
        ("export", "intervals"),
        ("verify",),
        ("backup", "b"),
        ("key", "rotate"),
        ("key", "show-recovery"),
        ("serve", "--port", "0"),
    ],
)
def test_without_a_data_folder_every_command_says_to_create_one(home, words):
    assert "init" in home.refused(*words)
    assert not home.data.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("no-such-command",),
        ("report",),
        ("report", "--from", "yesterday", "--to", "2026-04-30"),
        ("report", "--from", "2026-04-30", "--to", "2026-04-01"),
        ("report", *DAYS, "--as-of", "2026-04-06T12:00:00"),
        ("report", *DAYS, "--format", "word"),
        ("user", "add", "--email", "a@b.example", "--name", "A", "--role", "emperor"),
        ("serve", "--port", "a door"),
        ("evaluate",),
        ("evaluate", "no-such-file.json"),
    ],
)
def test_wrong_usage_has_its_own_exit_code(home, words):
    assert home.refused(*words, code=2).startswith("Error: ")


@pytest.mark.parametrize("form", ["xlsx", "pdf"])
def test_a_format_that_comes_later_is_refused_by_name(home, form):
    home.done("init")
    assert form in home.refused("report", *DAYS, "--format", form)


def test_a_key_that_others_can_read_is_refused(home):
    home.done("init")
    [key] = home.key_files()
    key.chmod(0o644)
    assert "chmod 600" in home.refused("verify")


def test_another_folders_key_is_refused(home, tmp_path):
    home.done("init")
    other = tmp_path / "other.key"
    other.write_bytes(bytes(32))
    other.chmod(0o600)
    assert "key" in home.refused("verify", THREADTIME_KEY_FILE=str(other))


def test_a_file_that_cannot_be_written_is_named(home):
    home.done("init")
    assert "/no/such/folder" in home.refused("report", *DAYS, "--out", "/no/such/folder/report.csv")


def test_the_server_stays_on_this_machine_unless_a_proxy_stands_in_front(home):
    home.done("init")
    assert "--behind-proxy" in home.refused("serve", "--host", "0.0.0.0", "--port", "0")


def test_a_second_server_on_the_folder_is_refused(home):
    home.done("init")
    home.serve()
    assert "Another process" in home.refused("serve", "--port", "0")


def test_help_names_every_command(home):
    text = home.done("--help")
    for command in ("init", "serve", "start", "user", "portal", "device", "evaluate", "report", "export", "verify"):
        assert command in text
    for command in ("backup", "restore", "doctor", "key"):
        assert command in text


def test_data_may_be_named_in_the_command(home, tmp_path):
    other = tmp_path / "elsewhere"
    home.done("init", "--data", str(other))
    assert other.is_dir()
    assert not home.data.exists()
