#include "cbench.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <signal.h>

void *cbench_tls_context(void) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context) return NULL;
    // OpenSSL writes without MSG_NOSIGNAL; a server that goes away must not end the meter.
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

void cbench_tls_context_free(void *context) { SSL_CTX_free(context); }

void *cbench_tls_open(void *context, int descriptor) {
    SSL *tls = SSL_new(context);
    if (!tls) return NULL;
    if (SSL_set_fd(tls, descriptor) == 1 && SSL_connect(tls) == 1) return tls;
    SSL_free(tls);
    return NULL;
}

void cbench_tls_close(void *tls) { SSL_free(tls); }

// Gives what OpenSSL says the form of send and recv.
static long as_system_call(SSL *tls, int status) {
    if (status > 0) return status;
    int reason = SSL_get_error(tls, status);
    if (reason == SSL_ERROR_ZERO_RETURN) return 0;
    errno = reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
    return -1;
}

long cbench_tls_write(void *tls, const void *bytes, long count) {
    return as_system_call(tls, SSL_write(tls, bytes, (int)count));
}

long cbench_tls_read(void *tls, void *bytes, long count) {
    return as_system_call(tls, SSL_read(tls, bytes, (int)count));
}
