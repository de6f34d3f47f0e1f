// What the load generator needs of Linux that Swift's Glibc module does not offer: epoll and
// thread names. Kept apart from the engine's shims, so that the meter shares no code with what
// it measures.
#pragma once
#include <stdint.h>

// A new epoll instance, or -1.
int cbench_epoll_create(void);

// Watches `descriptor` for input, and for room to write when `writable` is not 0. The events of
// it will carry `tag`. `existing` is 0 for the first call on a descriptor. Returns 0 or -1.
int cbench_epoll_watch(int epoll, int descriptor, uint32_t tag, int writable, int existing);

// Waits for at most `timeout_nanoseconds` (-1: until an event) and writes the tags of the ready
// descriptors to `tags`. Returns how many, 0 at the timeout, -1 on failure other than EINTR.
int cbench_epoll_wait(int epoll, uint32_t *tags, int capacity, int64_t timeout_nanoseconds);

// Names the calling thread for /proc, perf and top -H.
void cbench_name_thread(const char *name);

// Lets the calling thread's timers fire within a microsecond instead of the usual 50.
void cbench_precise_timers(void);

// When the program is told to stop (SIGINT, SIGTERM, SIGHUP), `child` is told too. 0: no child.
void cbench_stop_together(int child);
