#define _GNU_SOURCE
#include "shims.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int hg_open(const char *path, int flags, unsigned mode) {
    return open(path, flags | O_CLOEXEC, mode);
}

void hg_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

void hg_lower_priority(int value) {
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), value);
}

int hg_join_within(unsigned long thread, int64_t milliseconds) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += milliseconds % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec += 1;
        until.tv_nsec -= 1000000000;
    }
    // Not by the wall clock: somebody may set it back meanwhile.
    return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until);
}

int hg_preallocate(int descriptor, int64_t bytes) {
    return fallocate(descriptor, 0, 0, bytes) == 0 ? 0 : errno;
}

int hg_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int hg_accept(int listener) {
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

#if defined(__x86_64__)
#include <nmmintrin.h>
__attribute__((target("sse4.2"))) static uint32_t crc_hardware(
    uint32_t crc, const unsigned char *p, size_t n) {
    uint64_t c = crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        c = _mm_crc32_u64(c, word);
    }
    for (; n > 0; n--, p++) c = _mm_crc32_u8((uint32_t)c, *p);
    return (uint32_t)c;
}
static int has_hardware(void) { return __builtin_cpu_supports("sse4.2"); }
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
static uint32_t crc_hardware(uint32_t crc, const unsigned char *p, size_t n) {
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        crc = __crc32cd(crc, word);
    }
    for (; n > 0; n--, p++) crc = __crc32cb(crc, *p);
    return crc;
}
static int has_hardware(void) { return 1; }
#else
static uint32_t crc_hardware(uint32_t crc, const unsigned char *p, size_t n) {
    (void)p; (void)n;
    return crc;
}
static int has_hardware(void) { return 0; }
#endif

// Bitwise form of the same polynomial, reflected 0x1EDC6F41, for machines without the instruction.
static uint32_t crc_portable(uint32_t crc, const unsigned char *p, size_t n) {
    for (; n > 0; n--, p++) {
        crc ^= *p;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1u)));
    }
    return crc;
}

uint32_t hg_crc32c(uint32_t crc, const void *data, size_t length) {
    crc = ~crc;
    crc = has_hardware() ? crc_hardware(crc, data, length) : crc_portable(crc, data, length);
    return ~crc;
}

int hg_unsent_bytes(int descriptor) {
    int count = 0;
    return ioctl(descriptor, SIOCOUTQ, &count) == 0 ? count : 0;
}

int hg_contains(const void *hay, size_t length, const void *needle, size_t needle_length) {
    return memmem(hay, length, needle, needle_length) != NULL;
}
