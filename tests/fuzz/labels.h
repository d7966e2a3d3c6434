/*
 * labels.h: a DER object as a tree of labels that is changed label by label, and written out again with all lengths right (tree.h). For mutators that sign again afterwards, so that what
 * a change does is not hidden behind a signature that fails. Everything lives in an arena.
 */
#ifndef TESTS_FUZZ_LABELS_H
#define TESTS_FUZZ_LABELS_H

#include "tests/unit/rpki/object/tree.h"

enum label_code {
	LABEL_CONTENTS,  /* other contents: the argument */
	LABEL_TAG,       /* another tag: its first octet */
	LABEL_DELETE,
	LABEL_TWICE,
	LABEL_MANY,      /* so often: its first octet */
	LABEL_SWAP,      /* changes places with the next one */
	LABEL_LAST,      /* goes to the end of its siblings */
	LABEL_BEFORE,    /* octets before it: the argument */
	LABEL_CHILD,     /* octets after its last child */
	LABEL_SPLICE,    /* another label instead, of another object, say */
	LABEL_XOR,       /* an octet of its contents (the argument's first says which) with the second */
	LABEL_ADD,       /* to its contents as a number: the argument's first octet, signed */
	LABEL_KNOWN,     /* a value that matters for its tag: the first octet says which */
	LABEL_LENGTH,    /* a length that is wrong or not minimal: the first octet says how */
	LABEL_WRAP,      /* inside a label with this tag */
	LABEL_UNWRAP,    /* its children instead of it */
	LABEL_CODES,
};

#define LABELS_MOST_OCTETS 49152u /* no object is made larger */

size_t labels_count(const struct node *root) NONNULL;
/* In the order in which they are written; NULL: there are not so many. */
struct node *label_nth(struct node *root, size_t n) BORROWED NONNULL;
/* Changes the n-th label, counted round, of root. from: for LABEL_SPLICE. Where it does not apply, or would be too large, nothing is changed. */
void label_change(struct arena *a, struct node *root, size_t n, enum label_code code, struct span argument, const struct node *from) __attribute__((nonnull(1, 2)));
struct node *labels_copy(struct arena *a, const struct node *n) IN_ARENA NONNULL;
/* Values that matter for labels of a tag: times about toys' now, numbers at their bounds, identifiers, address blocks, names. n counts round. */
struct span label_known(uint8_t tag, size_t n);

#endif
