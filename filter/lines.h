/*
 * lines.h: what kind of line a line is. Real lists mix rules, hosts files and comments, so each line is looked at by itself.
 *
 *   nothing  empty; "!", "#", ";" or "[" at its start
 *   skipped  cosmetic rules of browsers: "##", "#@#", "#?#", "#$#", "#%#" and "$$" within; a name of the machine itself ("localhost") alone
 *   hosts    an address and names behind it
 *   rule     anything else (rule.h)
 *
 * A "#" behind a blank starts a comment in all of them.
 */
#ifndef FILTER_LINES_H
#define FILTER_LINES_H

#include "base/addr.h"
#include "base/cursor.h"

enum line_kind { LINE_NOTHING, LINE_SKIPPED, LINE_HOSTS, LINE_RULE, LINE_REFUSED };

struct filter_line {
	enum line_kind kind;
	struct span text;     /* without blanks around it and the comment */
	struct addr address;  /* of LINE_HOSTS */
	struct span names;    /* likewise: what is behind it */
	const char *reason BORROWED_FIELD; /* of LINE_REFUSED; lives for ever */
};

/* The next line of a text, without its end. false: there is none. */
bool lines_next(struct reader *text, struct span *ret_line) NONNULL;
void line_read(struct span line, struct filter_line *ret) NONNULL;
/* The next name behind the address; those of the machine itself ("localhost") and addresses are passed over and counted. false: there is none. */
bool line_next_name(struct filter_line *l, struct span *ret_name, uint64_t *skipped) NONNULL;
/* The address of a hosts line means nowhere: 0.0.0.0, ::, or loopback. */
bool line_goes_nowhere(const struct filter_line *l) NONNULL;
struct span span_trim(struct span s);

#endif
