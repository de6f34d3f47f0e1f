# Reads a failed step's output and prints the lines that say what failed, the last lines where none
# does: whoever sees only the end of a long run is to find the cause there.
function shorten(line) {
    gsub(/\033\[[0-9;]*m/, "", line)
    return length(line) > 600 ? substr(line, 1, 600) "…" : line
}
/^✘ Test run with / || /^✘ Suite / { next }
/^✘ / || /^ *(FAIL|FAILED|WRONG|not ok) / || /^[a-z]+: failed: / || /: error: / || /^FAIL: / ||
/^ERROR: / || /^Fatal error: / || /^Traceback / || /^[A-Za-z]+(Error|Exception): / ||
/ failed \(or ran longer/ {
    if (++found <= most) print "      " shorten($0)
}
{ last[NR % 8] = $0 }
END {
    if (found > most) print "      … and " found - most " more such lines"
    if (found == 0)
        for (line = NR > 8 ? NR - 7 : 1; line <= NR; line++) print "      " shorten(last[line % 8])
}
