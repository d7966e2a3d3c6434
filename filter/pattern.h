/*
 * pattern.h: names by their text. A pattern is text with "*" within, for any run of octets, none included; its ends are anchored or not. It is held against names as
 * text without the final dot, in lower case. What is no letter, digit, "-" or "_" in a label is an octet of its own kind there that only "*" takes, a dot in a label
 * too: a dot of the pattern is always one between labels.
 */
#ifndef FILTER_PATTERN_H
#define FILTER_PATTERN_H

#include "dns/name.h"

enum pattern_start {
	PATTERN_ANYWHERE, /* wherever in the name */
	PATTERN_LABEL,    /* "||": where a label starts */
	PATTERN_FIRST,    /* "|": where the name starts */
};

struct pattern {
	struct span core; /* lower case; neither starts nor ends with "*", has no "**", is not empty */
	enum pattern_start start;
	bool end; /* "^" or "|": it must end where the name ends */
};

struct pattern_text {
	size_t n;
	uint8_t b[NAME_MAX_OCTETS];
};
/* A name as patterns see it. */
void pattern_text_of(struct name n, struct pattern_text *ret) NONNULL;
/* In time linear in the text for each "*" of the pattern. */
bool pattern_holds(const struct pattern *p, const struct pattern_text *t) NONNULL;

#endif
