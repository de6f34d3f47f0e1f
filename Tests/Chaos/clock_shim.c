// Preloaded into an engine, this moves its wall clock by the milliseconds that stand in the first
// eight bytes of the file $HELIOGRAPH_TEST_CLOCK; a value of INT64_MIN + t lets it stand still at
// epoch millisecond t. Monotonic clocks are left alone, as they are when somebody sets a clock.
// (libfaketime 0.9.10 hides a Swift program's arguments from it.)
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *shift;

__attribute__((constructor)) static void map_shift(void) {
    const char *path = getenv("HELIOGRAPH_TEST_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *page = mmap(NULL, 8, PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) shift = page;
    close(file);
}

static void move(struct timespec *now) {
    int64_t by = shift ? *shift : 0;
    int64_t milliseconds = by;
    if (by < INT64_MIN / 2) {
        now->tv_sec = now->tv_nsec = 0;
        milliseconds = by - INT64_MIN;
    }
    int64_t nanoseconds = now->tv_nsec + milliseconds % 1000 * 1000000;
    now->tv_sec += milliseconds / 1000;
    if (nanoseconds < 0) {
        now->tv_sec -= 1;
        nanoseconds += 1000000000;
    }
    now->tv_sec += nanoseconds / 1000000000;
    now->tv_nsec = nanoseconds % 1000000000;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int status = (int)syscall(SYS_clock_gettime, clock, now);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) move(now);
    return status;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec precise;
    if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
