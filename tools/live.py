"""Assemble the Python that runs in the book's pages.

    python -m tools.live              what can be fetched; says what is missing
    python -m tools.live --required   fail if the pages would not be live

The runtime is Pyodide, from npm; numpy's WebAssembly wheel is kept in `vendor/`;
array-api-compat comes from the package index and the course's own wheel is built here.
Matplotlib and its needs come in a third party's wheel and are left out when that is
gone. Each file has the sha256 that Pyodide's own lock, or this file, names: where it
came from need not be trusted. The result is `.cache/live`, which the book copies.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.assets import Asset, AssetError, fetch
from tools.bytecode import compiled, of_wheels, with_bytecode

ROOT = Path(__file__).resolve().parent.parent
LIVE = ROOT / ".cache" / "live"

RUNTIME = Asset(
    name="pyodide",
    version="314.0.4",
    registry="npm",
    sha256="85d930cbff5bcf8bf8f5fb62d5b73d9a1e73f706a8a64c3e527ec980f1d32bd4",
    files=(
        "pyodide.mjs",
        "pyodide.asm.mjs",
        "pyodide.asm.wasm",
        "python_stdlib.zip",
        "pyodide-lock.json",
    ),
    licence="MPL-2.0",
)
FOLDER = f"pyodide-{RUNTIME.version}"
STDLIB = "python_stdlib.zip"

COMPAT = Asset(
    name="array-api-compat",
    version="1.16.0",
    registry="pypi",
    sha256="0464934d7d5f1e9b728b2e248da52400630b1fcb46b70073eab3c7ae084290aa",
    files=("*",),
    licence="MIT",
)

CARRIED = "open_webui/frontend/pyodide/"
CARRIER = Asset(  # nothing of its own is taken: only wheels that Pyodide's lock names
    name="open-webui",
    version="0.12.4",
    registry="pypi",
    sha256="02e9caba96234db3fa17a92e56163b3f7f2b8ca8227fa886b85c178d696483f6",
    files=tuple(
        f"{CARRIED}{name}-*.whl"
        for name in (
            *("contourpy", "cycler", "fonttools", "kiwisolver", "matplotlib"),
            *("packaging", "pillow", "pyparsing", "python_dateutil", "pytz", "six"),
        )
    ),
    licence="the wheels have their own: Matplotlib's, BSD, MIT, HPND",
    optional=True,
)

Lock = dict[str, Any]


def sha256(data: bytes) -> str:
    """Return the hash as the lock writes it."""
    return hashlib.sha256(data).hexdigest()


def checked(name: str, data: bytes, expected: str) -> bytes:
    """Return the data if they are the ones that the lock names."""
    if sha256(data) != expected:
        raise AssetError(f"{name} has sha256 {sha256(data)}, expected {expected}")
    return data


def _pip_wheel(source: Path, folder: Path) -> None:
    """Build a wheel; the same sources give the same bytes."""
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps"]
    if importlib.util.find_spec("setuptools"):
        command.append("--no-build-isolation")  # else pip fetches it for each build
    done = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(source)],
        env={**os.environ, "SOURCE_DATE_EPOCH": "1704067200"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise AssetError(f"the course's wheel could not be built: {last[0]}")


def needs(lock: Lock, name: str) -> Iterator[str]:
    """Yield the names of a package and of all that it needs."""
    yield name
    for other in lock["packages"][name]["depends"]:
        yield from needs(lock, other.lower().replace("_", "-"))


def carried(lock: Lock) -> dict[str, bytes]:
    """Return the wheels of Matplotlib and its needs, without numpy's."""
    folder = fetch(CARRIER) / CARRIED
    wheels = {}
    for name in sorted(set(needs(lock, "matplotlib")) - {"numpy"}):
        entry = lock["packages"][name]
        data = (folder / entry["file_name"]).read_bytes()
        wheels[name] = checked(entry["file_name"], data, entry["sha256"])
    return wheels


def compat_wheel() -> tuple[str, bytes]:
    """Return array-api-compat as a wheel, packed again from its checked files."""
    folder = fetch(COMPAT)
    name = f"array_api_compat-{COMPAT.version}-py3-none-any.whl"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            if not entry.filename.startswith("."):
                wheel.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return name, file.getvalue()


def course_wheel() -> tuple[str, bytes]:
    """Build the package's wheel as pip does, the same bytes for the same sources."""
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "source"
        source.mkdir()
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, source)
        skipped = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(
            ROOT / "attention_course", source / "attention_course", ignore=skipped
        )
        _pip_wheel(source, Path(place))
        wheel = next(Path(place).glob("attention_course-*.whl"))
        return wheel.name, wheel.read_bytes()


def _pure(name: str, file_name: str, data: bytes, *depends: str) -> Lock:
    """Return a lock entry for a wheel that runs anywhere."""
    return {
        "name": name,
        "version": file_name.split("-")[1],
        "file_name": file_name,
        "install_dir": "site",
        "sha256": sha256(data),
        "package_type": "package",
        "imports": [name.replace("-", "_")],
        "depends": list(depends),
        "unvendored_tests": False,
    }


def _with_hash(file_name: str, data: bytes) -> str:
    """Put the hash into a wheel's name, so that no cache keeps an older one."""
    name, version, rest = file_name.split("-", 2)
    return f"{name}-{version}-0{sha256(data)[:8]}-{rest}"


def assemble() -> list[str]:
    """Write `.cache/live`; return what it lacks, in words."""
    folder = fetch(RUNTIME)
    lock = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))
    own = [name for name in RUNTIME.files if name != "pyodide-lock.json"]
    files = {name: (folder / name).read_bytes() for name in own}
    entries = {"numpy": lock["packages"]["numpy"]}
    numpy = entries["numpy"]["file_name"]
    data = (ROOT / "vendor" / "numpy" / numpy).read_bytes()
    files[numpy] = checked(numpy, data, entries["numpy"]["sha256"])

    file_name, data = compat_wheel()
    files[file_name] = data
    entries["array-api-compat"] = _pure("array-api-compat", file_name, data)

    file_name, data = course_wheel()
    file_name = _with_hash(file_name, data)
    files[file_name] = data
    needed = ("numpy", "array-api-compat")
    entries["attention-course"] = _pure("attention-course", file_name, data, *needed)

    first = sum(map(len, files.values()))
    lacks = []
    try:
        for name, wheel in carried(lock).items():
            entries[name] = lock["packages"][name]
            files[entries[name]["file_name"]] = wheel
    except (AssetError, KeyError) as error:
        lacks.append(f"Matplotlib, so cells that draw do not run ({error})")
    _write(files, {"info": lock["info"], "packages": entries}, first)
    return lacks


def _write(files: dict[str, bytes], lock: Lock, first: int) -> None:
    """Write the folder anew, and put it in place when it is whole."""
    new = LIVE.with_name("live-new")
    shutil.rmtree(new, ignore_errors=True)
    (new / FOLDER).mkdir(parents=True)
    for name, data in files.items():
        (new / FOLDER / name).write_bytes(data)
    about = {
        "folder": f"../{FOLDER}/",
        "packages": ["attention-course"],
        "matplotlib": "matplotlib" in lock["packages"],
        "bytes": first,
    }
    (new / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    (new / "runtime.json").write_text(json.dumps(about), encoding="utf-8")
    about |= _add_compiled(new, first)
    (new / "runtime.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
    shutil.rmtree(LIVE, ignore_errors=True)
    new.rename(LIVE)


def _add_compiled(runtime: Path, first: int) -> dict[str, Any]:
    """Add compiled modules to a runtime; return what `runtime.json` says of them."""
    groups = compiled(runtime)
    library = runtime / FOLDER / STDLIB
    files = {STDLIB: with_bytecode(library.read_bytes(), groups["course"])}
    files |= {f"{name}.zip": of_wheels(modules) for name, modules in groups.items()}
    first += len(files[STDLIB]) + len(files["course.zip"]) - library.stat().st_size
    library.unlink()
    names = {}
    for name, data in files.items():
        stem, _, end = name.partition(".")
        names[stem] = f"{stem}-{sha256(data)[:8]}.{end}"
        (runtime / FOLDER / names[stem]).write_bytes(data)
    return {"bytes": first, "compiled": names}


def main() -> int:
    """Assemble and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--required", action="store_true", help="fail if a page would not be live"
    )
    required = parser.parse_args().required
    try:
        lacks = assemble()
    except (AssetError, OSError) as error:
        shutil.rmtree(LIVE, ignore_errors=True)
        print(f"The book will be complete, but no cell runs in a page: {error}")
        print("Where the network is, run `make assets`, then `make book`.")
        return int(required)
    size = sum(file.stat().st_size for file in LIVE.rglob("*.*")) / 1e6
    print(f"The book's cells will run in the page ({size:.0f} MB in {LIVE.name}).")
    for lack in lacks:
        print(f"Missing: {lack}.")
    return int(required and bool(lacks))


if __name__ == "__main__":
    sys.exit(main())
