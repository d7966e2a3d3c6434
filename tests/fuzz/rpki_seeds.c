/*
 * Writes the seeds of the targets of rpki/object and of whole publication points anew, from the toy RPKI: rpki_seeds DIR [FOUND], where DIR has the folders TARGET.corpus. FOUND gets a
 * script for each break of a rule, for fuzz_publication: what of these reaches something new goes to its corpus by merging.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "tests/fuzz/publication.h"

static const char *dir BORROWED_FIELD;

static const struct {
	const char *rule BORROWED_FIELD;
	enum toy_what what;
	const char *part BORROWED_FIELD, *edits BORROWED_FIELD;
	unsigned int keep;
} breaks[] = {
#define X(rule, what, part, edits, keep) { #rule, TOY_##what, part, edits, keep },
#include "tests/unit/rpki/object/breaks.def"
#undef X
};

/* Changes that are good, or whose faults are in how things go together: the policy of RFC 8360 with more than the issuer has, in each kind; names that differ
 * in their strings' types only; ranges; no revoked certificates; a key that is not on the curve; an issuer that is not at hand. */
#define M(name, literal) { name, literal, sizeof(literal) - 1 }
static const struct {
	const char *name BORROWED_FIELD, *text BORROWED_FIELD;
	size_t n;
} more[] = {
	M("trimmed-v4", "\1\0Ttbs 7.0.8.0:2b0601050507011c 7.0.9.0:2b0601050507011d 7.0.7.2.0.0.0:2b06010505070e03 7.0.8.2.0.0.1.0:010a"),
	M("trimmed-v6", "\1\0Ttbs 7.0.8.0:2b0601050507011c 7.0.9.0:2b0601050507011d 7.0.7.2.0.0.0:2b06010505070e03 7.0.8.2.0.1.1.0:0020"),
	M("trimmed-as", "\1\0Ttbs 7.0.8.0:2b0601050507011c 7.0.9.0:2b0601050507011d 7.0.7.2.0.0.0:2b06010505070e03 7.0.9.2.0.0.0.0.1:00ffffffff"),
	M("trimmed-away", "\1\0Ttbs 7.0.8.0:2b0601050507011c 7.0.9.0:2b0601050507011d 7.0.7.2.0.0.0:2b06010505070e03 7.0.8.2.0.0.1.0:000b"),
	M("overclaimed-v6", "\1\0Tip 2.0.1.1.0:0021"),
	M("overclaimed-as", "\1\0Tas 2.0.0.0.0=020105"),
	M("name-utf8", "\1\0Ttbs 3.0.0.1=0c06746f792d7461"),
	M("inherited", "\1\0Tip 2.0.0.1=0500 2.0.1.1=0500"),
	M("inherited-as", "\1\0Tas 2.0.0.0=0500"),
	M("ranges-v4", "\1\0Tip 2.0.0.1=3012300b0303000a010304000a02050303010a04"),
	M("range-v4", "\1\0Tip 2.0.0.1.0=300c0304000a00010304010a0004"),
	M("range-v6", "\1\0Tip 2.0.1.1.0=30100306002001" "0db8010306002001" "0db804"),
	M("order-v4", "\1\0Tip 2.0.0.1+0302000a"),
	M("order-v6", "\1\0Tip 2.0.1.1+03050020010db8"),
	M("empty-v6", "\1\0Tip 2.0.1.1:"),
	M("crossed-range", "\1\0Tip 2.0.0.1.0=300a0303000a050303000a01"),
	M("none-revoked", "\3\0Ttbs 5-"),
	M("many-revoked", "\3\0Ttbs 5<301330110202066717" "0d3236303130313030303030305a"),
	M("router-point", "\2\0Ttbs 6.1|01"),
	M("other-issuer", "\4\0Tee/tbs 3.0.0.1:6162 7.0.1.1.0.0|01"),
	M("family-twice", "\4\0Tcontent 0.1.0*"),
	M("files-twice", "\5\0Tcontent 0.4.0^ 0.4.0*"),
	M("signed-with-sha256rsa", "\4\0Tsigner 4.0:2a864886f70d01010b"),
	M("predecessor", "\10\0Tcontent 0.1|01"),
};

/* An octet for what it is (none: -1), and the octets. */
static void seed(const char *target, const char *name, int what, struct span s)
{
	AUTO_CHARS char *path = mem_printf("%s/%s.corpus/%s", dir, target, name);
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 20);

	if (what >= 0)
		strbuf_putc(b, (char)what);
	strbuf_add_span(b, s);
	if (!OK(file_write_atomic(path, strbuf_span(b), 0644))) {
		perror(path);
		exit(1);
	}
}

/* --- scripts of publication.h */

#define OP(code, place, label, text) { code, TOY_PLACE_##place, label, sizeof(text) - 1, text }
static const struct {
	const char *name BORROWED_FIELD;
	uint8_t head[PUB_HEAD];
	struct pub_op ops[5];
} scripts[] = {
	{ "plain", { 0 }, { { 0 } } },
	{ "begins", { 9 }, { { 0 } } },
	{ "not-yet", { 10 }, { { 0 } } },
	{ "ends", { 7 }, { { 0 } } },
	{ "ended", { 8 }, { { 0 } } },
	{ "depth-0", { 0, 1, 0 }, { { 0 } } },
	{ "depth-1", { 0, 1, 1 }, { { 0 } } },
	{ "branch-0", { 0, 2, 0 }, { { 0 } } },
	{ "branch-1", { 0, 2, 1 }, { { 0 } } },
	{ "files-3", { 0, 3, 3 }, { { 0 } } },
	{ "children-0", { 0, 4, 0 }, { { 0 } } },
	{ "payloads-4", { 0, 5, 4 }, { { 0 } } },
	{ "payloads-router", { 0, 5, 3 }, { OP(PUB_EDITED, ROUTER, 0, "as 2.0.0.0=300a020300fbf0020300fbff") } },
	{ "object-small", { 0, 6, 80 }, { { 0 } } },
	{ "object-smaller", { 0, 6, 110 }, { { 0 } } },
	{ "no-keeper", { 0, 0, 0, PUB_NO_KEEPER }, { OP(PUB_STEP, TA, 0, ""), OP(PUB_GONE, GHOSTBUSTERS, 0, "") } },
	{ "last-good", { 0 }, { OP(PUB_STEP, TA, 0, ""), OP(PUB_GONE, GHOSTBUSTERS, 0, ""), OP(PUB_STEP, TA, 0, ""), OP(PUB_GONE, GHOSTBUSTERS, 0, "x") } },
	{ "last-good-of-anchor", { 0 }, { OP(PUB_STEP, TA, 0, ""), OP(PUB_GONE, TA_CRL, 0, ""), OP(PUB_REVOKED, ROA, 0, "") } },
	{ "last-good-too-large", { 0, 6, 120 }, { OP(PUB_STEP, TA, 0, ""), OP(PUB_GONE, GHOSTBUSTERS, 0, "") } },
	{ "same-number", { 0, 0, 0, PUB_SAME_NUMBER }, { OP(PUB_STEP, TA, 0, ""), OP(PUB_UNLISTED, ROA, 0, "") } },
	{ "higher-number", { 0 }, { OP(PUB_STEP, TA, 0, ""), OP(PUB_UNLISTED, ROA, 0, ""), OP(PUB_STEP, TA, 0, ""), OP(PUB_REVOKED, ROA2, 0, "") } },
	{ "number-falls", { 0 }, { OP(PUB_STEP, TA, 0, ""), OP(PUB_EDITED, MANIFEST, 0, "content 0.0:03") } },
	{ "older", { 0 }, { OP(PUB_STEP, TA, 0, ""), OP(PUB_EDITED, MANIFEST, 0, "content 0.0:20 0.1:32303235303130313030303030305a") } },
	{ "no-anchor", { 0 }, { OP(PUB_GONE, TA, 0, "") } },
	{ "anchor-is-no-anchor", { 0 }, { OP(PUB_OTHER, TA, TOY_PLACE_CA, "x") } },
	{ "anchor-of-other-key", { 0 }, { OP(PUB_KEPT, TA, 0, "\2"), OP(PUB_EDITED, TA, 0, "tbs 1:05") } },
	{ "no-manifest", { 0 }, { OP(PUB_GONE, MANIFEST, 0, "") } },
	{ "no-crl", { 0 }, { OP(PUB_GONE, CRL, 0, "") } },
	{ "crl-unlisted", { 0 }, { OP(PUB_UNLISTED, CRL, 0, "") } },
	{ "crl-of-other", { 0 }, { OP(PUB_OTHER, CRL, TOY_PLACE_TA_CRL, "x") } },
	{ "crl-is-none", { 0 }, { OP(PUB_OTHER, SUB_CRL, TOY_PLACE_ROA, "x") } },
	{ "missing", { 0 }, { OP(PUB_GONE, SUB_ROA, 0, "") } },
	{ "flipped", { 0 }, { OP(PUB_FLIPPED, ROA, 100, "\1") } },
	{ "old-hash", { 0 }, { OP(PUB_KEPT, ROA, 0, "\10"), OP(PUB_EDITED, ROA, 0, "ee/tbs 1:2222") } },
	{ "bad-signature", { 0 }, { OP(PUB_KEPT, ROA, 0, "\2"), OP(PUB_EDITED, ROA, 0, "attrs 1.1.0:3237303131353038303030305a") } },
	{ "bad-manifest", { 0 }, { OP(PUB_KEPT, MANIFEST, 0, "\2"), OP(PUB_EDITED, MANIFEST, 0, "content 0.0:09") } },
	{ "revoked", { 0 }, { OP(PUB_REVOKED, ROA, 0, ""), OP(PUB_REVOKED, ROUTER, 0, "") } },
	{ "revoked-ca", { 0 }, { OP(PUB_REVOKED, CA, 0, "") } },
	{ "revoked-manifest", { 0 }, { OP(PUB_REVOKED, MANIFEST, 0, "") } },
	{ "revoked-sub", { 0 }, { OP(PUB_REVOKED, SUB, 0, ""), OP(PUB_REVOKED, SUB_ROA, 0, "") } },
	{ "also-roa", { 0 }, { OP(PUB_ALSO, ROA, 0, ""), OP(PUB_ALSO, ROA, 1, "again.roa"), OP(PUB_ALSO, ROA2, 2, "x.roa") } },
	{ "also-ca", { 0 }, { OP(PUB_ALSO, CA, 1, "again.cer"), OP(PUB_ALSO, SUB, 1, "more.cer"), OP(PUB_ALSO, SUB, 2, "") } },
	{ "also-others", { 0 }, { OP(PUB_ALSO, TAK, 1, ""), OP(PUB_ALSO, SUB_MANIFEST, 1, "x.mft"), OP(PUB_ALSO, TA_CRL, 1, "x.crl"), OP(PUB_ALSO, ROA, 2, "x.xyz") } },
	{ "also-elsewhere", { 0 }, { OP(PUB_ALSO, ROA, 1, "../ta/x.roa") } },
	{ "router-is-none", { 0 }, { OP(PUB_OTHER, ROUTER, TOY_PLACE_PREFIX_LIST, "x"), OP(PUB_OTHER, ROA, TOY_PLACE_ASPA, "x"), OP(PUB_OTHER, TAK, TOY_PLACE_CA, "x") } },
	{ "router-has-more", { 0 }, { OP(PUB_EDITED, ROUTER, 0, "as 2.0.0.0=300a020300fbf0020300fbff") } },
	{ "ber", { 0 }, { OP(PUB_BER, ROA, 0, ""), OP(PUB_BER, MANIFEST, 0, ""), OP(PUB_BER, ASPA, 0, "") } },
	{ "sub-inherits", { 0 }, { OP(PUB_EDITED, SUB, 0, "ip 2.0.0.1=0500 2.0.1.1=0500"), OP(PUB_EDITED, SUB, 0, "as 2.0.0.0=0500") } },
	{ "sub-overclaims", { 0 }, { OP(PUB_EDITED, SUB, 0, "ip 2.0.0.1.0:000b") } },
	{ "ca-trimmed", { 0 }, { OP(PUB_EDITED, CA, 0, "tbs 7.0.8.0:2b0601050507011c 7.0.9.0:2b0601050507011d 7.0.7.2.0.0.0:2b06010505070e03 7.0.8.2.0.0.1.0:000b") } },
	{ "sub-trimmed", { 0 }, { OP(PUB_EDITED, SUB, 0, "tbs 7.0.8.0:2b0601050507011c 7.0.9.0:2b0601050507011d 7.0.7.2.0.0.0:2b06010505070e03 7.0.8.2.0.0.1+0302000b") } },
	{ "roa-overclaims", { 0 }, { OP(PUB_EDITED, ROA, 0, "content 0.1.0.1.0.0:000b") } },
	{ "no-slash", { 0 }, { OP(PUB_EDITED, SUB, 0, "sia 1.0.0.1:7273796e633a2f2f746f792e6578616d706c652f737562") } },
	{ "remembered", { 0 }, { OP(PUB_STEP, TA, 0, ""), OP(PUB_EDITED, ROA, 0, "ee/tbs 1:2222"), OP(PUB_STEP, TA, 0, ""), OP(PUB_REVOKED, SUB, 0, ""), OP(PUB_STEP, TA, 0, "") } },
	{ "remembered-without-marks", { 0, 0, 0, PUB_NO_MARKS }, { OP(PUB_STEP, TA, 0, ""), OP(PUB_GONE, SUB_ROA, 0, ""), OP(PUB_STEP, TA, 0, ""), OP(PUB_GONE, SUB_ROA, 0, "x") } },
	{ "remembered-until", { 0 }, { OP(PUB_STEP, TA, 0, "\7"), OP(PUB_STEP, TA, 0, "\10"), OP(PUB_STEP, TA, 0, "\11"), OP(PUB_NOTE, TA, 0, "") } },
	{ "remembered-from", { 10 }, { OP(PUB_STEP, TA, 0, "\11"), OP(PUB_STEP, TA, 0, "\0"), OP(PUB_STEP, TA, 0, "\12"), OP(PUB_NOTE, TA, 0, "") } },
	{ "remembered-badly", { 0 }, { OP(PUB_STEP, TA, 0, ""), OP(PUB_NOTE, TA_CRL, 100, "\1"), OP(PUB_NOTE, CA, 20, "\1"), OP(PUB_NOTE, TAK, 3, "\x40") } },
	{ "not-remembered", { 0, 0, 0, PUB_FORGETFUL }, { OP(PUB_STEP, TA, 0, ""), OP(PUB_EDITED, ROA, 0, "ee/tbs 1:2222") } },
	{ "remembered-roa-ends", { 0 }, { OP(PUB_EDITED, ROA, 0, "ee/tbs 4.1:3237303131353039303030305a"), OP(PUB_STEP, TA, 0, "\3"), OP(PUB_STEP, TA, 0, "\0") } },
	{ "remembered-aspa-ends", { 0 }, { OP(PUB_EDITED, ASPA, 0, "ee/tbs 4.1:3237303131353039303030305a"), OP(PUB_STEP, TA, 0, "\3"), OP(PUB_STEP, TA, 0, "\0") } },
	{ "remembered-router-ends", { 0 }, { OP(PUB_EDITED, ROUTER, 0, "tbs 4.1:3237303131353039303030305a"), OP(PUB_STEP, TA, 0, "\3"), OP(PUB_STEP, TA, 0, "\0") } },
	{ "remembered-sub-ends", { 0 }, { OP(PUB_EDITED, SUB, 0, "tbs 4.1:3237303131353039303030305a"), OP(PUB_STEP, TA, 0, "\3"), OP(PUB_STEP, TA, 0, "\0") } },
	{ "remembered-crl-ends", { 0 }, { OP(PUB_EDITED, CRL, 0, "tbs 4:3237303131353039303030305a"), OP(PUB_STEP, TA, 0, "\3"), OP(PUB_STEP, TA, 0, "\0") } },
	{ "remembered-manifest-ends", { 0 }, { OP(PUB_EDITED, SUB_MANIFEST, 0, "content 0.2:32303237303131353039303030305a"), OP(PUB_STEP, TA, 0, "\3"), OP(PUB_STEP, TA, 0, "\0") } },
	{ "remembered-manifest-ee-ends", { 0 }, { OP(PUB_EDITED, MANIFEST, 0, "ee/tbs 4.1:3237303131353039303030305a"), OP(PUB_STEP, TA, 0, "\3"), OP(PUB_STEP, TA, 0, "\0") } },
	{ "remembered-roa-begins", { 0 }, { OP(PUB_EDITED, ROA, 0, "ee/tbs 4.0:3237303131353039303030305a"), OP(PUB_STEP, TA, 0, "\3"), OP(PUB_STEP, TA, 0, "\4") } },
	{ "remembered-router-begins", { 0 }, { OP(PUB_EDITED, ROUTER, 0, "tbs 4.0:3237303131353039303030305a"), OP(PUB_STEP, TA, 0, "\3"), OP(PUB_STEP, TA, 0, "\4") } },
	{ "remembered-sub-begins", { 0 }, { OP(PUB_EDITED, SUB, 0, "tbs 4.0:3237303131353039303030305a"), OP(PUB_STEP, TA, 0, "\3"), OP(PUB_STEP, TA, 0, "\4") } },
	{ "remembered-manifest-begins", { 0 }, { OP(PUB_EDITED, SUB_MANIFEST, 0, "content 0.1:32303237303131353039303030305a"), OP(PUB_STEP, TA, 0, "\3"), OP(PUB_STEP, TA, 0, "\4") } },
	{ "remembered-gbr-begins", { 0 }, { OP(PUB_EDITED, GHOSTBUSTERS, 0, "ee/tbs 4.0:3237303131353039303030305a"), OP(PUB_STEP, TA, 0, "\3"), OP(PUB_STEP, TA, 0, "\4") } },
	{ "list-of-nothing", { 0 }, { OP(PUB_EDITED, SUB_MANIFEST, 0, "content 0.4:") } },
};

static void script_seed(const char *name, const struct pub_script *s, const char *folder)
{
	uint8_t room[4096];
	size_t n = pub_script_write(s, room, sizeof room);
	AUTO_CHARS char *path = folder != NULL ? mem_printf("%s/%s", folder, name) : mem_printf("%s/fuzz_publication.corpus/%s", dir, name);

	if (!OK(file_write_atomic(path, span_of(room, n), 0644))) {
		perror(path);
		exit(1);
	}
}

static uint16_t label_of(struct node *root, const struct node *n)
{
	uint16_t i = 0;

	while (label_nth(root, i) != n)
		i++;
	return i;
}

/* The CA certified by itself, as another one: the third CA's certificate with the second one's key. */
static void seed_below_itself(struct toy *t)
{
	struct toy_place places[TOY_PLACES];
	struct pub_script s = { .count = 2 };
	struct toy_tree ca, sub;
	struct arena *a = toy_arena(t);
	static const uint8_t ski[] = { 0x55, 0x1d, 0x0e };

	toy_places(t, places);
	ca = toy_tree(a, places[TOY_PLACE_CA].octets, TOY_CA);
	sub = toy_tree(a, places[TOY_PLACE_SUB].octets, TOY_CA);
	for (unsigned int i = 0; i < 2; i++) {
		struct node *from = i == 0 ? tree_child(tree_child(ca.root, 0), 6) : tree_find(ca.root, span_of(ski, 3));
		struct node *to = i == 0 ? tree_child(tree_child(sub.root, 0), 6) : tree_find(sub.root, span_of(ski, 3));

		s.ops[i] = (struct pub_op){ .code = LABEL_SPLICE, .place = TOY_PLACE_SUB, .label = label_of(sub.root, to), .n = 3, .argument = { TOY_PLACE_CA } };
		store16(s.ops[i].argument + 1, label_of(ca.root, from));
	}
	script_seed("below-itself", &s, NULL);
}

static enum toy_place_at place_of(enum toy_what w)
{
	static const enum toy_place_at at[TOY_KINDS] = { [TOY_TA] = TOY_PLACE_TA, [TOY_CA] = TOY_PLACE_CA, [TOY_ROUTER] = TOY_PLACE_ROUTER, [TOY_CRL] = TOY_PLACE_CRL, [TOY_ROA] = TOY_PLACE_ROA,
		[TOY_MANIFEST] = TOY_PLACE_MANIFEST, [TOY_GHOSTBUSTERS] = TOY_PLACE_GHOSTBUSTERS, [TOY_ASPA] = TOY_PLACE_ASPA, [TOY_TAK] = TOY_PLACE_TAK, [TOY_RSC] = TOY_PLACE_PREFIX_LIST,
		[TOY_PREFIX_LIST] = TOY_PLACE_PREFIX_LIST };

	return at[w];
}

static void seed_scripts(struct toy *t, const char *found)
{
	for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
		struct pub_script s = { .count = 0 };

		memcpy(s.head, scripts[i].head, PUB_HEAD);
		while (s.count < 5 && (scripts[i].ops[s.count].code != 0 || scripts[i].ops[s.count].n != 0)) { /* an operation of nothing ends them */
			s.ops[s.count] = scripts[i].ops[s.count];
			s.count++;
		}
		script_seed(scripts[i].name, &s, NULL);
	}
	seed_below_itself(t);
	for (size_t n = 0; n < sizeof breaks / sizeof breaks[0] && found != NULL; n++) {
		AUTO_CHARS char *name = mem_printf("%s-%zu", breaks[n].rule, n);
		struct pub_script s = { .count = 2 };

		s.ops[0] = (struct pub_op){ .code = PUB_KEPT, .place = (uint8_t)place_of(breaks[n].what), .n = 1, .argument = { (uint8_t)breaks[n].keep } };
		s.ops[1] = (struct pub_op){ .code = PUB_EDITED, .place = s.ops[0].place };
		s.ops[1].n = (uint8_t)snprintf((char *)s.ops[1].argument, sizeof s.ops[1].argument, "%s %s", breaks[n].part, breaks[n].edits);
		if (strlen(breaks[n].part) + 1 + strlen(breaks[n].edits) < sizeof s.ops[1].argument)
			script_seed(name, &s, found);
	}
}

int main(int argc, char **argv)
{
	static const int content_kind[TOY_KINDS] = { [TOY_ROA] = 0, [TOY_MANIFEST] = 1, [TOY_ASPA] = 2, [TOY_RSC] = 3, [TOY_PREFIX_LIST] = 4,
		[TOY_GHOSTBUSTERS] = 5, [TOY_TAK] = 6 };
	AUTO(toy_free) struct toy *t = toy_new();
	struct arena *a;
	struct span ber;

	if ((argc != 2 && argc != 3) || t == NULL) {
		fprintf(stderr, "usage: rpki_seeds DIR [FOUND]\n");
		return 2;
	}
	dir = argv[1];
	seed_scripts(t, argc > 2 ? argv[2] : NULL);
	a = toy_arena(t);
	{
		struct toy_tree roa = toy_tree(a, toy_object(t, TOY_ROA), TOY_ROA);

		ber = toy_as_ber(a, &roa);
	}
	seed("fuzz_der", "roa", -1, toy_object(t, TOY_ROA));
	seed("fuzz_der", "roa-ber", -1, ber);
	seed("fuzz_der", "crl", -1, toy_object(t, TOY_CRL));
	seed("fuzz_der", "integer", -1, span_of("\x02\x03\x00\xfb\xf0", 5));
	seed("fuzz_der", "bits", -1, span_of("\x03\x03\x04\x0a\x10", 5));
	seed("fuzz_der", "utc", -1, span_text("\x17\x0d" "260101000000Z"));
	seed("fuzz_der", "generalized", -1, span_text("\x18\x0f" "20260101000000Z"));
	seed("fuzz_cert", "ta", CERT_TA, toy_object(t, TOY_TA));
	seed("fuzz_cert", "ca", CERT_CA, toy_object(t, TOY_CA));
	seed("fuzz_cert", "router", CERT_ROUTER, toy_object(t, TOY_ROUTER));
	seed("fuzz_cert", "crl", 4, toy_object(t, TOY_CRL));
	seed("fuzz_cms", "roa-ber", OBJECT_ROA, ber);
	seed("fuzz_inspect", "roa-ber", 2, ber);
	seed("fuzz_inspect", "roa-unnamed", 10, toy_object(t, TOY_ROA));
	seed("fuzz_inspect", "tal", 9, toy_locator(t));
	seed("fuzz_tal", "good", -1, toy_locator(t));
	for (unsigned int w = 0; w < TOY_KINDS; w++) {
		struct span s = toy_object(t, (enum toy_what)w);
		enum object_type type = object_type_of_name(span_text(toy_name((enum toy_what)w)));
		struct toy_tree tree = toy_tree(a, s, (enum toy_what)w);

		seed("fuzz_inspect", toy_name((enum toy_what)w), (int)type - 1, s);
		seed("fuzz_toy", toy_name((enum toy_what)w), (int)w, span_of("\0", 1));
		if (w > TOY_CRL) {
			seed("fuzz_cert", toy_name((enum toy_what)w), CERT_EE | (w == TOY_RSC ? 8 : 0), tree_write(a, tree.cert));
			seed("fuzz_cms", toy_name((enum toy_what)w), (int)type, s);
			seed("fuzz_rpki_content", toy_name((enum toy_what)w), content_kind[w], tree_contents(a, tree.content));
		}
	}
	for (size_t n = 0; n < sizeof breaks / sizeof breaks[0]; n++) {
		AUTO_CHARS char *text = mem_printf("%c%cT%s %s", (char)breaks[n].what, (char)breaks[n].keep, breaks[n].part, breaks[n].edits);
		AUTO_CHARS char *name = mem_printf("%s-%zu", breaks[n].rule, n);

		seed("fuzz_toy", name, -1, span_of(text, 3 + strlen(breaks[n].part) + 1 + strlen(breaks[n].edits)));
	}
	seed("fuzz_inspect", "left-out", 0x80, toy_edited(t, TOY_CA, "aki", "1.0.0|01", 0));
	for (size_t n = 0; n < sizeof more / sizeof more[0]; n++)
		seed("fuzz_toy", more[n].name, -1, span_of(more[n].text, more[n].n));
	/* a maxLength changed; a serial number of a revoked certificate; an extension twice */
	seed("fuzz_toy", "max-length", TOY_ROA, span_of("\0\x0a\1\0\2\1\0\0\1\0\1\0\1\0\1\x18", 16));
	seed("fuzz_toy", "serial", TOY_ROA, span_of("\0\6\1\0\3\0\0\1\0\2\6\x66", 12));
	seed("fuzz_toy", "twice", TOY_CA, span_of("\0\4\0\7\0\3\1\0", 8));
	return 0;
}
