/*
 * tree.h: for tests: a DER object as a tree that can be changed anywhere and written out again with all lengths right. OCTET STRINGs whose contents are DER are gone
 * into, so that extensions and eContents are part of the tree. Everything lives in an arena.
 */
#ifndef TESTS_UNIT_RPKI_TREE_H
#define TESTS_UNIT_RPKI_TREE_H

#include "rpki/object/der.h"

struct arena;

struct node {
	uint8_t tag;       /* 0: octets as they are, no element */
	bool inside;       /* its contents are its children */
	struct span octets; /* its contents otherwise */
	struct node *first ARENA_FIELD;
	struct node *next ARENA_FIELD;
};

struct node *tree_parse(struct arena *a, struct span der) IN_ARENA NONNULL; /* the first element; NULL when it is not DER */
struct span tree_write(struct arena *a, const struct node *n) NONNULL;       /* the element, without what follows it */
size_t tree_size(const struct node *n) NONNULL;                              /* octets of it */
struct span tree_contents(struct arena *a, const struct node *n) NONNULL;    /* without its head */
struct node *tree_child(struct node *n, unsigned int i) BORROWED;            /* NULL when there is none */
struct node *tree_find(struct node *n, struct span octets) BORROWED;         /* the element in it that has a child with these contents */
struct node *tree_raw(struct arena *a, struct span octets) IN_ARENA NONNULL; /* octets to be put in as they are */
struct span tree_tlv(struct arena *a, uint8_t tag, const struct span *parts, size_t n) NONNULL; /* an element of parts */

/* Changes by a text of edits, divided by blanks: PATH is numbers of children, divided by dots, from here.
 * PATH=HEX the element becomes these octets; PATH:HEX its contents do; PATH- it goes; PATH* it comes twice; PATH+HEX octets after its last child; PATH<HEX
 * octets before it; PATH^ it changes places with the next one; PATH|HEX the first octet of its contents is xored. False: no such element. */
bool tree_edit(struct arena *a, struct node *n, const char *edits) NONNULL;
struct span tree_hex(struct arena *a, const char *hex, size_t n) NONNULL;

#endif
