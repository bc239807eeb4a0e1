"""What comes from a registry is taken only if every byte is the expected one."""

import hashlib
import io
import re
import subprocess
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tools import assets

ROOT = Path(__file__).resolve().parent.parent
FILES = {"LICENSE": b"free", "es5/a.js": b"one", "es5/fonts/b.woff": b"two"}


def npm_archive(files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def wheel(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return stream.getvalue()


@pytest.fixture
def asset(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "CACHE", tmp_path)
    return assets.Asset(
        name="@scope/thing",
        version="1.2.3",
        registry="npm",
        sha256=hashlib.sha256(npm_archive(FILES)).hexdigest(),
        files=("LICENSE", "es5/fonts/*"),
        licence="MIT",
    )


def test_only_the_files_of_the_entry_are_taken(asset):
    assert not assets.present(asset)
    assets.unpack(asset, npm_archive(FILES))
    assert assets.present(asset)
    assert (asset.folder / "es5/fonts/b.woff").read_bytes() == b"two"
    assert not (asset.folder / "es5/a.js").exists()


def test_a_wheel_is_unpacked_too(asset):
    archive = wheel(FILES)
    sha256 = hashlib.sha256(archive).hexdigest()
    assets.unpack(replace(asset, registry="pypi", sha256=sha256), archive)
    assert (asset.folder / "LICENSE").read_bytes() == b"free"


def test_one_changed_byte_is_refused(asset):
    with pytest.raises(assets.AssetError, match="sha256"):
        assets.unpack(asset, npm_archive({**FILES, "es5/a.js": b"onf"}))
    assert not assets.present(asset)


def test_a_file_that_is_missing_is_named(asset):
    wanting = replace(asset, files=(*asset.files, "gone.js"))
    with pytest.raises(assets.AssetError, match=r"gone\.js"):
        assets.unpack(wanting, npm_archive(FILES))
    assert not assets.present(wanting)


def test_nothing_lands_outside_the_folder(asset):
    archive = npm_archive({"../../../up": b"x"})
    sha256 = hashlib.sha256(archive).hexdigest()
    climbing = replace(asset, sha256=sha256, files=("*up",))
    with pytest.raises(assets.AssetError, match="outside"):
        assets.unpack(climbing, archive)


def test_a_changed_entry_is_fetched_again(asset):
    assets.unpack(asset, npm_archive(FILES))
    assert not assets.present(replace(asset, version="1.2.4"))
    assert not assets.present(replace(asset, files=("LICENSE",)))


def test_an_unknown_name_is_an_error_that_lists_the_known():
    with pytest.raises(assets.AssetError, match="mathjax"):
        assets.find("mathjaxx")


def test_every_entry_has_a_whole_hash_an_exact_version_and_a_licence():
    for asset in assets.ASSETS:
        assert re.fullmatch(r"[0-9a-f]{64}", asset.sha256), asset.name
        assert re.fullmatch(r"\d+(\.\d+)+", asset.version), asset.name
        assert asset.registry in {"npm", "pypi"}
        assert asset.licence


def test_git_ignores_what_is_fetched():
    lines = (ROOT / ".gitignore").read_text("utf-8").split()
    assert ".cache/" in lines
    assert assets.CACHE.relative_to(ROOT).parts[0] == ".cache"


def test_the_reason_of_npm_or_pip_is_told_in_few_lines():
    npm = "\nnpm error code ECONNREFUSED\nnpm error syscall connect\n    at Client\n"
    assert (
        assets.reason(npm) == "npm error code ECONNREFUSED\nnpm error syscall connect"
    )
    pip = "WARNING: Retrying\nERROR: No matching distribution found for thing==1\n"
    assert assets.reason(pip) == "ERROR: No matching distribution found for thing==1"
    assert assets.reason("first\nlast\n") == "last"
    assert assets.reason("") == "no message"


@pytest.mark.parametrize(
    ("optional", "code", "told"), [(False, 1, "make assets"), (True, 0, "says so")]
)
def test_what_cannot_be_fetched_is_told_with_what_to_do(
    asset, monkeypatch, capsys, optional, code, told
):
    def unreachable(command, **options):
        words = "npm error network request failed"
        return subprocess.CompletedProcess(command, 1, stdout="", stderr=words)

    monkeypatch.setattr(assets.subprocess, "run", unreachable)
    monkeypatch.setattr(assets, "ASSETS", (replace(asset, optional=optional),))
    assert assets.main([]) == code
    said = capsys.readouterr().err
    assert "@scope/thing 1.2.3 could not be fetched from npm" in said
    assert "request failed" in said
    assert told in said
