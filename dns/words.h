/*
 * words.h: the text of zone files taken apart and put together: a lexer for entries (RFC 1035 section 5.1: quotes, parentheses, comments, escapes),
 * numbers, times, addresses, base16, base32hex and base64 (RFC 4648), and quoting. Internal to dns/; all input is foreign.
 */
#ifndef DNS_WORDS_H
#define DNS_WORDS_H

#include "base/cursor.h"
#include "base/own.h"

struct strbuf;

/* --- the lexer. A copy of the struct is a place to come back to. */

struct lexer {
	const char *p BORROWED_FIELD; /* what comes next */
	const char *end BORROWED_FIELD;
	unsigned int line;  /* of p, from 1 */
	unsigned int depth; /* of parentheses */
	struct span found;  /* the last word, for messages; n 0 and p NULL: the end of the entry */
};

struct word {
	struct span s; /* escapes are still in it, the quotes around it are not */
	bool quoted;
};

enum lexed {
	LEX_WORD,
	LEX_END,  /* of the entry or text: stays there until lexer_next_entry() */
	LEX_ERROR, /* *ret_msg says what */
};

struct lexer lexer_of(struct span text);
enum lexed lexer_next(struct lexer *l, struct word *ret, const char **ret_msg) NONNULL;
/* The same, but quotes behind the first '=' of a word belong to it: key="a b" is one word, with the quotes still in it. */
enum lexed lexer_next_pair(struct lexer *l, struct word *ret, const char **ret_msg) NONNULL;
/* The next line starts with a blank: the owner of the entry is that of the one before. */
bool lexer_at_blank(const struct lexer *l) NONNULL;
/* Goes behind the end of this entry, over what is left of it. false: the text is at its end. */
bool lexer_next_entry(struct lexer *l) NONNULL;

/* Nothing but blank lines and comments follows this entry. Moves on. */
bool lexer_is_last(struct lexer *l) NONNULL;

/* --- words. false: not of that form */

bool word_is(struct span w, const char *text) NONNULL;                     /* without case */
bool word_number(struct span w, uint64_t max, uint64_t *ret) NONNULL;      /* decimal digits */
bool word_period(struct span w, uint32_t *ret) NONNULL;                    /* seconds, or 1w2d3h4m5s */
bool word_time(struct span w, uint32_t *ret) NONNULL;                      /* YYYYMMDDHHMMSS or seconds since 1970, below 2^32 */
bool word_address(struct span w, size_t octets, uint8_t *out) NONNULL;     /* 4: IPv4, 16: IPv6 */
bool word_unescape(struct span w, struct writer *out) NONNULL;             /* the octets that are meant; also false: does not fit */
bool word_hex(struct span w, struct writer *out) NONNULL;                  /* an even number of digits */
bool word_base32hex(struct span w, struct writer *out) NONNULL;            /* without padding */

/* Base16 over several words. */
struct base16 {
	unsigned int high;
	bool odd; /* one digit is waiting in high */
};
bool base16_add(struct base16 *b, struct span w, struct writer *out) NONNULL;

/* --- printing */

void text_quote_octet(uint8_t c, struct strbuf *out) NONNULL;  /* as it stands between quotes */
void text_quote(struct span s, struct strbuf *out) NONNULL;    /* with the quotes */
void text_print_hex(struct span s, struct strbuf *out) NONNULL;
void text_print_base32hex(struct span s, struct strbuf *out) NONNULL;
void text_print_time(uint32_t t, struct strbuf *out) NONNULL;  /* YYYYMMDDHHMMSS */

#endif
