/*
 * operator_verbs.h: what the control socket's verbs do. They are answered by the process that serves, which has the facts; what only the monitor can do is asked of it, in a message of ten octets:
 * it is told what, and by whom it was asked, and no words.
 */
#ifndef RPKI_PROCESS_OPERATOR_VERBS_H
#define RPKI_PROCESS_OPERATOR_VERBS_H

#include "rpki/process/operator_server.h"
#include "rpki/serve/rtr_server.h"

#define OPERATOR_VERBOSITY_MAX 5u

enum operator_wish { WISH_RUN = 1, WISH_RELOAD, WISH_STOP, WISH_VERBOSITY, WISHES };

/* A message to the monitor (CONTROL_WISH), and back (CONTROL_GRANTED). */
struct operator_message {
	operator_ask_h ask;
	uint8_t what;  /* enum operator_wish */
	uint8_t value; /* of the verbosity; back: 1: it was done */
};
#define OPERATOR_MESSAGE 10u
struct span operator_message_write(const struct operator_message *m, uint8_t room[OPERATOR_MESSAGE]) NONNULL;
RESULT operator_message_read(struct span body, struct operator_message *ret) NONNULL; /* ERR_FORMAT */

/* Who answers, and from what. */
struct operator_desk {
	struct operator_server *server BORROWED_FIELD;
	const struct rtr_server *rtr BORROWED_FIELD;
	struct span status; /* flat, as it came last (rpki/serve/status.h); n 0: none has come */
	int64_t now;
	const char *version BORROWED_FIELD;
	/* Hands a wish to the monitor. */
	const void *ctx BORROWED_FIELD;
	RESULT (*wish)(const void *ctx, const struct operator_message *m);
};
void operator_do(const struct operator_desk *d, operator_ask_h ask, const struct operator_line *line) NONNULL;
void operator_granted(const struct operator_desk *d, const struct operator_message *m) NONNULL; /* the monitor has answered */

#endif
