# Sourced by the scripts beside it: compiles Ground's modules by hand, with flags that SwiftPM does
# not pass on per target, such as coverage for a fuzzer.
# shellcheck shell=bash

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# A crash in a fuzz run should end the process, not wait on the symbolicating backtracer.
export SWIFT_BACKTRACE=enable=no
language=(-swift-version 6 -parse-as-library -enable-upcoming-feature ExistentialAny
    -enable-upcoming-feature MemberImportVisibility
    -enable-upcoming-feature InternalImportsByDefault)

# c_shims FOLDER: what Swift imports as CShims, as an object and a module map.
c_shims() {
    local sources=$repository/Sources/CLibs/CShims
    mkdir -p "$1"
    clang -O2 -c "$sources/shims.c" -I "$sources/include" -o "$1/CShims.o"
    printf 'module CShims { header "%s" export * }\n' "$sources/include/shims.h" \
        >"$1/module.modulemap"
}

# swift_module FOLDER NAME SOURCE_FOLDER FLAG…
swift_module() {
    local folder=$1 name=$2 sources=$3
    shift 3
    swiftc "${language[@]}" "$@" -wmo -module-name "$name" -I "$folder" \
        -emit-module -emit-module-path "$folder/$name.swiftmodule" \
        -emit-object -o "$folder/$name.o" "$sources"/*.swift
}

# framing_modules FOLDER FLAG…: what frames a request, of Wire and Settings the few files it needs.
framing_modules() {
    local folder=$1 part=$1/part
    shift
    mkdir -p "$part/Settings" "$part/Wire"
    cp "$repository/Sources/Ground/Settings/Limits.swift" "$part/Settings/"
    cp "$repository"/Sources/Engine/Wire/{RequestParser,RequestHead,FieldGrammar,ChunkedDecoder}.swift \
        "$part/Wire/"
    c_shims "$folder"
    swift_module "$folder" Units "$repository/Sources/Ground/Units" "$@"
    swift_module "$folder" Bytes "$repository/Sources/Ground/Bytes" "$@"
    swift_module "$folder" Settings "$part/Settings" "$@"
    swift_module "$folder" Wire "$part/Wire" "$@"
}
