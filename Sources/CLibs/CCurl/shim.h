#pragma once
// libcurl's setters take anything as their last argument, which Swift cannot call; each kind of
// argument that is used has a function here.
#include <curl/curl.h>

static inline CURLcode hg_curl_set_number(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode hg_curl_set_size(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode hg_curl_set_text(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode hg_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode hg_curl_set_headers(CURL *easy, struct curl_slist *list) {
    return curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
}

typedef size_t (*hg_curl_bytes)(char *bytes, size_t size, size_t count, void *context);
typedef int (*hg_curl_seek)(void *context, curl_off_t offset, int origin);
typedef curl_socket_t (*hg_curl_open)(void *context, curlsocktype purpose,
                                      struct curl_sockaddr *address);

static inline void hg_curl_on_read(CURL *easy, hg_curl_bytes function, void *context) {
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, function);
    curl_easy_setopt(easy, CURLOPT_READDATA, context);
}

static inline void hg_curl_on_write(CURL *easy, hg_curl_bytes function, void *context) {
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, function);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, context);
}

static inline void hg_curl_on_header(CURL *easy, hg_curl_bytes function, void *context) {
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, function);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, context);
}

static inline void hg_curl_on_seek(CURL *easy, hg_curl_seek function, void *context) {
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, function);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, context);
}

static inline void hg_curl_on_open(CURL *easy, hg_curl_open function, void *context) {
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, function);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, context);
}

static inline long hg_curl_status(CURL *easy) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static inline void *hg_curl_context(CURL *easy) {
    char *context = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &context);
    return context;
}

typedef int (*hg_curl_socket)(CURL *easy, curl_socket_t socket, int what, void *context,
                              void *socket_context);
typedef int (*hg_curl_timer)(CURLM *multi, long milliseconds, void *context);

static inline void hg_curl_multi_on_socket(CURLM *multi, hg_curl_socket function, void *context) {
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, function);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
}

static inline void hg_curl_multi_on_timer(CURLM *multi, hg_curl_timer function, void *context) {
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, function);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
}

static inline CURLMcode hg_curl_multi_set_number(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

// A finished transfer and how it ended; false when there is none.
static inline int hg_curl_next_finished(CURLM *multi, CURL **easy, CURLcode *result) {
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left))) {
        if (message->msg != CURLMSG_DONE) continue;
        *easy = message->easy_handle;
        *result = message->data.result;
        return 1;
    }
    return 0;
}

static inline int hg_curl_open_socket(struct curl_sockaddr *address) {
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}
