# Sums "module<TAB>covered<TAB>count" by module, prints a table, and fails below the floor.
BEGIN { FS = "\t" }
{
    covered[$1] += $2; lines[$1] += $3
    covered_all += $2; lines_all += $3
}
END {
    if (lines_all == 0) {
        print "    no line of Sources/Ground or Sources/Engine was measured"
        exit 1
    }
    for (name in lines)
        if (lines[name] > 0)
            printf "    %-24s %6.1f %%  of %6d lines\n", name, 100 * covered[name] / lines[name],
                lines[name] | "sort"
    close("sort")
    percent = 100 * covered_all / lines_all
    printf "    %-24s %6.1f %%  of %6d lines (floor %d %%)\n", "Ground and Engine", percent,
        lines_all, floor
    if (percent < floor) {
        print "    below the floor: test the promises of the modules that pull it down"
        exit 1
    }
}
