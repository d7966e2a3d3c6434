/*
 * Writes the seeds of the targets of rpki/object anew, from the toy RPKI: rpki_seeds DIR, where DIR has the folders TARGET.corpus.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "tests/unit/rpki/object/toy.h"

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

/* The wrapper with indefinite lengths, and the content in chunks. */
static struct span as_ber(struct arena *a, struct span der)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 20);
	struct node *root = tree_parse(a, der), *sd = tree_child(tree_child(root, 1), 0), *encap = tree_child(sd, 2);
	struct span content = tree_contents(a, tree_child(tree_child(encap, 1), 0));
	struct reader r = reader_of(content);

	strbuf_add(b, "\x30\x80", 2);
	strbuf_add_span(b, tree_write(a, tree_child(root, 0)));
	strbuf_add(b, "\xa0\x80\x30\x80", 4);
	strbuf_add_span(b, tree_write(a, tree_child(sd, 0)));
	strbuf_add_span(b, tree_write(a, tree_child(sd, 1)));
	strbuf_add(b, "\x30\x80", 2);
	strbuf_add_span(b, tree_write(a, tree_child(encap, 0)));
	strbuf_add(b, "\xa0\x80\x24\x80", 4);
	while (!reader_end(&r)) {
		struct span chunk = read_span(&r, reader_left(&r) < 20 ? reader_left(&r) : 20);

		strbuf_add_span(b, tree_tlv(a, DER_OCTET_STRING, &chunk, 1));
	}
	strbuf_add(b, "\0\0\0\0\0\0\xa0\x80", 8);
	strbuf_add_span(b, tree_contents(a, tree_child(sd, 3)));
	strbuf_add(b, "\0\0", 2);
	strbuf_add_span(b, tree_write(a, tree_child(sd, 4)));
	strbuf_add(b, "\0\0\0\0\0\0", 6);
	return span_of(arena_dup(a, strbuf_text(b), strbuf_len(b)), strbuf_len(b));
}

int main(int argc, char **argv)
{
	static const int content_kind[TOY_KINDS] = { [TOY_ROA] = 0, [TOY_MANIFEST] = 1, [TOY_ASPA] = 2, [TOY_RSC] = 3, [TOY_PREFIX_LIST] = 4,
		[TOY_GHOSTBUSTERS] = 5, [TOY_TAK] = 6 };
	AUTO(toy_free) struct toy *t = toy_new();
	struct arena *a;
	struct span ber;

	if (argc != 2 || t == NULL) {
		fprintf(stderr, "usage: rpki_seeds DIR\n");
		return 2;
	}
	dir = argv[1];
	a = toy_arena(t);
	ber = as_ber(a, toy_object(t, TOY_ROA));
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
