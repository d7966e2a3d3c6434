/*
 * fetcher.h: the seam between the network and the engine. What is fetched (rrdp_fetch.h, rpki/cycle.h) asks here and nowhere else: for a file by HTTPS, and for a folder by
 * rsync. Two implementations: fetcher_direct.h does it in this process, fetcher_link.h hands it to the process that has the network. So requests and events are plain values:
 * nothing in them points into the other side, and all of them are copied or used up during the call.
 *
 *   get:    head, then body..., then ended          (a transfer that fails may end at any point; the body is what is left after gzip was undone)
 *   rsync:  ended                                    (what came is in the folder)
 *
 * `ended` comes exactly once for what was begun, in a later turn, unless fetcher_cancel came first. All on the loop's thread.
 */
#ifndef RPKI_FETCH_FETCHER_H
#define RPKI_FETCH_FETCHER_H

#include "base/cursor.h"
#include "base/loop.h"
#include "base/mem.h"

#define FETCH_FOLDER 16     /* octets that name a folder */
#define FETCH_TREE "/tree"
#define FETCH_URI_MAX 4096u /* octets of a URI, with its end */
#define FETCH_TAG_MAX 1024u /* of an ETag or Last-Modified, with its end; longer ones are told as "" */
#define FETCH_WHY_MAX 512u  /* of the reason for an end, with its end; longer ones are cut */

struct fetcher;
typedef struct {
	uint64_t v; /* 0: none */
} fetch_h;

struct fetch_get {
	const char *uri BORROWED_FIELD;                            /* https: */
	const char *etag BORROWED_FIELD, *modified BORROWED_FIELD; /* for If-None-Match and If-Modified-Since; "": none */
	uint64_t max_octets;                                        /* of the body, expanded */
	uint32_t deadline_ms;                                       /* for the whole transfer; 0: what the fetcher has */
	uint32_t connect_ms;                                        /* for a connection to each address, and then for the first octet; 0: what the fetcher has */
};

/* A folder without the name of anything foreign: the fetcher makes it, below the one that it was given. */
struct fetch_rsync {
	const char *uri BORROWED_FIELD; /* a folder, with a slash at its end; or an object */
	uint8_t folder[FETCH_FOLDER];
	uint32_t deadline_ms;           /* 0: what the fetcher has */
	uint32_t connect_ms;            /* likewise; rounded up to seconds */
};

struct fetch_head {
	unsigned int status;
	const char *etag BORROWED_FIELD, *modified BORROWED_FIELD; /* "": none */
};

struct fetch_end {
	/* ERR_NONE: all is there. ERR_TIMEOUT: too slow or too late; ERR_LIMIT: too large; ERR_FORMAT: no HTTP or TLS, no such URI; ERR_REFUSED: certificate, redirect, nobody listens;
	 * ERR_NOTFOUND: no address for the name, no rsync; ERR_CLOSED: broken off, or the fetching process ended; ERR_SYSTEM, ERR_NOMEM */
	enum err e;
	const char *why BORROWED_FIELD; /* one line; "" with ERR_NONE */
	uint64_t octets;                /* get: of the body; rsync: 0 */
};

struct fetch_events {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	void (*head)(struct loop *l, void *object, fetch_h f, const struct fetch_head *h);
	void (*body)(struct loop *l, void *object, fetch_h f, struct span octets);
	void (*ended)(struct loop *l, void *object, fetch_h f, const struct fetch_end *e);
};

struct fetch_counts {
	uint64_t gets, rsyncs;                  /* begun */
	uint64_t failed;                        /* of both */
	uint64_t octets;                        /* over the wire, by HTTPS */
	uint64_t connections, reused, redirects; /* by HTTPS */
	uint64_t too_slow, too_late, too_large; /* ended by the rate floor, a deadline, a limit of octets */
	uint64_t names, names_failed;           /* looked up; without an answer */
	uint64_t waited;                        /* requests that a limit (per host, in all) let wait */
};

struct fetcher_ops {
	RESULT (*get)(struct fetcher *f, const struct fetch_get *q, const struct fetch_events *ev, fetch_h *ret);
	RESULT (*rsync)(struct fetcher *f, const struct fetch_rsync *q, const struct fetch_events *ev, fetch_h *ret);
	void (*pause)(struct fetcher *f, fetch_h h, bool paused);
	void (*cancel)(struct fetcher *f, fetch_h h);
	struct fetch_counts (*counts)(const struct fetcher *f);
	void (*free)(struct fetcher *f);
};

/* Every implementation's struct begins with this. */
struct fetcher {
	const struct fetcher_ops *ops BORROWED_FIELD;
	struct loop *loop PARENT_FIELD;
};

void fetcher_free(struct fetcher *f) TAKES(1); /* cancels what is under way */
DEFINE_AUTO(struct fetcher, fetcher_free)

/* ERR_NOMEM, ERR_CLOSED (the link is down): nothing was begun, and no event follows. What else is wrong is told by `ended`. */
RESULT fetcher_get(struct fetcher *f, const struct fetch_get *q, const struct fetch_events *ev, fetch_h *ret) NONNULL;
RESULT fetcher_rsync(struct fetcher *f, const struct fetch_rsync *q, const struct fetch_events *ev, fetch_h *ret) NONNULL;
/* Whoever cannot take more of a body for now. Some that is on its way may still come. The rate floor does not count meanwhile, the deadline does. A stale handle is fine. */
void fetcher_pause(struct fetcher *f, fetch_h h, bool paused) NONNULL;
void fetcher_cancel(struct fetcher *f, fetch_h h) NONNULL; /* no event follows. A stale handle is fine */
struct fetch_counts fetcher_counts(const struct fetcher *f) NONNULL; /* of a link: as of its last report */

/* Where the files of a folder of fetch_rsync are, below `dir`: "dir/HEXADECIMAL/tree". */
char *fetch_folder_path(const char *dir, const uint8_t folder[FETCH_FOLDER]) OWNED_BY(mem_free) NONNULL;

#endif
