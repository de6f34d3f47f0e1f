// Static inline wrappers for what Swift cannot import: macros, unions, variadics, intrinsics.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

// CRC-32C (Castagnoli), RFC 3720 appendix B.4. Hardware instruction where the CPU has it.
uint32_t hg_crc32c(uint32_t crc, const void *data, size_t length);

static inline int hg_errno(void) { return errno; }
static inline int hg_open_create(const char *path, int flags, unsigned mode) {
    return open(path, flags | O_CLOEXEC, mode);
}
