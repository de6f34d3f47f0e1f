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

// Lets the process open as many files and sockets as the machine allows it.
void cbench_allow_files(void);

// Names the calling thread for /proc, perf and top -H.
void cbench_name_thread(const char *name);

// Lets the calling thread's timers fire within a microsecond instead of the usual 50.
void cbench_precise_timers(void);

// When the program is told to stop (SIGINT, SIGTERM, SIGHUP), `child` is told too. 0: no child.
void cbench_stop_together(int child);

// A client's TLS context that takes any certificate, or NULL.
void *cbench_tls_context(void);
void cbench_tls_context_free(void *context);

// Shakes hands over a blocking, connected socket, which stays the caller's. NULL on failure.
void *cbench_tls_open(void *context, int descriptor);
void cbench_tls_close(void *tls);

// As send and recv: bytes, 0 at the end of the stream, -1 with errno EAGAIN or EIO.
long cbench_tls_write(void *tls, const void *bytes, long count);
long cbench_tls_read(void *tls, void *bytes, long count);

// Opens a counter of the calling thread's instructions in user space; -1 where the machine or the
// kernel has none to offer.
int cbench_instructions_open(void);

// Instructions since it was opened, or -1.
int64_t cbench_instructions(int counter);
