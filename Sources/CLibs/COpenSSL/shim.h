#pragma once
// OpenSSL 3. Swift cannot import macros with arguments; each that is used has a function here.
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static inline int hg_tls_set_oldest(SSL_CTX *context, int version) {
    return SSL_CTX_set_min_proto_version(context, version);
}

static inline int hg_tls_set_groups(SSL_CTX *context, const char *list) {
    return SSL_CTX_set1_groups_list(context, list);
}

static inline void hg_tls_set_modes(SSL_CTX *context) {
    // A retried write may come from elsewhere in memory, and idle connections keep no buffers.
    SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static inline void hg_tls_set_options(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
}

static inline void hg_tls_set_name_callback(SSL_CTX *context,
                                            int (*callback)(SSL *, int *, void *),
                                            void *argument) {
    SSL_CTX_set_tlsext_servername_callback(context, callback);
    SSL_CTX_set_tlsext_servername_arg(context, argument);
}

static inline void hg_bio_ask_again_for_bytes(BIO *bio) { BIO_set_retry_read(bio); }
static inline void hg_bio_forget_asking(BIO *bio) { BIO_clear_retry_flags(bio); }
