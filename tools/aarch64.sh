#!/usr/bin/env bash
# Tries OtrDB on aarch64 from an x86-64 Debian 12 machine, by emulation: see docs/aarch64.md.
#
#     tools/aarch64.sh PYTHON [TEST...]
#
# PYTHON is the interpreter of the development environment; TEST... is what pytest shall run: "tests" for all
# that can run there, by default those of the library. Everything is kept in build/aarch64; into the system go
# only the cross compiler and the emulator, if they are missing.
set -euo pipefail
unset PYTHONPATH PYTHONHOME

python=$(realpath --no-symlinks "${1:?give the Python of the development environment}")
shift
cd "$(dirname "$0")/.."
tools=$PWD/tools
base=$PWD/build/aarch64
root=$base/root         # Debian's arm64 Python and what it needs
source=$base/source     # the source archive, unpacked: both wheels and the tests are of this one state
native=$base/native     # the x86-64 wheel, installed
emulated=$base/venv     # the aarch64 wheel and what it needs, with an emulated interpreter
packages=$emulated/lib/python3.11/site-packages
answers=$base/answers
# The emulator does not answer what the collector asks of network cards; and time says nothing there.
left_out=(tests/collect/test_host.py tests/collect/test_processes.py tests/test_benchmarks.py)
[ "$#" -gt 0 ] || left_out+=(tests/baseline tests/cli tests/collect tests/docs)
tests=("${@:-tests}")

say() { printf '\n== %s\n' "$*"; }
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
logged() { "$@" >>"$base/build.log" 2>&1 || { tail -n 50 "$base/build.log" >&2 && exit 1; }; }
quiet_pip() { "$python" -m pip --disable-pip-version-check --quiet "$@"; }

install_tools() {
    local missing=()
    command -v aarch64-linux-gnu-gcc >/dev/null || missing+=(gcc-aarch64-linux-gnu)
    command -v qemu-aarch64-static >/dev/null || missing+=(qemu-user-static)
    if [ "${#missing[@]}" -gt 0 ]; then
        as_root apt-get update -q
        as_root apt-get install -q -y --no-install-recommends "${missing[@]}"
    fi
}

# apt with lists, archives and a status (nothing installed) of its own: it resolves what arm64 packages need
# and leaves the system's apt as it is.
make_root() {
    local apt=$base/apt
    [ -e "$root/complete" ] && return
    rm -rf "$apt" "$root"
    mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$root"
    : >"$apt/status"
    cat >"$apt/conf" <<CONF
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Install-Recommends "false";
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Debug::NoLocking "true";
CONF
    APT_CONFIG=$apt/conf apt-get update -q
    APT_CONFIG=$apt/conf apt-get install -q -y --download-only \
        python3.11-minimal libpython3.11-stdlib libpython3.11-dev libstdc++6
    for package in "$apt"/archives/*.deb; do
        dpkg -x "$package" "$root"
    done
    touch "$root/complete"
}

# A virtual environment whose interpreter is a script: so tests can start sys.executable and `otrdb`.
make_interpreter() {
    mkdir -p "$emulated/bin" "$packages"
    printf 'home = %s/usr/bin\nversion = 3.11\n' "$root" >"$emulated/pyvenv.cfg"
    cat >"$emulated/bin/python" <<SCRIPT
#!/bin/sh
exec qemu-aarch64-static -cpu cortex-a72 -L '$root' -0 "\$0" '$root/usr/bin/python3.11' "\$@"
SCRIPT
    printf '#!/bin/sh\nexec "%s/bin/python" -m otrdb.cli "$@"\n' "$emulated" >"$emulated/bin/otrdb"
    chmod +x "$emulated/bin/python" "$emulated/bin/otrdb"
}

# setup.py gives the flags that decide results; here stands only what makes the compiler a cross compiler.
build_wheels() {
    local gcc="aarch64-linux-gnu-gcc --sysroot=$root"
    rm -rf "$base/dist" "$base/build.log" "$source"
    mkdir -p "$source"
    logged "$python" -m build --sdist --no-isolation --outdir "$base/dist" .
    tar -xzf "$base"/dist/otrdb-*.tar.gz --strip-components=1 -C "$source"
    logged "$python" -m build --wheel --no-isolation --outdir "$base/dist" "$source"
    CC=$gcc LDSHARED="$gcc -shared" CFLAGS="-march=armv8-a -fwrapv -I=/usr/include/python3.11" \
        _PYTHON_HOST_PLATFORM=linux-aarch64 \
        logged "$python" -m build --wheel --no-isolation --outdir "$base/dist" "$source"
    grep -E '^aarch64-linux-gnu-gcc .* -c ' "$base/build.log"
    ls "$base"/dist/*.whl
}

# The same versions as in the development environment; they are fetched again only if those have changed.
install_packages() {
    local wheel
    wheel=$(echo "$base"/dist/otrdb-*-linux_aarch64.whl)
    local for_arm=(
        --only-binary=:all: --implementation cp --python-version 3.11
        --platform manylinux_2_28_aarch64 --platform manylinux2014_aarch64 --platform linux_aarch64
    )
    quiet_pip install --no-deps --upgrade --target "$native" "$base"/dist/otrdb-*-linux_x86_64.whl
    quiet_pip freeze --exclude-editable >"$base/versions.wanted"
    if cmp -s "$base/versions.wanted" "$base/versions"; then
        quiet_pip install "${for_arm[@]}" --no-deps --upgrade --target "$packages" "$wheel"
    else
        rm -rf "$packages" "$base/versions"
        quiet_pip install "${for_arm[@]}" --target "$packages" --constraint "$base/versions.wanted" \
            "otrdb[arrow,parquet,pandas,polars,cli,collect] @ file://$wheel" pytest pytest-timeout hypothesis
        mv "$base/versions.wanted" "$base/versions"
    fi
}

smoke_test() {
    (cd "$base" && "$emulated/bin/python" -I) <<'PYTHON'
import pathlib, platform, sys
import crc32c, numpy, otrdb, pcodec
from otrdb import kernels

assert platform.machine() == "aarch64", platform.machine()
assert pathlib.Path(kernels.compiled.__file__).is_relative_to(sys.prefix), kernels.compiled.__file__
assert kernels.bisect(numpy.arange(10), 7) == 7
print("Python", platform.python_version(), "on", platform.machine(), "with numpy", numpy.__version__)
PYTHON
}

run_tests() {
    (
        cd "$source"
        HYPOTHESIS_PROFILE=few "$emulated/bin/python" -m pytest -q -m "not slow" --timeout 600 \
            "${left_out[@]/#/--ignore=}" "${tests[@]}"
    )
}

on_x86_64() { PYTHONPATH=$native "$python" "$tools/answer_hashes.py" "$@"; }
on_aarch64() { "$emulated/bin/python" "$tools/answer_hashes.py" "$@"; }

# Each machine answers from the archive it wrote, then from the one the other wrote.
compare_answers() {
    local other
    rm -rf "$answers"
    mkdir -p "$answers"
    on_x86_64 "$answers/x86-64.otr" >"$answers/x86-64"
    on_aarch64 "$answers/aarch64.otr" >"$answers/aarch64"
    on_aarch64 "$answers/x86-64.otr" >"$answers/aarch64-of-x86-64"
    on_x86_64 "$answers/aarch64.otr" >"$answers/x86-64-of-aarch64"
    for other in aarch64 aarch64-of-x86-64 x86-64-of-aarch64; do
        if ! diff "$answers/x86-64" "$answers/$other" >"$answers/difference"; then
            head -n 40 "$answers/difference"
            echo "$(grep -c '^<' "$answers/difference") answers differ: $answers/x86-64 and $other" >&2
            exit 1
        fi
    done
    echo "$(wc -l <"$answers/x86-64") hashes of answers: x86-64 and aarch64 agree on all, of either's archive"
    echo "SHA-256 of these lines: $(sha256sum <"$answers/x86-64" | cut -d ' ' -f 1)"
}

say "Tools"
install_tools
say "Python of arm64"
make_root
make_interpreter
say "Wheels"
build_wheels
install_packages
say "Import"
smoke_test
say "Tests: ${tests[*]}"
run_tests
say "Answers"
compare_answers
