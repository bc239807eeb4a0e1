"""Compile the modules that a page imports, once, while the book is built.

Python keeps compiled modules beside their sources; what a page fetches comes as source
only, and compiling it takes longer than all else that happens before the first run. So
the pages' own Python compiles here what it imports (`compiled.py`, under Node), and a
page fetches that too. The wheels stay as they are.
"""

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tools.assets import CACHE, AssetError, node_program

HERE = Path(__file__).resolve().parent
RUNNER = HERE.parent / "web" / "livecode" / "runner.py"
KEPT = CACHE.parent / "bytecode"
ARCHIVE = re.compile(r"/lib/python\d+\.zip/")  # where a page has the library

Groups = dict[str, dict[str, str]]


def compiled(runtime: Path) -> Groups:
    """Return compiled modules in base64, by group and by where they belong.

    They are made anew only when one of the files differs that they are made from.
    """
    made_from = [RUNNER, HERE / "compiled.py", HERE / "pyodide.mjs"]
    made_from += sorted(runtime.glob("pyodide-*/*"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in made_from))
    kept = KEPT / f"{digest.hexdigest()}.json"
    if not kept.exists():
        text = _run_in_node(runtime)
        shutil.rmtree(KEPT, ignore_errors=True)
        KEPT.mkdir(parents=True)
        whole = kept.with_suffix(".new")
        whole.write_text(text, encoding="utf-8")
        whole.rename(kept)  # half a file would be read for ever
    groups: Groups = json.loads(kept.read_text(encoding="utf-8"))
    return groups


def _run_in_node(runtime: Path) -> str:
    words = [HERE / "pyodide.mjs", runtime, HERE / "compiled.py", RUNNER.parent]
    done = subprocess.run(
        [*node_program("node"), *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise AssetError(f"the pages' modules could not be compiled: {last[0]}")
    return done.stdout


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return an archive; the same files give the same bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def with_bytecode(stdlib: bytes, modules: Mapping[str, str]) -> bytes:
    """Return the standard library's archive, with compiled modules beside theirs."""
    with zipfile.ZipFile(io.BytesIO(stdlib)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for place, code in modules.items():
        if ARCHIVE.match(place):
            files[ARCHIVE.sub("", place)] = base64.b64decode(code)
    return packed(files)


def of_wheels(modules: Mapping[str, str]) -> bytes:
    """Return the archive of the other modules, to be unpacked at the root."""
    return packed(
        {
            place.lstrip("/"): base64.b64decode(code)
            for place, code in modules.items()
            if not ARCHIVE.match(place)
        }
    )
