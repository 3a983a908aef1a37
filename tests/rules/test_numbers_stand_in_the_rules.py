"""Days, minutes, years and codes stand in rules/*.json: the engines hold none."""

import ast
import re

import pytest
from judges import DOCUMENTS, SHARED

PLAIN = {0, 1, 2}  # no, one, and the width of two digits; thresholds begin where these end
NAMED = {"SECONDS_A_MINUTE", "LARGEST_INTEGER"}  # units of measure, which no rule can change


def python_numbers(source):
    tree = ast.parse(source)
    units = [
        node for statement in tree.body if isinstance(statement, ast.Assign) and statement.targets[0].id in NAMED
        for node in ast.walk(statement)
    ]  # fmt: skip
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and type(node.value) in (int, float) and node not in units
    ]


def javascript_numbers(source):
    """Numbers outside comments and texts; an expression inside a template text counts."""
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", source, flags=re.DOTALL)
    code = re.sub(r"^const SECONDS_A_MINUTE = 60;$", "", code, flags=re.MULTILINE)
    code = re.sub(r'"[^"\n]*"|/\^?[^/\n ]+/g?', "", code)
    code = re.sub(r"`[^`]*`", lambda text: " ".join(re.findall(r"\$\{([^}]*)\}", text[0])), code)
    return [float(number) for number in re.findall(r"(?<![\w$.])\d[\d_.]*", code)]


@pytest.mark.parametrize("name", ["engine.py", "conditions.py"])
def test_the_python_engine_holds_no_threshold(name):
    assert set(python_numbers((SHARED / name).read_text())) <= PLAIN


def test_the_javascript_engine_holds_no_threshold():
    assert set(javascript_numbers((SHARED / "engine.js").read_text())) <= PLAIN


def test_the_search_for_numbers_finds_one():
    assert python_numbers("DAYS = 7\nSECONDS_A_MINUTE = 60") == [7]
    assert javascript_numbers('const days = 7; // 8\nconst a = "9" + `${b + 10}`;') == [7, 10]


def test_the_engines_name_no_code_and_no_parameter_of_the_rules():
    parameters = {name for document in DOCUMENTS for name in document["parameters"]}
    for name in ("engine.py", "conditions.py", "engine.js"):
        source = (SHARED / name).read_text()
        if name == "engine.py":
            source = source.replace(ast.get_docstring(ast.parse(source), clean=False), "")
        assert not re.findall(r"\b(99[0-9]{3}|98[0-9]{3}|G[0-9]{4})\b", source)
        named = {word for word in re.findall(r"\b[a-z0-9_]+\b", source) if word in parameters}
        assert named <= {"ctbs_codes"}, "the one in a docstring's example"


def test_the_javascript_engine_reaches_for_nothing_outside_itself():
    source = (SHARED / "engine.js").read_text()
    assert not re.search(r"\b(chrome|browser|fetch|require|process|import\(|Date\.now|Math\.random)\b|^import ", source)
    assert "new Date()" not in source
