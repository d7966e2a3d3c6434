/*
 * lex.h: cuts the text of a configuration into words, as Unbound does. What a character means depends on whether a keyword is
 * wanted or a value, so the parser asks for the one or the other. Tokens point into the text; backslashes stay in them (they only
 * keep the next character from ending the word). Any octets are fine: nothing here fails.
 */
#ifndef CONF_LEX_H
#define CONF_LEX_H

#include "base/cursor.h"
#include "base/own.h"

struct lex {
	struct span text;
	size_t pos;
	uint32_t line; /* of pos, from 1 */
};

enum lex_kind {
	LEX_END,
	LEX_KEYWORD,    /* "word:", the colon is not in the token */
	LEX_WORD,       /* of a value, without its quotes; where a keyword is wanted: a word without colon */
	LEX_STRAY,      /* one character that begins nothing */
	LEX_UNFINISHED, /* a quoted word whose line, or file, ends before the quote */
};

struct lex_token {
	enum lex_kind kind;
	struct span text;
	uint32_t line;
	bool quoted;
	bool new_line; /* a line ended between the last token and this one */
	size_t start;  /* where it begins, for lex_back */
};

struct lex lex_of(struct span text);                      /* skips a byte order mark */
struct lex_token lex_keyword(struct lex *l) NONNULL;
struct lex_token lex_value(struct lex *l) NONNULL;
void lex_back(struct lex *l, const struct lex_token *t) NONNULL; /* the token is read again */

#endif
