#!/usr/bin/env bash
# Makes .venv ready: `tools/setup.sh run` for what the program needs, `tools/setup.sh dev` for the tools as well.
# Does nothing when nothing changed: .venv keeps a checksum of what it was made from.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

level=${1:-run}
venv=.venv
python=$venv/bin/python
log=$venv/setup.log

fail() { printf 'setup: %s\n' "$@" >&2; exit 1; }

# A caller's settings that would send packages elsewhere, or sources without bytecode.
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX PIP_NO_COMPILE
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11 or newer"
        printf '%s\n' "$PYTHON"
        return
    fi
    # Asked to run, not only to exist: a version manager's shim may stand for nothing.
    for candidate in python3.13 python3.12 python3.11 python3 /usr/bin/python3; do
        if is_new_enough "$candidate"; then printf '%s\n' "$candidate"; return; fi
    done
    fail "no Python 3.11 or newer found" "on Debian 12: apt-get install python3 python3-venv; elsewhere: make PYTHON=/path/to/python3.11"
}

make_venv() {
    local base
    base=$(find_python)
    if ! "$base" -c 'import venv, ensurepip' >/dev/null 2>&1; then
        fail "$base has no venv module" "on Debian and Ubuntu: apt-get install $("$base" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
    fi
    printf 'setup: new environment in %s (%s)\n' "$venv" "$("$base" -V 2>&1)"
    "$base" -m venv --clear "$venv"
}

install() {
    # uv is faster and knows nothing of pip's configuration, so where it can't, pip may.
    if command -v uv >/dev/null 2>&1 && uv pip install --quiet --python "$python" "$@" >>"$log" 2>&1; then return; fi
    "$python" -m pip install --quiet "$@" >>"$log" 2>&1 || {
        tail -n 25 "$log" >&2
        fail "packages could not be installed; the whole story is in $log"
    }
}

compile_sources() {
    "$python" -m compileall -qq engine tui widgets .src/quarterdeck/__init__.py tests bench tools examples >/dev/null || :
}

# What the installed environment depends on; the folder is part of it, since environments can't be moved.
digest() { { pwd -P; cat pyproject.toml constraints.txt .src/quarterdeck/__init__.py tools/setup.sh; } | cksum; }

# Two makes at once would both install.
exec 9<pyproject.toml
command -v flock >/dev/null 2>&1 && flock 9

if ! is_new_enough "$python" || ! "$python" -m pip --version >/dev/null 2>&1; then make_venv; fi
now=$(digest)
if [ "$(cat "$venv/ready-$level" 2>/dev/null)" != "$now" ]; then
    started=$SECONDS
    : >"$log"
    rm -f "$venv/ready-$level"
    if [ "$level" = dev ]; then extra='[dev]'; what='the program and its development tools'; else extra=''; what='the program'; fi
    printf 'setup: installing %s …\n' "$what"
    # The build backend first: with it here, no second environment is made to build in.
    install -c constraints.txt hatchling editables
    install -c constraints.txt --no-build-isolation -e ".$extra"
    "$python" -m compileall -qq "$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" >/dev/null 2>&1 || :
    printf '%s\n' "$now" >"$venv/ready-$level"
    if [ "$level" = dev ]; then cp "$venv/ready-dev" "$venv/ready-run"; fi
    printf 'setup: done in %d s\n' $((SECONDS - started))
fi
compile_sources
