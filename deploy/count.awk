# Reads a test runner's output and prints "PASSED FAILED". Knows Swift Testing's closing line,
# node's test runner, Python's unittest, and the plain form "N passed, N failed".
/Test run with [0-9]+ tests? / {
    match($0, /with [0-9]+/)
    swift += substr($0, RSTART + 5, RLENGTH - 5)
}
/^✘ Test .* failed after / && !/^✘ Test run with / { bad++ }
/^(ℹ|#) pass [0-9]+$/ { good += $3 }
/^(ℹ|#) fail [0-9]+$/ { bad += $3 }
/^Ran [0-9]+ tests? in / { python += $2 }
/^FAILED \(/ {
    line = $0
    while (match(line, /(failures|errors)=[0-9]+/)) {
        number = substr(line, RSTART, RLENGTH); sub(/.*=/, "", number); python_bad += number
        line = substr(line, RSTART + RLENGTH)
    }
}
/^([a-z-]+: )?[0-9]+ passed, [0-9]+ failed/ {
    line = $0; sub(/^[a-z-]+: /, "", line); split(line, part, " ")
    good += part[1]; bad += part[3]
}
END {
    swift_bad = bad < swift ? bad : swift
    good += (swift > 0 ? swift - swift_bad : 0) + python - python_bad
    printf "%d %d\n", good, bad + python_bad
}
