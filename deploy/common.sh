# Sourced by the scripts beside it: how they speak, and how they find the toolchain.
# shellcheck shell=bash

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build_jobs=${HELIOGRAPH_BUILD_JOBS:-$(nproc 2>/dev/null || echo 2)}

bold='' red='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' red=$'\033[1;31m' plain=$'\033[0m'; fi

say() { printf '%s==>%s %s\n' "$bold" "$plain" "$*"; }
note() { printf '    %s\n' "$*"; }

# fail WHAT [WHAT TO DO …]: every failure ends with something the reader can do.
fail() {
    printf '\n%serror:%s %s\n' "$red" "$plain" "$1" >&2
    shift
    local line
    for line in "$@"; do printf '       %s\n' "$line" >&2; done
    exit 1
}

# as_root COMMAND…: directly as root, through sudo otherwise.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        fail "this needs root rights and sudo is not installed: $*" \
            "Run that command as root, then run this script again as yourself."
    fi
}

# find_swift: puts a Swift that is new enough on PATH, or says how to get one.
find_swift() {
    local folder
    if ! command -v swift >/dev/null 2>&1; then
        for folder in "$HOME/.local/share/swiftly/bin" /usr/local/swift/usr/bin \
            /usr/libexec/swift/bin; do
            [ -x "$folder/swift" ] && PATH="$folder:$PATH" && export PATH && break
        done
    fi
    command -v swift >/dev/null 2>&1 || fail "Swift is not on PATH." \
        "Install Swift 6.2 or newer (https://www.swift.org/install/linux) and open a new shell," \
        "or add its folder to PATH. Under sudo, PATH is replaced: run this script without sudo."
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' |
        head -n 1)
    [ -n "$version" ] || fail "'swift --version' did not answer with a version." \
        "Run it yourself: a missing system library is the usual cause."
    if [ "$(printf '6.2\n%s\n' "$version" | sort -V | head -n 1)" != 6.2 ]; then
        fail "Swift $version is too old: Heliograph needs 6.2 or newer." \
            "https://www.swift.org/install/linux tells how to get a current one."
    fi
}

# writable_build_folder: a build folder made by root stops a later run by a user, and says nothing.
writable_build_folder() {
    local folder
    for folder in "$repository" "$repository/.build"; do
        [ ! -e "$folder" ] || [ -w "$folder" ] || fail "$folder belongs to another user." \
            "It was probably made by a run as root. Give it back to yourself:" \
            "sudo chown -R $(id -un): '$repository'"
    done
}

# build_sdk: the browser SDK, which the engine serves as /hg.js.
build_sdk() {
    [ -x "$repository/sdk-js/build" ] || fail "sdk-js/build is missing." \
        "This does not look like a whole clone: try 'git status' and 'git checkout sdk-js'."
    say "Browser SDK (sdk-js/build)"
    "$repository/sdk-js/build" || fail "the browser SDK did not build; its message is above."
}

# build_hub: what people look at, which the companion serves at /hub/.
build_hub() {
    say "Hub (Sources/Companion/Hub/build)"
    "$repository/Sources/Companion/Hub/build" ||
        fail "the Hub did not build; its message is above."
}

# build_release PRODUCT
build_release() {
    say "Release build of $1 (the first one takes some minutes, later ones seconds)"
    swift build --package-path "$repository" -c release --product "$1" -j "$build_jobs" ||
        fail "'swift build' failed; the compiler's first message above names the cause." \
            "If a package could not be fetched, check that this machine reaches its host." \
            "If a C header is missing, run ./deploy/setup again."
}
