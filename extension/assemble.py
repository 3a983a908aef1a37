"""Assembles extension/ and shared_rules/ into one folder that a browser loads, byte for byte; nothing is transpiled.

    python extension/assemble.py [--grant HOST_PATTERN]... [--out DIR] [--zip FILE]

`--grant` writes host permissions into the manifest of a practice's own package, which then asks nobody for them; tests
need it because a prompt cannot be answered there.
The zip is the same bytes wherever and whenever it is made: files sorted, times and modes fixed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTENSION = ROOT / "extension"
RULES = ROOT / "shared_rules"
SHIPPED = ("LICENSE",)
# What checks the sources but does not run, and so is not shipped.
LEFT_OUT = {"assemble.py", "tsconfig.json"}
LEFT_OUT_SUFFIXES = {".ts", ".py", ".pyc"}
RULES_SHIPPED = ("engine.js", "facts.json", "rules/*.json")
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def sources() -> dict[str, Path]:
    """Every shipped file by its path in the extension, sorted."""
    found: dict[str, Path] = {}
    for path in EXTENSION.rglob("*"):
        if path.is_file() and path.name not in LEFT_OUT and path.suffix not in LEFT_OUT_SUFFIXES:
            found[path.relative_to(EXTENSION).as_posix()] = path
    for pattern in RULES_SHIPPED:
        for path in RULES.glob(pattern):
            found[f"shared_rules/{path.relative_to(RULES).as_posix()}"] = path
    for name in SHIPPED:
        if (ROOT / name).is_file():
            found[name] = ROOT / name
    return dict(sorted(found.items()))


def assemble(out: Path, grants: list[str] | None = None) -> list[str]:
    """Makes `out` hold the extension and nothing else; returns the shipped paths.

    Raises SystemExit when `out` exists and is no assembled extension: a wrong path must not cost anybody a folder.
    """
    if out.exists():
        if any(out.iterdir()) and not (out / "manifest.json").is_file():
            raise SystemExit(f"{out} holds something else than an extension; name another folder.")
        shutil.rmtree(out)
    files = sources()
    for name, path in files.items():
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    if grants:
        manifest = out / "manifest.json"
        content = json.loads(manifest.read_text("utf-8"))
        content["host_permissions"] = sorted(grants)
        manifest.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    return list(files)


def write_zip(folder: Path, target: Path) -> None:
    """Packs the folder's files reproducibly."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, path.read_bytes())


def main(arguments: list[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Assembles the browser extension.")
    parser.add_argument("--grant", action="append", metavar="HOST_PATTERN", help="a host that needs no asking")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "extension", metavar="DIR")
    parser.add_argument("--zip", type=Path, metavar="FILE", help="also pack it, reproducibly")
    options = parser.parse_args(arguments)
    assemble(options.out, options.grant)
    if options.zip:
        write_zip(options.out, options.zip)
    print(options.out)  # noqa: T201 - the folder to load is this command's answer


if __name__ == "__main__":
    main(sys.argv[1:])
