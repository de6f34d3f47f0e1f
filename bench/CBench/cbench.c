#define _GNU_SOURCE
#include "cbench.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { tags_at_once = 256 };

int cbench_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int cbench_epoll_watch(int epoll, int descriptor, uint32_t tag, int writable, int existing) {
    struct epoll_event event = {.events = EPOLLIN | (writable ? EPOLLOUT : 0), .data.u32 = tag};
    return epoll_ctl(epoll, existing ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event);
}

// epoll_wait counts in milliseconds, too coarse for an open loop at 10 000 requests per second;
// ppoll on the epoll descriptor sleeps to the nanosecond on every kernel.
static int sleep_until_ready(int epoll, int64_t timeout_nanoseconds) {
    struct pollfd watched = {.fd = epoll, .events = POLLIN};
    struct timespec timeout = {timeout_nanoseconds / 1000000000, timeout_nanoseconds % 1000000000};
    return ppoll(&watched, 1, timeout_nanoseconds < 0 ? NULL : &timeout, NULL);
}

int cbench_epoll_wait(int epoll, uint32_t *tags, int capacity, int64_t timeout_nanoseconds) {
    struct epoll_event events[tags_at_once];
    if (capacity > tags_at_once) capacity = tags_at_once;
    int timeout = timeout_nanoseconds < 0 ? -1 : 0;
    if (timeout_nanoseconds > 0 && sleep_until_ready(epoll, timeout_nanoseconds) == 0) return 0;
    int count = epoll_wait(epoll, events, capacity, timeout);
    if (count < 0) return errno == EINTR ? 0 : -1;
    for (int i = 0; i < count; i++) tags[i] = events[i].data.u32;
    return count;
}

void cbench_allow_files(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

void cbench_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

void cbench_precise_timers(void) { prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0); }

// Written by the main thread before the signals are let in, read by the handler.
static volatile sig_atomic_t stopped_together;

static void stop_both(int signal_number) {
    if (stopped_together > 0) kill(stopped_together, SIGTERM);
    _exit(128 + signal_number);
}

void cbench_stop_together(int child) {
    stopped_together = child;
    struct sigaction action = {.sa_handler = stop_both};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}
