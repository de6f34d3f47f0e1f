# Sourced by ./deploy/test: runs its steps, one after the other or beside each other, and counts.
# shellcheck shell=bash disable=SC2154

passed=0 failed=0
table=() wrong=()
# Lines of a failed step that are shown again at the end.
failure_lines_max=12

# A step that only prepares counts when it fails, never as a test that passed.
is_test() { case $1 in setup | sdk-build | build-tests | release) return 1 ;; esac }

# Counts a step's tests from what its runner printed; a test without a runner counts as one.
count() {
    local log=$1 status=$2 counts good bad
    counts=$(awk -f "$repository/deploy/count.awk" "$log")
    read -r good bad <<<"$counts"
    if is_test "$3" && [ $((good + bad)) -eq 0 ]; then good=$((status == 0)); fi
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
    echo "$good $bad"
}

# account STEP SECONDS STATUS: into the table and the sums.
account() {
    local good bad
    read -r good bad <<<"$(count "$logs/$1.log" "$3" "$1")"
    passed=$((passed + good)) failed=$((failed + bad))
    table+=("$(printf '%-16s %6s s  %6s passed %5s failed' "$1" "$2" "$good" "$bad")")
    [ "$3" -ne 0 ] || return 0
    wrong+=("$1")
    note "'$1' failed; its output is in $logs/$1.log" \
        "and './deploy/test --only $1' runs it alone."
    return "$3"
}

run_step() {
    local step=$1 started=$SECONDS status=0
    printf '\n'
    say "$step"
    set +e
    ("step_$step") 2>&1 | tee "$logs/$step.log"
    status=${PIPESTATUS[0]}
    set -e
    account "$step" $((SECONDS - started)) "$status"
}

declare -A running=() begun=()

# start_beside STEP [PREPARATION]: in the background; what it prints is shown when it has ended.
start_beside() {
    say "$1 (beside others; shown when it has ended)"
    ("${2:-true}" && "step_$1") >"$logs/$1.log" 2>&1 &
    running[$!]=$1 begun[$!]=$SECONDS
}

# Of the lowest class, so that what is timed meanwhile does not notice.
at_leisure() { chrt --idle --pid 0 "$BASHPID" || renice -n 19 -p "$BASHPID"; }

finish_beside() {
    local pid='' status=0
    wait -n -p pid "${!running[@]}" || status=$?
    local step=${running[$pid]} seconds=$((SECONDS - begun[$pid]))
    unset "running[$pid]" "begun[$pid]"
    printf '\n'
    say "$step"
    cat "$logs/$step.log"
    account "$step" "$seconds" "$status" || true
}

run_waiting() {
    local step
    for step in "${waiting[@]}"; do
        wanted "$step" || continue
        [ "${#running[@]}" -lt "$beside_max" ] || finish_beside
        start_beside "$step"
    done
    while [ "${#running[@]}" -gt 0 ]; do finish_beside; done
}

is_waiting() {
    local step
    for step in "${waiting[@]}"; do [ "$step" != "$1" ] || return 0; done
    return 1
}

report() {
    printf '\n'
    say "What took how long"
    printf '    %s\n' "${table[@]}"
    printf '    %-16s %6s s\n' all "$SECONDS"
    local step
    for step in "${wrong[@]}"; do
        printf '\n    %s failed:\n' "$step"
        awk -v most="$failure_lines_max" -f "$repository/deploy/failures.awk" "$logs/$step.log"
    done
    printf '\n%s passed, %s failed\n' "$passed" "$failed"
}
