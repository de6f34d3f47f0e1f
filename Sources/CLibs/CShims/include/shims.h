// What Swift cannot import: macros, variadics, intrinsics. The header pulls in as little of the C
// library as it can, because Swift's own Glibc module defines the same types without _GNU_SOURCE.
#pragma once
#include <stddef.h>
#include <stdint.h>

// CRC-32C (Castagnoli), RFC 3720 appendix B.4. Hardware instruction where the CPU has it.
uint32_t hg_crc32c(uint32_t crc, const void *data, size_t length);

// open(2) with O_CLOEXEC added; variadic in C.
int hg_open(const char *path, int flags, unsigned mode);

// Names the calling thread for operators' tools (top -H, perf).
void hg_name_thread(const char *name);

// Gives way to other threads: the calling thread's nice value becomes `value` (Linux, per thread).
void hg_lower_priority(int value);

// fallocate(2) of whole blocks from the start of the file; 0 or an errno.
int hg_preallocate(int descriptor, int64_t bytes);

// accept4(2) with SOCK_NONBLOCK | SOCK_CLOEXEC.
int hg_accept(int listener);

// eventfd(2), non-blocking and closed on exec.
int hg_eventfd(void);

// pthread_clockjoin_np(3) with a time from now; 0 when the thread has ended, else an errno.
int hg_join_within(unsigned long thread, int64_t milliseconds);

// Bytes of a TCP socket that its peer has not taken yet (SIOCOUTQ); 0 when it cannot be told.
int hg_unsent_bytes(int descriptor);

// Whether bytes stand anywhere in other bytes: memmem(3).
int hg_contains(const void *hay, size_t length, const void *needle, size_t needle_length);
