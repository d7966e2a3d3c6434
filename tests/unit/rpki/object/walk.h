/*
 * walk.h: for tests: a validation from a trust anchor down over a tree of files as rsync lays them out (HOST/PATH), one publication point after the other,
 * with nothing remembered. What comes out is every VRP, once for each ROA that has it.
 */
#ifndef TESTS_UNIT_RPKI_WALK_H
#define TESTS_UNIT_RPKI_WALK_H

#include "base/strbuf.h"
#include "rpki/object/cms.h"

struct walk_vrp {
	uint32_t as;
	struct ip_prefix p;
	uint8_t max_len;
};

struct walk {
	const char *tree BORROWED_FIELD;
	int64_t now;
	bool verbose;             /* says why what is refused is */
	struct walk_vrp *vrps OWNED_FIELD;
	size_t count, room;
	size_t objects, valid, cas, failed_points;
	uint64_t octets;
	uint64_t kept_checks, fresh_checks, hashed; /* the floor of the same work: checks with a CA's key and with an EE's, and octets hashed */
	struct strbuf *anchor OWNED_FIELD;          /* the trust anchor's certificate */
	size_t ber;
	struct strbuf *log OWNED_FIELD;
};

void walk_free(struct walk *w) TAKES(1);
struct walk *walk_new(const char *tree, int64_t now) OWNED_BY(walk_free) NONNULL;
DEFINE_AUTO(struct walk, walk_free)
/* tal: the text of a locator. False: the trust anchor's certificate is not there or not valid. */
bool walk_trust_anchor(struct walk *w, struct span tal) NONNULL;
/* Sorts the VRPs and leaves each once. */
void walk_sort(struct walk *w) NONNULL;

#endif
