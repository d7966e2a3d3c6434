/*
 * operator_server.h: the control socket's connections. Each says one line and gets one answer, which may come in a later turn; then it is closed. Who may connect is said by the
 * socket's mode.
 *
 *   reading --> asked --> answering --> closed      (OPERATOR_MS after it came, a connection is closed wherever it is)
 */
#ifndef RPKI_PROCESS_OPERATOR_SERVER_H
#define RPKI_PROCESS_OPERATOR_SERVER_H

#include "base/strbuf.h"
#include "net/host.h"
#include "rpki/process/operator_line.h"

#define OPERATOR_CLIENTS 16u  /* at a time; the next one is closed */
#define OPERATOR_MS 60000u    /* from a connection to the end of the answer */
#define OPERATOR_ANSWER_MAX ((size_t)64 << 20)

struct operator_server;
LOOP_HANDLE(operator_ask)

struct operator_events {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	/* line lasts as long as the call. operator_answer() is due, then or later. */
	void (*asked)(struct loop *l, void *object, operator_ask_h ask, const struct operator_line *line);
};

void operator_server_free(struct operator_server *s) TAKES(1);
struct operator_server *operator_server_new(struct host *h, const struct operator_events *ev) OWNED_BY(operator_server_free) NONNULL; /* h outlives it */
DEFINE_AUTO(struct operator_server, operator_server_free)
RESULT operator_server_listen(struct operator_server *s, const struct listen_options *o) NONNULL;

/* Takes the text. One with an error becomes an error's answer. A stale handle is fine, and so is a second answer: it is dropped. */
void operator_answer(struct operator_server *s, operator_ask_h ask, struct strbuf *text) TAKES(3) __attribute__((nonnull(1)));
/* "error ..." or {"error": "..."} */
void operator_refuse(struct operator_server *s, operator_ask_h ask, const char *fmt, ...) NONNULL PRINTF_LIKE(3, 4);

struct operator_counts {
	uint64_t accepted, refused, malformed, late;
};
struct operator_counts operator_server_counts(const struct operator_server *s) NONNULL;

#endif
