/*
 * chain_inside.h: what the files of the chain share, and nobody else includes. chain.c: the walk. chain_keys.c: what makes a DNSKEY RRset good. chain_text.c: reasons in words.
 */
#ifndef VALIDATOR_CHAIN_INSIDE_H
#define VALIDATOR_CHAIN_INSIDE_H

#include "validator/chain.h"

/* A name as in a sentence: no final dot, cut when it is long. Gives room back. */
const char *chain_words(char room[NAME_TEXT], struct name n) BORROWED NONNULL;
/* "www.example.com A", likewise. */
const char *chain_set_words(char room[NAME_TEXT + RRTYPE_TEXT + 1], struct name owner, uint16_t type) BORROWED NONNULL;

/* The step is over: with this trust (NULL: CHAIN_NO_ROOM), or bogus for that reason (in the arena; NULL: none). */
void step_known(struct chain_step *ret, struct trust *t) TAKES(2) __attribute__((nonnull(1)));
void step_bogus(struct chain_step *ret, uint16_t ede, const char *text) __attribute__((nonnull(1)));

#endif
