"""Where an engine keeps its things, and who may reach into it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from quarterdeck.engine.errors import QuarterdeckError, UsageError
from quarterdeck.engine.home import LONGEST_SOCKET_PATH, Home, find_home


@pytest.mark.parametrize(
    ("env", "socket", "expected"),
    [
        ({"HOME": "/home/ann"}, None, "/home/ann/.quarterdeck/qd.sock"),
        ({"HOME": "/home/ann", "QUARTERDECK_HOME": "/srv/qd"}, None, "/srv/qd/qd.sock"),
        ({"HOME": "/home/ann", "QUARTERDECK_HOME": ""}, None, "/home/ann/.quarterdeck/qd.sock"),
        ({"HOME": "/home/ann", "QUARTERDECK_HOME": "/srv/qd"}, "/run/x/a.sock", "/run/x/a.sock"),
        ({"HOME": "/home/ann"}, "/run/x/../y/a.sock", "/run/y/a.sock"),
    ],
)
def test_which_home(env: dict[str, str], socket: str | None, expected: str) -> None:
    assert str(find_home(env, socket).socket) == expected


def test_without_anything_it_is_in_the_users_home() -> None:
    assert find_home({}) == Home(Path(os.path.expanduser("~")) / ".quarterdeck")


def test_relative_paths_are_the_callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_home({}, "a.sock").socket == tmp_path / "a.sock"
    assert find_home({"QUARTERDECK_HOME": "x"}).folder == tmp_path / "x"


def test_two_sockets_in_one_folder_share_nothing_that_must_not_be_shared() -> None:
    one, two = Home(Path("/srv"), "a.sock"), Home(Path("/srv"), "b.sock")
    for name in ("socket", "lock", "start_lock", "keeper_socket", "mark"):
        assert getattr(one, name) != getattr(two, name)
    assert len(one.mark) == 16
    assert int(one.mark, 16) >= 0


def test_a_new_home_is_for_its_owner_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "deep" / "qd")
    umask = os.umask(0)
    try:
        home.prepare()
        home.prepare()
    finally:
        os.umask(umask)
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(home.logs.stat().st_mode) == 0o700
    assert "qd logs --path" in (home.folder / "README").read_text()


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o755, 0o777])
def test_one_that_others_can_enter_is_refused_and_left_alone(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "loose"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(QuarterdeckError, match=f"can be entered by others .mode {mode:04o}.") as caught:
        Home(folder).prepare()
    assert caught.value.hint.startswith(f"chmod 700 {folder}")
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_one_of_another_user_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "foreign"
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, -1)
    with pytest.raises(QuarterdeckError, match="belongs to user 12345, not to you"):
        Home(folder).prepare()


def test_one_of_another_user_is_refused_as_seen_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o700)
    own = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    with pytest.raises(QuarterdeckError, match=f"belongs to user {own}, not to you"):
        Home(folder).prepare()


def test_a_path_too_long_for_a_socket_is_refused_by_us(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * LONGEST_SOCKET_PATH)
    with pytest.raises(
        UsageError, match=f"too long a path for a socket .* of {LONGEST_SOCKET_PATH}"
    ) as caught:
        Home(folder).prepare()
    assert not folder.exists()
    assert "--socket" in caught.value.hint


def test_bytes_count_not_characters() -> None:
    with pytest.raises(UsageError, match="too long a path"):
        Home(Path("/" + "ü" * (LONGEST_SOCKET_PATH // 2 - 4))).prepare()


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(QuarterdeckError, match="Not a directory; name another folder"):
        Home(tmp_path / "file" / "qd").prepare()


def test_a_file_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "file").chmod(0o600)
    with pytest.raises(QuarterdeckError, match="file"):
        Home(tmp_path / "file").prepare()


def test_logs_that_are_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "qd"
    folder.mkdir(mode=0o700)
    (folder / "logs").write_text("")
    with pytest.raises(QuarterdeckError, match=r"logs: File exists; remove it"):
        Home(folder).prepare()
