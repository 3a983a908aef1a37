"""Threadtime's backend: `python -m backend COMMAND`."""
