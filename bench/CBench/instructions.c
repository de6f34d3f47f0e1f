#define _GNU_SOURCE
#include "cbench.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

int cbench_instructions_open(void) {
    struct perf_event_attr wanted = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(struct perf_event_attr),
        .config = PERF_COUNT_HW_INSTRUCTIONS,
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };
    return (int)syscall(SYS_perf_event_open, &wanted, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

int64_t cbench_instructions(int counter) {
    int64_t count = -1;
    if (counter < 0 || read(counter, &count, sizeof count) != sizeof count) return -1;
    return count;
}
