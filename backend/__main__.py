"""`python -m backend COMMAND`."""

from backend.cli import cli

cli(prog_name="python -m backend")
