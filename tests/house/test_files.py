"""A file is short, says what it is for, and is named for that."""

import ast
import re

from tests.house.tree import ROOT, files, name

LONGEST = 400
EMPTY_NAMES = {"util", "utils", "helper", "helpers", "common", "misc", "service", "services", "manager", "managers"}
CODE = (".py", ".js", ".jsx", ".html", ".css", ".sql", ".ts")


def code():
    return [file for folder in ("backend", "extension", "shared_rules", "tests") for file in files(folder, *CODE)]


def test_no_file_of_code_is_longer_than_a_person_reads_at_once():
    lengths = {name(file): len(file.read_text().splitlines()) for file in code()}
    assert {file: lines for file, lines in lengths.items() if lines > LONGEST} == {}


def test_no_file_is_named_for_being_useful():
    named = [file for file in code() if EMPTY_NAMES & set(re.split(r"[._-]", file.name.lower()))]
    named += [file for file in code() if EMPTY_NAMES & set(file.relative_to(ROOT).parts[:-1])]
    assert [name(file) for file in named] == []


def test_every_module_says_what_it_is_for():
    modules = [file for folder in ("backend", "shared_rules", "tests") for file in files(folder, ".py")]
    modules = [file for file in modules if not file.name.startswith("test_")]  # there every test is a sentence
    silent = [
        file for file in modules if file.read_text().strip() and not ast.get_docstring(ast.parse(file.read_text()))
    ]
    assert [name(file) for file in silent] == []


def test_no_test_is_left_out():
    left_out = re.compile(
        r"pytest\.(skip|importorskip|xfail)|mark\.(skip|skipif|xfail)\b|\b(it|test|describe)\.(skip|todo|only)\b"
    )
    found = [file for file in files("tests", ".py", ".js") if left_out.search(file.read_text())]
    assert [name(file) for file in found if file.name != "test_files.py"] == []


def test_only_the_command_line_and_tests_make_the_app():
    imports = re.compile(
        r"^\s*(from backend\.app import|from backend import .*\bapp\b|import backend\.app)", re.MULTILINE
    )
    assert [name(file) for file in files("backend", ".py") if imports.search(file.read_text())] == ["backend/cli.py"]


def test_only_the_store_opens_a_folder_without_its_audits_key():
    opens = re.compile(r"\bopen_store\(")
    assert [name(file) for file in files("backend", ".py") if opens.search(file.read_text())] == [
        "backend/store/database.py"
    ]
