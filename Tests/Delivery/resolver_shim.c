// Preloaded into a forwarder, this makes names under `.example` lead where they should not: to this
// machine and its networks, by every kind of address, and one that leads elsewhere the second time.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <string.h>

static const char *place(const char *name) {
    static atomic_int asked;
    if (!strcmp(name, "v4-loopback.example")) return "127.0.0.1";
    if (!strcmp(name, "v4-mapped.example")) return "::ffff:127.0.0.1";
    if (!strcmp(name, "v6-loopback.example")) return "::1";
    if (!strcmp(name, "v4-private.example")) return "10.0.0.1";
    if (!strcmp(name, "v4-metadata.example")) return "169.254.169.254";
    if (!strcmp(name, "v6-local.example")) return "fe80::1";
    if (!strcmp(name, "rebinding.example"))
        return atomic_fetch_add(&asked, 1) == 0 ? "198.51.100.1" : "127.0.0.1";
    return name;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))dlsym(
            RTLD_NEXT, "getaddrinfo");
    return real(name ? place(name) : name, service, hints, found);
}
