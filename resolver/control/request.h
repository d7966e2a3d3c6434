/*
 * request.h: unbound-control's line protocol, read: "UBCT1 [--json] VERB ARGUMENTS\n", and for verbs that take lines those lines, up to one that is octet 4 alone.
 * Octets come in pieces of any size; nothing is kept but one unfinished line.
 */
#ifndef RESOLVER_CONTROL_REQUEST_H
#define RESOLVER_CONTROL_REQUEST_H

#include "base/cursor.h"
#include "base/strbuf.h"

#define REQUEST_LINE_MAX (1u << 20) /* octets of a line */
#define REQUEST_WORDS 64

/* A command line cut into words; the words lie in text, which is NUL-terminated after each. */
struct request_words {
	char *text OWNED_FIELD;
	const char *word[REQUEST_WORDS] BORROWED_FIELD;
	const char *rest[REQUEST_WORDS] BORROWED_FIELD; /* of the line from word i on, as it was written (local_data takes it whole) */
	char *whole OWNED_FIELD;
	size_t count;
	bool json;
};
void request_words_done(struct request_words *w) NONNULL;
/* *ret_problem says, for ERR_FORMAT, what was expected. More words than REQUEST_WORDS: the last holds the rest of the line. */
RESULT request_words_read(struct span line, struct request_words *ret, const char **ret_problem);

/* Lines out of pieces. */
struct request_lines {
	struct strbuf *have OWNED_FIELD;
	size_t used; /* octets of it that were given out */
};
RESULT request_lines_init(struct request_lines *l) NONNULL;
void request_lines_done(struct request_lines *l) NONNULL;
/* ERR_LIMIT: a line is longer than REQUEST_LINE_MAX. */
RESULT request_lines_add(struct request_lines *l, struct span octets);
/* The next whole line without its end ("\n" or "\r\n"); false: none yet. Good until the next call for l. */
bool request_lines_next(struct request_lines *l, struct span *ret_line) NONNULL;
static inline bool request_line_is_end(struct span line) { return line.n == 1 && line.p[0] == 4; }

#endif
