import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyml.errors import DataError
from tinyml.trainer.data.archive import Limits, is_archive, unpack

MakeTar = Callable[..., Path]


def unpacked(path: Path, limits: Limits = Limits()) -> dict[str, bytes]:  # noqa: B008
    files = unpack(path, path.parent / "store", limits=limits)
    return {name: files.read(name) for name in files.names}


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_contents(tmp_path: Path, make_tar: MakeTar) -> None:
    members = {"a/b.txt": b"one", "c": b"", "a/d": b"x" * 3_000_000, "__MACOSX/a": b"no", "a/._b.txt": b"no"}
    expected = {name: members[name] for name in ("a/b.txt", "c", "a/d")}
    assert unpacked(make_zip(tmp_path / "z.zip", members)) == expected
    assert unpacked(make_tar("./a/b", b"tar")) == {"a/b": b"tar"}


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/etc/out", "..\\out", "C:/out"])
def test_members_outside_are_refused(name: str, tmp_path: Path, make_tar: MakeTar) -> None:
    for path in (make_tar(name), make_zip(tmp_path / "z.zip", {name: b"x"})):
        with pytest.raises(DataError, match="outside of its folder"):
            unpacked(path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(kind: bytes, make_tar: MakeTar) -> None:
    with pytest.raises(DataError, match="no file or folder"):
        unpacked(make_tar("member", b"", type=kind, linkname="/etc/passwd"))


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("member")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match=r"no file or folder.*link"):
        unpacked(tmp_path / "z.zip")


def test_bombs_are_cut_off(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "bomb.zip", {"zeros": bytes(20_000_000), "more": b"x"})
    assert path.stat().st_size < 100_000
    with pytest.raises(DataError, match="too large"):
        unpacked(path, Limits(total_bytes=5_000_000))
    assert (tmp_path / "store").stat().st_size <= 5_000_000
    with pytest.raises(DataError, match="too many files"):
        unpacked(path, Limits(members=1))


def test_damage_is_one_line(tmp_path: Path, make_tar: MakeTar) -> None:
    content = os.urandom(200_000)
    made = {
        "zip": make_zip(tmp_path / "z.zip", {"a": content}),
        "tar": make_tar("a", content),
    }
    for kind in ("gz", "xz", "bz2"):
        made[kind] = tmp_path / f"t.tar.{kind}"
        with tarfile.open(made[kind], f"w:{kind}") as tar:  # type: ignore[call-overload]
            info = tarfile.TarInfo("a")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    for kind, path in made.items():
        assert is_archive(path)
        whole = path.read_bytes()
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 0xFF
        # A tar has no checksum of its contents, and a gzip's comes after the last member.
        checked = kind not in ("tar", "gz")
        for damaged in (whole[: len(whole) // 2], bytes(flipped) if checked else whole[:1000]):
            path.write_bytes(damaged)
            with pytest.raises(DataError) as caught:
                unpacked(path)
            assert path.name in str(caught.value)
            assert "\n" not in str(caught.value)
    assert not is_archive(Path(__file__))
