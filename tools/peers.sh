#!/usr/bin/env bash
# Makes .peers/jina ready: Jina 3.34 in an environment of its own, which `make bench` measures us beside.
# Jina's pins can be met by uv's resolver only, and its sdist wants an old setuptools at hand.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV

home=.peers
python=$PWD/$home/jina/bin/python
[ -e "$home/ready" ] && exit 0
fail() { tail -n 25 "$home/setup.log" >&2; echo "peers: Jina could not be installed; the whole story is in $home/setup.log" >&2; exit 1; }

mkdir -p "$home"
echo "peers: installing Jina …"
{
    uv=uv
    if ! command -v uv; then
        .venv/bin/python -m venv "$home/uv"
        "$home/uv/bin/python" -m pip install --quiet uv
        uv=$home/uv/bin/uv
    fi
    "$uv" venv --quiet --python "$(.venv/bin/python -c 'import sys; print(sys._base_executable)')" "$home/jina"
    "$uv" pip install --quiet --python "$python" 'setuptools<70' wheel
    JINA_PIP_INSTALL_CORE=1 "$uv" pip install --quiet --python "$python" --no-build-isolation jina==3.34.0
    "$python" -m compileall -qq "$home/jina/lib" || :
} >"$home/setup.log" 2>&1 || fail
touch "$home/ready"
