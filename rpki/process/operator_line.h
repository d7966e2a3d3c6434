/*
 * operator_line.h: what an operator's tool says on the control socket, in unbound-control's line protocol: "UBCT1 [--json] VERB ARGUMENTS\n". One line, and then the answer as text until the
 * daemon closes.
 */
#ifndef RPKI_PROCESS_OPERATOR_LINE_H
#define RPKI_PROCESS_OPERATOR_LINE_H

#include "base/cursor.h"

#define OPERATOR_LINE_MAX 1024u /* octets of a line, without its end */
#define OPERATOR_WORDS 8u

struct operator_line {
	bool json;
	size_t words;                             /* the verb among them: at least 1 */
	const char *word[OPERATOR_WORDS] PARENT_FIELD; /* in text */
	char text[OPERATOR_LINE_MAX + 1];
};

/* line: without its end. ERR_FORMAT, and *ret_expected says what was expected. */
RESULT operator_line_read(struct span line, struct operator_line *ret, const char **ret_expected) NONNULL;

#endif
