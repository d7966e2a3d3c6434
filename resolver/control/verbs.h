/*
 * verbs.h: what the control socket can be asked. A command runs on the main loop: it answers at once, or in steps (dumps), or when all workers have done their part.
 * Replies are text as unbound-control prints it, or JSON: {"lines": [...], "values": {...}}, {"ok": true}, {"error": "..."}.
 */
#ifndef RESOLVER_CONTROL_VERBS_H
#define RESOLVER_CONTROL_VERBS_H

#include "base/arena.h"
#include "base/mem.h"
#include "dns/name.h"
#include "resolver/control/request.h"
#include "resolver/daemon.h"

struct explain_job;
struct exposure_job;
struct loading;
struct route_job;
struct local_zones;

LOOP_HANDLE(command)

enum reply_part { REPLY_NOTHING, REPLY_LINES, REPLY_VALUES, REPLY_ENDED };

struct command {
	struct daemon *daemon PARENT_FIELD;
	struct loop *loop PARENT_FIELD;
	command_h self;
	struct dead dead;
	bool closed;
	struct request_words words;

	struct strbuf *out OWNED_FIELD; /* what the client shall get, as far as it was not sent */
	enum reply_part part;
	bool first;                     /* of its part: no comma yet */
	bool waiting;                   /* a round is under way: command_resume() follows */
	/* Lines that come after the command; NULL: it takes none. Called with {NULL, 0} at the end mark. */
	void (*line)(struct command *c, struct span line);
	/* Makes more of the reply; called while the client takes it, until it returns true: the end. NULL: all is there. */
	bool (*step)(struct command *c);
	void (*ready)(struct loop *l, void *ctx, struct command *c); /* tells the session that there is more to send */
	void *ready_ctx PARENT_FIELD; /* own-ok: R15 the session, which closes its command before it goes */

	/* For steps and lines. */
	uint64_t cursor;
	unsigned int stage;
	uint64_t count, bad;
	uint16_t type;
	bool flag;
	struct name_buf name;
	struct local_zones *zones OWNED_FIELD; /* the changed copy */
	struct arena *arena OWNED_FIELD;
	struct loading *loading OWNED_FIELD;
	struct explain_job *explain ARENA_FIELD;
	struct route_job *route ARENA_FIELD;
	struct exposure_job *exposure ARENA_FIELD;
	struct rrcache *kept OWNED_FIELD; /* answers, for explain */
};

void command_free(struct command *c) TAKES(1);
struct command *command_new(struct daemon *d) OWNED_BY(command_free) NONNULL;
DEFINE_AUTO(struct command, command_free)
void command_close(struct command *c) NONNULL; /* freed when the turn ends */
/* Runs the words. Afterwards: line, step or waiting say what is to come; none of them: the reply is whole. */
void command_run(struct command *c) NONNULL;
/* A round of all workers has ended. */
void command_resume(struct command *c) NONNULL;

/* The reply. */
void reply_ok(struct command *c) NONNULL;
void reply_error(struct command *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void reply_line(struct command *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void reply_lines(struct command *c, const char *text) NONNULL; /* each line of text */
void reply_value(struct command *c, const char *name, uint64_t value) NONNULL;
void reply_text_value(struct command *c, const char *name, const char *separator, const char *value) NONNULL;
void reply_end(struct command *c) NONNULL; /* once, when nothing more comes */

/* each runs on all workers, with a copy of c->name as ctx, to be read only; done gets what they wrote, while the client is still there. */
typedef void command_done_fn(struct command *c, struct strbuf *const *outs, size_t n);
void command_round(struct command *c, round_each_fn *each, command_done_fn *done) NONNULL;

/* Argument i as a domain name; false: said in the reply. */
bool command_name(struct command *c, size_t i, struct name_buf *ret) NONNULL;

typedef void verb_fn(struct command *c);
struct verb {
	const char *name BORROWED_FIELD;
	unsigned int min, max; /* arguments */
	verb_fn *fn;
	const char *usage BORROWED_FIELD;
};
/* Tables of the other files; each ends with a NULL name. */
extern const struct verb cache_verbs[], zone_verbs[], stats_verbs[], anchor_verbs[], explain_verbs[], route_verbs[], metrics_verbs[], exposure_verbs[], filter_verbs[];

#endif
