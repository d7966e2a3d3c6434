/*
 * The toy RPKI with an object changed anywhere in its tree and signed again, so that what comes behind the signatures is reached too. The input is a list of
 * changes: the kind of object, what is kept; then for each change an octet for where (how many steps down), the steps, what is done, and octets for it. Or,
 * after the octet 'T', the text of a change: PART, a blank, and edits as in tree.h. The way to routers and the one for people must agree on
 * whether the object is good.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "tests/unit/rpki/object/toy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)
#define MOST_CHANGES 8

static struct toy *toy BORROWED_FIELD;
static struct arena *kept BORROWED_FIELD; /* what is below lives here; all of it is made once */
static struct public_key *ca_key BORROWED_FIELD, *ta_key BORROWED_FIELD;
static struct cert ca, ta;
static struct crl crl;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct report rep;

	(void)argc;
	(void)argv;
	toy = toy_new();
	kept = arena_new(0);
	report_init(&rep);
	CHECK(toy != NULL && kept != NULL && OK(cert_read(toy_object(toy, TOY_CA), CERT_CA, CERT_USE_ANY, kept, &rep, &ca)) &&
	      OK(cert_read(toy_object(toy, TOY_TA), CERT_TA, CERT_USE_ANY, kept, &rep, &ta)) && OK(crl_read(toy_object(toy, TOY_CRL), kept, &rep, &crl)) &&
	      OK(public_key_make(&ca.key, &ca_key)) && OK(public_key_make(&ta.key, &ta_key)));
	return 0;
}

static struct node *walk_to(struct node *n, struct reader *in) BORROWED;
static struct node *walk_to(struct node *n, struct reader *in)
{
	for (unsigned int steps = read8(in) % 16; steps > 0; steps--) {
		struct node *next = tree_child(n, read8(in) % 16);

		if (next == NULL)
			break;
		n = next;
	}
	return n;
}

static void change(struct arena *a, struct node *n, struct reader *in)
{
	uint8_t what = read8(in);
	struct span s = read_span(in, read8(in) % 64);
	struct node *made;

	if (s.p == NULL)
		s = span_of("", 0);
	switch (what % 6) {
	case 0: /* other contents */
		n->inside = false;
		n->octets = s;
		break;
	case 1: /* twice */
		made = tree_raw(a, tree_write(a, n));
		made->next = n->next;
		n->next = made;
		break;
	case 2: /* gone, or other octets for it */
		n->tag = 0;
		n->inside = false;
		n->octets = s;
		break;
	case 3:
		n->tag = what ^ n->tag;
		break;
	case 4: /* more after its first child */
		if (n->inside && n->first != NULL) {
			made = tree_raw(a, s);
			made->next = n->first->next;
			n->first->next = made;
		}
		break;
	default: /* the children in another order */
		if (n->inside && n->first != NULL && n->first->next != NULL) {
			made = n->first->next;
			n->first->next = made->next;
			made->next = n->first;
			n->first = made;
		}
		break;
	}
}

/* As the engine does it, stopping at the first fault. */
static bool good_on_the_way(struct span s, enum toy_what w, struct arena *a)
{
	struct issuer by = { w == TOY_TAK || w == TOY_CA ? &ta : &ca, w == TOY_TAK || w == TOY_CA ? ta_key : ca_key,
		w == TOY_TAK || w == TOY_CA ? &ta.claimed : &ca.claimed, w == TOY_TAK || w == TOY_CA ? NULL : &crl };
	enum object_type type = object_type_of_name(span_text(toy_name(w)));
	struct resources effective;
	struct report rep;
	struct cert c;
	struct cms cms;
	struct roa roa;
	struct manifest m;
	struct aspa aspa;

	report_init(&rep);
	if (type == OBJECT_CERT)
		return OK(cert_read(s, cert_kind_of(s), CERT_USE_ANY, a, &rep, &c)) && OK(cert_check(&c, &by, TOY_NOW, a, &rep, &effective));
	if (!OK(cms_read(s, type, a, &rep, &cms)))
		return false;
	if (type == OBJECT_ROA && !OK(roa_read(&cms, &rep, &roa)))
		return false;
	if (type == OBJECT_MANIFEST && (!OK(manifest_read(&cms, a, &rep, &m)) || !OK(manifest_check(&m, &cms.ee, TOY_NOW, &rep))))
		return false;
	if (type == OBJECT_ASPA && !OK(aspa_read(&cms, &rep, &aspa)))
		return false;
	if (!OK(cms_check(&cms, &by, TOY_NOW, a, &rep, &effective)))
		return false;
	return type == OBJECT_ROA ? OK(roa_check(&roa, &cms.ee, &effective, &rep))
				  : type != OBJECT_ASPA || OK(aspa_check(&aspa, &cms.ee, &effective, &rep));
}

/* False: out of memory. */
static bool print(const struct inspection *i, const char *name)
{
	AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 20);

	if (b == NULL)
		return false;
	inspection_print(i, name, true, b);
	inspection_print(i, name, false, b);
	report_print(&i->report, name, b);
	for (const char *p = strbuf_text(b); *p != '\0'; p++)
		CHECK(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
	return true;
}

static struct span changed_by_octets(struct arena *a, struct reader *in, enum toy_what w, unsigned int keep)
{
	struct toy_tree tree = toy_tree(a, toy_object(toy, w), w);

	for (unsigned int n = 0; n < MOST_CHANGES && !reader_end(in); n++)
		change(a, walk_to(tree.root, in), in);
	return toy_sign(toy, a, &tree, keep);
}

static struct span changed_by_text(struct arena *a, struct reader *in, enum toy_what w, unsigned int keep)
{
	struct span text = read_rest(in);
	char *copy = arena_alloc(a, text.n + 1), *edits;

	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	edits = strchr(copy, ' ');
	if (edits == NULL)
		return toy_object(toy, w);
	*edits = '\0';
	return toy_edited_in(a, toy, w, copy, edits + 1, keep);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum toy_what compared[] = { TOY_ROA, TOY_MANIFEST, TOY_ASPA };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct reader in = reader_of(span_of(data, size));
	enum toy_what w = (enum toy_what)(read8(&in) % TOY_KINDS);
	unsigned int keep = read8(&in) & 7;
	struct inspect_context ctx = toy_context(toy);
	struct inspection i;
	struct span s;

	if (a == NULL)
		return 0;
	mem_fail_hold(true);
	if (der_peek(&in) == 'T') {
		read_skip(&in, 1);
		s = changed_by_text(a, &in, w, keep);
	} else {
		s = changed_by_octets(a, &in, w, keep);
	}
	mem_fail_hold(false);
	if (s.p == NULL || !OK(rpki_inspect(s, span_text(toy_name(w)), &ctx, a, &i)))
		return 0;
	if (!print(&i, toy_name(w)))
		return 0;
	for (size_t n = 0; n < sizeof compared / sizeof compared[0]; n++)
		if (w == compared[n] && !mem_failed() && i.state == CHAIN_GOOD)
			CHECK(good_on_the_way(s, w, a) == i.valid || mem_failed());
	return 0;
}
