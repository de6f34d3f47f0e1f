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

# What a module is built of here: all of its sources, or those that need no further library.
module_sources() {
    local ground=$repository/Sources/Ground engine=$repository/Sources/Engine
    case $1 in
    Settings) echo "$ground"/Settings/{Limits,InternetAddress}.swift ;;
    Proxies) echo "$engine"/Intake/{ProxyHeader,ForwardedAddress}.swift ;;
    Framing) echo "$engine"/Wire/{RequestParser,RequestHead,FieldGrammar,ChunkedDecoder}.swift ;;
    Sources)
        echo "$engine"/Enrichment/{PageSource,Campaign,Address,Channel,SourceTable}.swift \
            "$engine"/Enrichment/{JSONMembers,StaticText,WordAutomaton}.swift
        ;;
    Agents)
        echo "$engine"/Enrichment/{WordAutomaton,AgentWords,AgentTables,AgentTokens}.swift \
            "$engine"/Enrichment/{AgentShape,UserAgent,UserAgentReader,BotRules}.swift \
            "$engine"/Enrichment/{RequestFacts,StaticText}.swift
        ;;
    Wire) find "$engine/Wire" -name '*.swift' ! -name 'ResponseWriter*' | sort ;;
    # Who is suppressed is a table of threads, without anything to parse.
    Privacy) find "$engine/Privacy" -name '*.swift' ! -name 'SuppressedSubjects*' | sort ;;
    Units | Bytes | Records) find "$ground/$1" -name '*.swift' | sort ;;
    *) find "$engine/$1" -name '*.swift' | sort ;;
    esac
}

# What SwiftPM's resources are in a build by hand: the word lists of the detector as constants.
word_lists() {
    local file
    echo 'enum PackageResources {'
    for file in "$repository"/Sources/Engine/Privacy/Words/*.txt; do
        printf '    static let %s_txt: [UInt8] = Array(#"""\n' "$(basename "$file" .txt)"
        cat "$file"
        printf '"""#.utf8)\n'
    done
    echo '}'
}

# fuzz_module FOLDER NAME FLAG…: `Framing` is Wire without what frames no request, `Sources` and
# `Agents` are the parts of Enrichment that read addresses and user agents. `Agents` is open to its
# target, which makes its own words: the engine reads them from a file. `Proxies` is what Intake
# reads of the client's address.
fuzz_module() {
    local folder=$1 name=$2 part=$1/part/$2
    shift 2
    rm -rf "$part" && mkdir -p "$part"
    module_sources "$name" | xargs cp -t "$part"
    [ "$name" != Privacy ] || word_lists >"$part/WordListResources.swift"
    [ "$name" != Framing ] || name=Wire
    [ "$name" != Agents ] && [ "$name" != Proxies ] || set -- "$@" -enable-testing
    [ "$name" != Proxies ] || name=Intake
    case $name in Sources | Agents) name=Enrichment ;; esac
    swift_module "$folder" "$name" "$part" -I "$repository/Sources/CLibs" "$@"
}

c_libraries=(-lz)

# shared_modules ROOT "NAME…" FLAG…: builds those whose sources, or those of one before them,
# have changed, each in a folder of its own. Sets module_includes and module_objects for who uses them.
shared_modules() {
    local root=$1 names=$2 name folder digest
    shift 2
    digest=$(cd "$repository" && cat Sources/CLibs/CShims/*.c Tests/Fuzz/modules.sh | sha256sum)
    module_includes=(-I "$root/CShims")
    module_objects=("$root/CShims/CShims.o")
    if ! is_built "$root/CShims" "$digest"; then
        c_shims "$root/CShims" || return 1
        mark "$root/CShims" "$digest"
    fi
    for name in $names; do
        folder=$root/$name
        digest=$({ echo "$digest" && module_sources "$name" | xargs cat; } | sha256sum)
        if ! is_built "$folder" "$digest"; then
            fuzz_module "$folder" "$name" "${module_includes[@]}" "$@" || return 1
            mark "$folder" "$digest"
        fi
        module_includes+=(-I "$folder")
        module_objects+=("$folder"/*.o)
    done
    modules_digest=$digest
}

is_built() { [ "$(cat "$1/stamp" 2>/dev/null)" = "$2" ]; }
mark() { echo "$2" >"$1/stamp"; }

# framing_modules FOLDER FLAG…: what frames a request.
framing_modules() {
    local folder=$1 module
    shift
    c_shims "$folder"
    for module in Units Bytes Settings Framing; do fuzz_module "$folder" "$module" "$@"; done
}
