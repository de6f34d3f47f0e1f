// Counts allocations and Swift's reference counting per thread, for bench/count-mallocs, which
// compiles it and loads it into the engine with LD_PRELOAD. Retains and releases are seen where
// Swift's runtime is a shared library, calls within the runtime itself are not. The counts live in a file that the script reads while the engine runs.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { slot_count = 1024 };

// One thread's counts. Written by that thread only; the script reads them at any time.
struct slot {
    uint64_t thread;
    uint64_t calls;
    uint64_t bytes;
    uint64_t retains;
    uint64_t releases;
    uint64_t unused[3];
};

static struct slot *table;
static uint32_t used;
static __thread struct slot *mine __attribute__((tls_model("initial-exec")));

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

// Runs before main. Programs that the engine starts are not counted, so the variable goes.
__attribute__((constructor)) static void open_table(void) {
    const char *path = getenv("HELIOGRAPH_MALLOC_COUNTS");
    unsetenv("LD_PRELOAD");
    if (!path) return;
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    size_t length = slot_count * sizeof(struct slot);
    void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory != MAP_FAILED) __atomic_store_n(&table, memory, __ATOMIC_RELEASE);
}

static struct slot *claim(void) {
    struct slot *slots = __atomic_load_n(&table, __ATOMIC_ACQUIRE);
    if (!slots) return NULL;
    uint32_t index = __atomic_fetch_add(&used, 1, __ATOMIC_RELAXED);
    // Threads beyond the table share the last slot; the script warns when that is in use.
    mine = &slots[index < slot_count ? index : slot_count - 1];
    mine->thread = (uint64_t)gettid();
    return mine;
}

static inline void count(size_t size) {
    struct slot *slot = mine ? mine : claim();
    if (!slot) return;
    __atomic_store_n(&slot->calls, slot->calls + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->bytes, slot->bytes + size, __ATOMIC_RELAXED);
}

static inline void count_references(int retains, int releases) {
    struct slot *slot = mine ? mine : claim();
    if (!slot) return;
    __atomic_store_n(&slot->retains, slot->retains + retains, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->releases, slot->releases + releases, __ATOMIC_RELAXED);
}

// Swift's runtime calls by their C signatures; each is looked up behind this library once.
#define RETAINING(name, parameters, arguments)                                                 \
    void *name parameters {                                                                    \
        static void *(*real) parameters;                                                       \
        if (!real) real = (void *(*) parameters)dlsym(RTLD_NEXT, #name);                       \
        count_references(1, 0);                                                                \
        return real arguments;                                                                 \
    }
#define RELEASING(name, parameters, arguments)                                                 \
    void name parameters {                                                                     \
        static void(*real) parameters;                                                         \
        if (!real) real = (void (*) parameters)dlsym(RTLD_NEXT, #name);                        \
        count_references(0, 1);                                                                \
        real arguments;                                                                        \
    }

RETAINING(swift_retain, (void *object), (object))
RETAINING(swift_retain_n, (void *object, uint32_t times), (object, times))
RETAINING(swift_bridgeObjectRetain, (void *object), (object))
RETAINING(swift_bridgeObjectRetain_n, (void *object, int times), (object, times))
RELEASING(swift_release, (void *object), (object))
RELEASING(swift_release_n, (void *object, uint32_t times), (object, times))
RELEASING(swift_bridgeObjectRelease, (void *object), (object))
RELEASING(swift_bridgeObjectRelease_n, (void *object, int times), (object, times))

void *malloc(size_t size) {
    count(size);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count(number * size);
    return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size) {
    count(size);
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
    count(size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **block, size_t alignment, size_t size) {
    void *found = memalign(alignment, size);
    if (!found) return ENOMEM;
    *block = found;
    return 0;
}
