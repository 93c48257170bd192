"""What a topology file is told when it is wrong: one mistake each, with its line and what would do."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from quarterdeck.engine.errors import Mistake, SpecError
from quarterdeck.engine.spec.compose import MAX_DEPTH
from quarterdeck.engine.spec.file import load
from quarterdeck.engine.spec.reader import MOST_MISTAKES


def mistakes(path: Path, env: dict[str, str] | None = None) -> tuple[Mistake, ...]:
    with pytest.raises(SpecError) as caught:
        load(path, env or {})
    assert caught.value.exit_code == 2
    return caught.value.mistakes


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "topology.yml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def only(folder: Path, text: str | bytes) -> Mistake:
    found = mistakes(written(folder, text))
    assert len(found) == 1, found
    return found[0]


# Each: keys of a deployment named `index` from line 3 on; line, key, and words of the message and hint.
DEPLOYMENT_MISTAKES: list[tuple[str, int, str, str, str]] = [
    ("shard: 2", 3, "shard", "`shard` is not a key of a deployment", "did you mean `shards`?"),
    ("zzz: 2", 3, "zzz", "`zzz` is not a key of a deployment", ""),
    ("parallel: 2", 3, "parallel", "`parallel` is not a key", "did you mean `replicas`?"),
    ("shards: 2\nshards: 3", 4, "shards", "`shards` stands here twice, first in line 3", ""),
    ("env:\n  A: x\n  A: y", 5, "env.A", "`A` stands here twice, first in line 4", ""),
    ("uses_with: {a: {b: 1, b: 2}}", 3, "uses_with.a.b", "`b` stands here twice", ""),
    ("shards: 0", 3, "shards", "must be 1 or more, not `0`", ""),
    ("replicas: -1", 3, "replicas", "must be 1 or more, not `-1`", ""),
    ("replicas: 1000000", 3, "replicas", "a topology may have 4096", "lower `replicas`"),
    ("shards: 1000\nreplicas: 5", 3, "shards", "1000 shards x 5 replicas make 5001 pods", "lower `shards`"),
    ("shards: true", 3, "shards", "must be a whole number, not `true`", ""),
    ("shards: two", 3, "shards", "must be a whole number, not `two`", ""),
    ('shards: "2"', 3, "shards", "must be a whole number, not the text `2`", ""),
    ("shards: 2.0", 3, "shards", "must be a whole number, not `2.0`", ""),
    ("shards: [2]", 3, "shards", "must be a whole number, not a list", ""),
    ("shards: {a: 2}", 3, "shards", "must be a whole number, not a map", ""),
    ("shards:", 3, "shards", "`shards` has no value", "leave the key out"),
    ("shards: " + "9" * 5000, 3, "shards", "is longer than any number", ""),
    ("port: 0", 3, "port", "must be from 1 to 65535, not `0`", ""),
    ("port: 65536", 3, "port", "must be from 1 to 65535, not `65536`", ""),
    ("port: 9000\nreplicas: 2", 3, "port", "can't be that of 2 replicas", "it is the gateway's to have"),
    ("host: 0.0.0.0", 3, "host", "`0.0.0.0` is not a loopback address", "without TLS and a token"),
    ("host: 10.0.0.1", 3, "host", "is not a loopback address", "set `ssl_certfile`, `ssl_keyfile` and `token`"),
    ("host: 127.0.0.256", 3, "host", "is not a loopback address", ""),
    ("polling: SOME", 3, "polling", "must be `ANY` or `ALL`, not `SOME`", ""),
    ("polling: {/a: 1}", 3, "polling./a", "must be `ANY` or `ALL`, not `1`", ""),
    ("polling: {/a: ANY, a: ALL}", 3, "polling.a", "the endpoint `/a` stands here twice", ""),
    ("needs: inde", 3, "needs", "there is no deployment `inde`", "did you mean `index`?"),
    ("needs: index", 3, "needs", "goes in a circle: index -> index", ""),
    ("needs: [other, other]", 3, "needs", "`other` stands twice", ""),
    ("needs: [other, 7]", 3, "needs[1]", "must be a name, not `7`", "put it in quotes"),
    ("needs: [gateway, other]", 3, "needs", "`gateway` is not a deployment", "leave it out"),
    ("env: [A]", 3, "env", "must be a map of variables, not a list", ""),
    ("env: {A: [1]}", 3, "env.A", "a variable is text, not a list", ""),
    ("env: {A: }", 3, "env.A", "`A` has no value", ""),
    ('env: {A: "\\0"}', 3, "env.A", "U+0000", ""),
    ("env: {A=B: x}", 3, "env.A=B", "can't be a variable's name", ""),
    ("env: {A: '${NOPE}'}", 3, "env.A", "the variable `NOPE` is not set", "${NOPE:-default}"),
    ("env: {A: '${NO PE}'}", 3, "env.A", "`${NO PE}` is not a variable", ""),
    ("env: {A: '${NOPE'}", 3, "env.A", "`${NOPE` is not a variable", ""),
    ("env: {CUDA_VISIBLE_DEVICES: 'RR[]'}", 3, "env.CUDA_VISIBLE_DEVICES", "`RR[]` selects no device", ""),
    ("uses_with: 3", 3, "uses_with", "must be a map of arguments, not `3`", ""),
    ("timeout_ready: soon", 3, "timeout_ready", "`soon` is not a duration", "`90s`"),
    ("timeout_ready: 0", 3, "timeout_ready", "must be from 0.001 to 604800 seconds", ""),
    ("timeout_ready: .inf", 3, "timeout_ready", "is not a duration", ""),
    ("timeout_send: -1", 3, "timeout_send", "must be from", ""),
    ("grace: [1]", 3, "grace", "must be a duration, not a list", ""),
    ("restart: never", 3, "restart", "must be one of `no`, `on-failure`, `always`, not `never`", ""),
    ("restart: on_failure", 3, "restart", "must be one of", "did you mean `on-failure`?"),
    ("restart: false", 3, "restart", "must be one of `no`, `on-failure`, `always`, not `false`", ""),
    ("idempotent: yes", 3, "idempotent", "must be true or false, not `yes`", ""),
    ("keep: true", 3, "keep", "not built yet: pods end with their engine", ""),
    ("keep: 1", 3, "keep", "must be true or false, not `1`", ""),
    ("py_modules: [gone.py]", 3, "py_modules[0]", "there is no file or folder", "gone.py"),
    ("workspace: 7", 3, "workspace", "must be a path, not `7`", "put it in quotes"),
    ("workspace: ''", 3, "workspace", "is not a path", ""),
    ("hub: x", 3, "hub", "`hub` is not built yet", "leave it out"),
    ("uses: docker://image", 3, "uses", "`docker://` is not built yet", "`file.py:Class`"),
    ("uses: jinahub+docker://x", 3, "uses", "`jinahub+docker://` is not built yet", ""),
    ("uses: ftp://x", 3, "uses", "`ftp://` names no executor", ""),
    ("uses: executor.yml", 3, "uses", "there is no such file", "executor.yml"),
    ("uses: 7", 3, "uses", "must be an executor, not `7`", ""),
    ("uses: Search", 3, "uses", "names a class without its file or module", ""),
    ("uses: search.py", 3, "uses", "names a file without its class", "`file.py:Class`"),
    ("uses: 'search.py:'", 3, "uses", "names no class", ""),
    ("uses: a b", 3, "uses", "`a b` names no executor", ""),
    ("uses: serch.py:Search", 3, "uses", "there is no file", "did you mean `search.py`?"),
    ("uses: gone/x.py:Search", 3, "uses", "there is no file", "nor is there a folder"),
    ("uses: search.py:Serch", 3, "uses", "has no class `Serch`", "did you mean `Search`?"),
    ("uses: search.py:Zzz", 3, "uses", "has no class `Zzz`", "it has `Search`"),
    ("uses: search.py:make", 3, "uses", "is a function", "an executor is a class"),
    ("uses: search.Serch", 3, "uses", "has no class `Serch`", "did you mean `Search`?"),
    ("uses: nowhere.Class", 3, "uses", "there is no module `nowhere`", "looked in "),
    ("uses: search.deep.Class", 3, "uses", "the module `search` is not a package", ""),
    ("uses: [a.B]", 3, "uses", "must be an executor, not a list", ""),
    ("uses_after: search.py:Serch", 3, "uses_after", "has no class `Serch`", ""),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "line", "key", "message", "hint"), DEPLOYMENT_MISTAKES)
def test_a_mistake_in_a_deployment(
    tmp_path: Path, keys: str, line: int, key: str, message: str, hint: str
) -> None:
    (tmp_path / "search.py").write_text("class Search: ...\ndef make(): ...\n")
    body = "".join(f"    {row}\n" for row in keys.splitlines())
    found = only(tmp_path, f"deployments:\n  - name: index\n{body}  - name: other\n")
    assert (found.file, found.line) == (str(tmp_path / "topology.yml"), line)
    assert found.key == f"deployments[0].{key}"
    assert message in found.message
    assert hint in f"{found.message} {found.hint}"


# Each: a whole file; line, key, and words of the message and hint.
FILE_MISTAKES: list[tuple[str | bytes, int | None, str, str, str]] = [
    ("", None, "", "the file is empty", "deployments"),
    ("# nothing but this\n", None, "", "the file is empty", ""),
    ("- a\n", 1, "", "a topology is a map of keys", "begin with `deployments:`"),
    ("just text\n", 1, "", "a topology is a map of keys", ""),
    ("name: x\n", 1, "deployments", "a topology needs the key `deployments`", ""),
    ("deployments: []\n", 1, "deployments", "at least one deployment", ""),
    ("deployments:\n", 1, "deployments", "`deployments` has no value", ""),
    ("deployments: {a: b}\n", 1, "deployments", "must be a list, not a map", "`- name:`"),
    ("deployments:\n- a\n", 2, "deployments[0]", "a deployment is a map, not `a`", ""),
    ("deployments:\n- uses: none\n", 2, "deployments[0].name", "a deployment needs the key `name`", ""),
    ("deployments: [{name: a}]\n\nexecutors: []\n", 3, "executors", "is not a key of a topology", "`deployments`"),
    ("name: a b\ndeployments: [{name: a}]", 1, "name", "`a b` is not a name", "letters, digits"),
    ("name: 7\ndeployments: [{name: a}]", 1, "name", "must be a name, not `7`", "put it in quotes"),
    ("deployments: [{name: a}]\nkeep: true", 2, "keep", "not built yet: pods end with their engine", ""),
    ("deployments: [{name: a}]\npreset: x", 2, "preset", "`preset` is not built yet", ""),
    ("deployments: [{name: a}]\ngateway:", 2, "gateway", "`gateway` has no value", ""),
    ("deployments: [{name: a}]\ngateway: 7", 2, "gateway", "must be a map or `none`, not `7`", ""),
    ("deployments: [{name: a}]\ngateway: {prt: 1}", 2, "gateway.prt", "not a key of a gateway", "`port`"),
    ("deployments: [{name: a}]\ngateway: {port: 99999}", 2, "gateway.port", "must be from 1 to 65535", ""),
    ("deployments: [{name: a}]\ngateway: {host: 0.0.0.0}", 2, "gateway.host", "not a loopback address", ""),
    ("deployments: [{name: a}]\ngateway: {protocol: http}", 2, "gateway.protocol", "must be `grpc`", ""),
    ("deployments:\n- name: a/b\n", 2, "deployments[0].name", "`a/b` is not a name", ""),
    ("deployments:\n- name: -a\n", 2, "deployments[0].name", "`-a` is not a name", ""),
    ("deployments:\n- name: gateway\n", 2, "deployments[0].name", "a pod of the engine's own", "another"),
    ("deployments:\n- name: head\n", 2, "deployments[0].name", "a pod of the engine's own", "another"),
    (f"deployments:\n- name: {'a' * 101}\n", 2, "deployments[0].name", "is not a name", "at most 100"),
    ("deployments:\n- name: a\n- name: a\n", 3, "deployments[1].name", "two deployments are named `a`", ""),
    (
        "deployments:\n- {name: a, port: 9000}\n- {name: b, port: 9000}\n",
        3, "deployments[1].port", "port 9000 is taken by deployments[0].port", "",
    ),
    (
        "deployments:\n- {name: a, port: 9000, host: localhost}\ngateway: {port: 9000}\n",
        2, "deployments[0].port", "port 9000 is taken by gateway.port", "",
    ),
    (
        "deployments:\n- {name: a, needs: c}\n- {name: b, needs: a}\n- {name: c, needs: b}\n",
        2, "deployments[0].needs", "goes in a circle: a -> c -> b -> a", "take one of these out",
    ),
    (
        "deployments:\n- {name: a, replicas: 4000}\n- {name: b, replicas: 4000}\n",
        1, "deployments", "all deployments together make 8001 pods", "several files",
    ),
    ("a: [1, 2\nb: 3\n", 2, "", "not YAML", ""),
    ("a: 'x\n", 2, "", "not YAML", ""),
    ("a: b: c\n", 1, "", "not YAML", ""),
    ("deployments:\n\t- name: a\n", 2, "", "not YAML", "spaces, not with tabs"),
    ("deployments:\n  - name: a\n\tuses: b\n", 3, "", "not YAML", "spaces, not with tabs"),
    ("a: \x07\n", 1, "", "U+0007 may not stand in it", ""),
    ("a: 1\n---\nb: 2\n", 2, "", "a second document begins here", ""),
    ("? [a]\n: b\n", 1, "", "a key must be a word", ""),
    ("a: !!python/name:os.system x\n", 1, "", "is not read", "without it"),
    ("a: !secret x\n", 1, "", "the tag `!secret` is not read", ""),
    ("a: &x {b: 1}\nc: {<<: *x}\n", 2, "", "`<<` merges nothing", ""),
    ("a: *nope\n", 1, "", "`*nope` stands for nothing", "&nope"),
    ("a: &a [*a]\n", 1, "", "`*a` stands within itself", ""),
    ('a: "\\ud800"\n', 1, "", "half of a surrogate pair", ""),
    (b"name: x\nb: \xff\n", 2, "", "is not UTF-8 text", ""),
    ("name: x\n".encode("utf-16"), 1, "", "is not UTF-8 text", ""),
    (b"#" * (10 << 20), None, "", "is larger than 1 MiB", ""),
    ("[" * 100_000, 1, "", f"nested more than {MAX_DEPTH} deep", ""),
    ("a:\n" + "".join(" " * depth + "- \n" for depth in range(1, 1000)),
        33, "", "nested more than", ""),
    (
        "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(30)),
        5, "", "counting what aliases stand for", "",
    ),
    ("a: [" + "1," * 400_000 + "]", 1, "", "more than 50000 values", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "key", "message", "hint"), FILE_MISTAKES, ids=[str(n) for n in range(len(FILE_MISTAKES))]
)
def test_a_mistake_in_a_file(
    tmp_path: Path, text: str | bytes, line: int | None, key: str, message: str, hint: str
) -> None:
    began = time.monotonic()
    found = only(tmp_path, text)
    assert (found.file, found.line, found.key) == (str(tmp_path / "topology.yml"), line, key)
    assert message in found.message
    assert hint in f"{found.message} {found.hint}"
    assert time.monotonic() - began < 30


def test_all_mistakes_are_told_at_once_in_the_files_order(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "gatway: none\ndeployments:\n- name: a\n  shard: 1\n  replicas: 0\n  needs: [b, q]\n"
        "- name: b\n  needs: a\n  uses: x.py:Y\n- 7\n",
    )
    found = mistakes(path)
    assert [(mistake.line, mistake.key) for mistake in found] == [
        (1, "gatway"),
        (4, "deployments[0].shard"),
        (5, "deployments[0].replicas"),
        (6, "deployments[0].needs"),
        (6, "deployments[0].needs"),
        (9, "deployments[1].uses"),
        (10, "deployments[2]"),
    ]
    with pytest.raises(
        SpecError, match=r"topology\.yml:1: gatway: `gatway` is not a key of a topology; did you"
    ):
        load(path, {})


def test_thousands_of_mistakes_are_counted(tmp_path: Path) -> None:
    found = mistakes(
        written(tmp_path, "".join(f"k{n}: 1\n" for n in range(5000)) + "deployments: [{name: a}]")
    )
    assert len(found) == MOST_MISTAKES + 1
    assert found[-1].message == f"{5000 - MOST_MISTAKES} more mistakes are not shown"


def test_thousands_of_cycles_end_soon(tmp_path: Path) -> None:
    text = "deployments:\n" + "".join(f"- {{name: d{n}, needs: d{n ^ 1}}}\n" for n in range(2000))
    began = time.monotonic()
    found = mistakes(written(tmp_path, text))
    assert {mistake.message[:25] for mistake in found} == {"`needs` goes in a circle:"}
    assert time.monotonic() - began < 30


def test_a_syntax_error_in_the_executor_names_its_own_line(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import os\n\ndef f(:\n")
    found = only(tmp_path, "deployments:\n- name: a\n  uses: bad.py:X\n")
    assert (found.file, found.line, found.key) == (str(tmp_path / "bad.py"), 3, "deployments[0].uses")
    assert found.message.startswith("not Python: ")


def test_a_folder(tmp_path: Path) -> None:
    written(tmp_path, "")
    (found,) = mistakes(tmp_path)
    assert (found.message, found.hint) == ("is a folder", f"did you mean {tmp_path}/topology.yml?")


def test_no_such_file(tmp_path: Path) -> None:
    written(tmp_path, "")
    (found,) = mistakes(tmp_path / "topolgy.yml")
    assert (found.message, found.hint) == ("there is no such file", "did you mean `topology.yml`?")


def test_no_such_folder(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path / "gone" / "topology.yml")
    assert found.message == "there is no such file"


def test_a_name_that_no_file_can_have() -> None:
    (found,) = mistakes(Path("a\0b"))
    assert found.message.startswith("can't be read")


def test_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe.yml"
    os.mkfifo(path)
    (found,) = mistakes(path)
    assert found.message == "is not a regular file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = written(tmp_path, "name: x")
    path.chmod(0)
    (found,) = mistakes(path)
    assert found.message == "can't be read: Permission denied"


def test_a_name_that_is_too_long_for_a_file(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path / ("a" * 5000))
    assert found.message == "can't be read: File name too long"


def test_a_bad_line_in_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nnot an assignment\n")
    found = only(tmp_path, "deployments: [{name: a}]")
    assert (found.file, found.line) == (str(tmp_path / ".env"), 2)


def test_an_env_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=1\nB=\xff\n")
    found = only(tmp_path, "deployments: [{name: a}]")
    assert (found.file, found.line, found.message) == (str(tmp_path / ".env"), 2, "is not UTF-8 text")


SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    "text",
    [
        f"deployments: [{{name: a, env: {{API_TOKEN: [{SECRET}]}}}}]",
        f'deployments: [{{name: a, env: {{DB_PASSWORD: "{SECRET}\\0"}}}}]',
        "deployments: [{name: a, port: '${DB_PASSWORD}'}]",
        "deployments: [{name: a, shards: '${DB_PASSWORD}'}]",
        "deployments: [{name: '${DB_PASSWORD}', shards: 0}]",
        f"deployments: [{{name: a, uses_with: {{key: '${{NOPE}}{SECRET}'}}}}]",
        "deployments: [{name: a, env: {K: '${DB_PASSWORD}', J: '${NOPE}'}}]",
    ],
)
def test_no_message_tells_a_secret(tmp_path: Path, text: str) -> None:
    found = mistakes(written(tmp_path, text), {"DB_PASSWORD": SECRET})
    assert SECRET not in repr(found)
