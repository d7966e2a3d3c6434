/*
 * publication.h: the toy RPKI's publication points as a script changes them: objects label by label, signed again, and listed again by manifests that are signed again, too; or not, as the
 * script says. A script has up to four states of the repository, one after the other.
 *
 * Script: PUB_HEAD octets, then operations: code, place, 16 bits for which label, the length of an argument, the argument. What is missing at the end is 0.
 */
#ifndef TESTS_FUZZ_PUBLICATION_H
#define TESTS_FUZZ_PUBLICATION_H

#include "tests/fuzz/labels.h"
#include "tests/unit/rpki/object/toy.h"

enum { PUB_HEAD_NOW, PUB_HEAD_LIMIT, PUB_HEAD_LIMIT_VALUE, PUB_HEAD_FLAGS, PUB_HEAD };
enum { PUB_SAME_NUMBER = 1, PUB_NO_KEEPER = 2, PUB_NO_MARKS = 4, PUB_FORGETFUL = 8 };

/* First the codes of labels.h. */
enum pub_code {
	PUB_EDITED = LABEL_CODES, /* the argument is PART, a blank, and edits as in toy.h and tree.h */
	PUB_GONE,               /* the file is not there; with an argument: it is again */
	PUB_UNLISTED,           /* its manifest does not list it */
	PUB_ALSO,               /* the file is in the point `label`, too, by a name (the argument) */
	PUB_OTHER,              /* what is at the place `label` is published here */
	PUB_REVOKED,            /* its serial number, on the CRL of who signed it */
	PUB_FLIPPED,            /* an octet of what is published is another, but the manifest's hash is not */
	PUB_KEPT,               /* what is not put right again (TOY_KEEP_*; 8: the hash on the manifest) */
	PUB_BER,                /* the wrapper with indefinite lengths */
	PUB_STEP,               /* this state is looked at; the rest is a later one, at another time perhaps (the argument) */
	PUB_NOTE,               /* a bit flips in what was remembered */
	PUB_CODES,
};

#define PUB_MOST_OPS 24u
#define PUB_MOST_STATES 4u
#define PUB_MOST_ALSO 4u
#define PUB_FILES (TOY_PLACES + PUB_MOST_ALSO)

struct pub_op {
	uint8_t code, place;
	uint16_t label;
	uint8_t n;
	uint8_t argument[255];
};
struct pub_script {
	uint8_t head[PUB_HEAD];
	size_t count;
	struct pub_op ops[PUB_MOST_OPS];
};
void pub_script_read(struct span s, struct pub_script *ret) NONNULL;
size_t pub_script_write(const struct pub_script *s, uint8_t *room, size_t max) NONNULL;

/* What is published at one time. */
struct pub_state {
	struct toy_file files[PUB_FILES];
	size_t n;
};

struct pub_place {
	struct toy_place is;
	struct toy_tree tree;
	struct span octets;      /* as published last */
	unsigned int keep, other; /* other: the place whose octets are published here, and 1 */
	uint16_t flip_at;
	uint8_t flip_by;
	bool changed, dirty, gone, ber;
	bool harmed;             /* something was done to it that its signer would not do */
};
struct publication {
	struct arena *a BORROWED_FIELD;
	struct toy *toy BORROWED_FIELD;
	const struct toy_place *pristine BORROWED_FIELD;
	struct pub_place places[TOY_PLACES];
	struct {
		const char *uri ARENA_FIELD;
		unsigned int point, from;
	} also[PUB_MOST_ALSO];
	size_t also_count;
	struct span listed[3];   /* contents of the manifests as they were published last */
	unsigned int states;
	bool same_number;
};
/* pristine: of toy_places(); it and the toy outlive it. */
void publication_begin(struct publication *p, struct arena *a, struct toy *toy, const struct toy_place *pristine) NONNULL;
void publication_change(struct publication *p, const struct pub_op *op) NONNULL;
void publication_state(struct publication *p, struct pub_state *ret) NONNULL;
/* True while nobody has done anything but its signer to what decides on this file: it, the manifests and CRLs above it, and the certificates. */
bool publication_is_innocent(const struct publication *p, unsigned int place) NONNULL;
enum toy_place_at pub_manifest_of(unsigned int point);
const char *pub_name(const char *uri) BORROWED NONNULL; /* behind the last slash */

#endif
