"""What a person can type, set, call or read stands in the documentation."""

import re
from dataclasses import fields

import click
import pytest

from backend.audit import ACTIONS
from backend.audit_words import AUDIT_ACTIONS
from backend.cli import cli
from backend.config import Config
from backend.reports.columns import COLUMNS
from backend.schemas.kinds import KINDS
from tests.house.tree import ROOT, documents, files, name


def commands(group: click.Group = cli, words: tuple[str, ...] = ()):
    """Each command with the words that call it: ("user add", the command)."""
    for word, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, (*words, word))
        else:
            yield " ".join((*words, word)), command


def section(page: str, heading: str) -> str:
    """What stands under a heading of a page; empty where the heading is missing."""
    found = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", (ROOT / page).read_text(), re.M | re.S)
    return found[1] if found else ""


@pytest.mark.parametrize(("words", "command"), list(commands()))
def test_every_command_and_option_is_documented(words, command):
    text = section("docs/commands.md", words)
    assert text, f"docs/commands.md lacks ## {words}"
    options = [option for parameter in command.params for option in parameter.opts if option.startswith("-")]
    assert [option for option in options if f"`{option}" not in text] == []


def test_no_command_is_documented_that_is_not_there():
    documented = re.findall(r"^## (.+)$", (ROOT / "docs/commands.md").read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(words for words, _ in commands())


@pytest.mark.parametrize("words", [words for words, _ in commands()])
def test_every_command_explains_itself(words):
    *groups, last = words.split()
    command = cli
    for word in (*groups, last):
        command = command.commands[word]
    assert command.help
    assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == []


def test_every_setting_of_the_server_is_documented():
    text = (ROOT / "docs/settings.md").read_text()
    assert [field.name for field in fields(Config) if f"`{field.name}`" not in text] == []


def test_every_environment_variable_is_documented_and_read():
    read = {found for file in files("backend", ".py") for found in re.findall(r"THREADTIME_[A-Z_]+", file.read_text())}
    documented = set(re.findall(r"THREADTIME_[A-Z_]+", (ROOT / "docs/settings.md").read_text()))
    assert documented == read


def test_every_column_of_a_report_is_documented():
    text = section("docs/commands.md", "report")
    assert [column.key for column in COLUMNS if f"`{column.key}`" not in text] == []


def test_every_route_is_documented(app):
    rules = {re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.rule) for rule in app.url_map.iter_rules()}
    text = documents()
    assert sorted(rule for rule in rules if f"`{rule}`" not in text and f" {rule}`" not in text) == []


def test_every_link_between_the_documents_leads_somewhere():
    dead = []
    for page in [*ROOT.glob("*.md"), *files("docs", ".md"), *files("shared_rules", ".md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                dead.append(f"{name(page)}: {target}")
    assert dead == []


def test_every_test_that_a_page_names_is_there():
    pages = {page: page.read_text() for page in files("docs", ".md")}
    named = {(page, name) for page, text in pages.items() for name in re.findall(r"tests/[\w/]+(?:\.\w+)+", text)}
    assert len(named) > 20
    assert [(str(page), name) for page, name in named if not (ROOT / name).is_file()] == []


ASVS = """
1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 4.2:1 4.3:2 4.4:4 5.1:1 5.2:3
5.3:2 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4 7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2 8.1:2 8.2:3 8.3:1 8.4:1 9.1:3
9.2:4 10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 10.7:3 11.1:2 11.2:3 11.3:3 11.4:4 11.5:1 11.6:1 12.1:3 12.2:2 12.3:4
13.1:1 13.2:5 13.3:2 13.4:5 14.1:2 14.2:4 14.3:3 15.1:3 15.2:3 15.3:7 16.1:1 16.2:5 16.3:4 16.4:3 16.5:3 17.1:1 17.2:4
17.3:2
"""
"""Section and number of its items of levels 1 and 2, which come first in each; of version 5.0.0."""


def test_every_item_of_the_asvs_is_answered_once():
    sections = [each.split(":") for each in ASVS.split()]
    items = {f"{section}.{number}" for section, last in sections for number in range(1, int(last) + 1)}
    _, _, tables = (ROOT / "docs/asvs.md").read_text().partition("## V1 ")
    lines = re.findall(r"^(?:\| [\d., ]+ \||17.+$)", tables, re.MULTILINE)
    answered = [item for line in lines for item in re.findall(r"\d+\.\d+\.\d+", line)]
    assert len(items) == 253
    assert sorted(answered) == sorted(items)


def test_every_page_of_the_documentation_is_in_its_index():
    index = (ROOT / "docs/README.md").read_text()
    pages = [str(page.relative_to(ROOT / "docs")) for page in files("docs", ".md")]
    assert [page for page in pages if page != "README.md" and f"({page})" not in index] == []


def test_every_kind_of_fact_is_documented_with_its_fields_and_key():
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section("docs/api.md", "Facts"), re.MULTILINE))
    assert list(KINDS) == [kind for kind in rows if kind in KINDS]
    for kind in KINDS.values():
        about, meaning, names, key = rows[kind.name].split(" | ")
        assert (about, meaning) == (kind.about, kind.meaning)
        written = [(f"**`{each.name}`**" if each.needed else f"`{each.name}`") for each in kind.fields]
        assert names == ", ".join(written)
        assert re.findall(r"`(\w+)`", key) == list(kind.key)


def test_who_may_say_which_fact_is_documented():
    text = section("docs/permissions.md", "Who may say which fact")
    roles = re.search(r"^\| kind \| (.*) \|$", text, re.MULTILINE)[1].split(" | ")
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE)
    assert [kind for kind, _ in rows] == list(KINDS)
    for kind, cells in rows:
        said_by = {role for role, cell in zip(roles, cells.split(" | "), strict=True) if cell == "yes"}
        assert said_by == KINDS[kind].said_by


def test_every_action_of_the_audit_has_its_words():
    assert set(AUDIT_ACTIONS) == set(ACTIONS)
