#include "tests/fuzz/labels.h"

#include "base/arena.h"
#include "rpki/object/oid.h"

#define V(literal) { literal, sizeof(literal) - 1 }
struct value {
	const char *octets BORROWED_FIELD;
	size_t n;
};
struct values {
	const struct value *of SHARED_FIELD;
	size_t n;
};
#define VALUES(table) ((struct values){ (table), sizeof(table) / sizeof(table)[0] })

static const struct value numbers[] = { V("\0"), V("\1"), V("\2"), V("\3"), V("\x7f"), V("\x80"), V("\xff"), V("\0\x80"), V("\0\1"), V("\xff\xff"), V("\x18"), V("\x20"), V("\x21"),
	V("\0\x81"), V("\0\xfb\xf0"), V("\0\xfb\xf1"), V("\0\xfb\xff"), V("\0\xfc\0"), V("\x7f\xff\xff\xff"), V("\0\x80\0\0\0"), V("\0\xff\xff\xff\xff"), V("\1\0\0\0\0"),
	V("\x7f\xff\xff\xff\xff\xff\xff\xff"), V("\1\2\3\4\5\6\7\x08\1\2\3\4\5\6\7\x08\1\2\3\4"), V("\1\2\3\4\5\6\7\x08\1\2\3\4\5\6\7\x08\1\2\3\4\5"), V("\6\x66"), V("\x10\x16"), V("\x10\x1d"),
	V("\x10\x1f"), V("") };
/* About 2027-01-15 08:00:00, when toys are looked at. */
static const struct value utc_times[] = { V("270115075959Z"), V("270115080000Z"), V("270115080001Z"), V("270101000000Z"), V("280101000000Z"), V("260101000000Z"), V("360101000000Z"),
	V("491231235959Z"), V("500101000000Z"), V("991231235959Z"), V("000101000000Z"), V("240229000000Z"), V("230229000000Z"), V("261301000000Z"), V("260100000000Z"), V("260101240000Z"),
	V("260101006000Z"), V("260101000060Z"), V("2601010000Z"), V("260101000000"), V("260101000000+0000"), V("") };
static const struct value general_times[] = { V("20270115075959Z"), V("20270115080000Z"), V("20270115080001Z"), V("20280101000000Z"), V("20260101000000Z"), V("20360101000000Z"),
	V("20500101000000Z"), V("99991231235959Z"), V("00000101000000Z"), V("19700101000000Z"), V("20260101000000.5Z"), V("202601010000Z"), V("20260101000000"), V("20260230000000Z"), V("") };
static const struct value oids[] = {
	V(OID_RSA_ENCRYPTION), V(OID_SHA256_WITH_RSA), V(OID_SHA256), V(OID_EC_PUBLIC_KEY), V(OID_P256), V(OID_COMMON_NAME), V(OID_SERIAL_NUMBER), V(OID_CE "\x0e"),
	V(OID_CE "\x0f"), V(OID_CE "\x13"), V(OID_CE "\x14"), V(OID_CE "\x1f"), V(OID_CE "\x20"), V(OID_CE "\x23"), V(OID_CE "\x25"), V(OID_AIA), V(OID_SIA), V(OID_IP_RESOURCES),
	V(OID_AS_RESOURCES), V(OID_IP_RESOURCES_V2), V(OID_AS_RESOURCES_V2), V(OID_POLICY), V(OID_POLICY_V2), V(OID_CPS), V(OID_BGPSEC_ROUTER), V(OID_CA_ISSUERS), V(OID_CA_REPOSITORY),
	V(OID_RPKI_MANIFEST), V(OID_SIGNED_OBJECT), V(OID_RPKI_NOTIFY), V(OID_SIGNED_DATA), V(OID_CONTENT_TYPE_ATTR), V(OID_MESSAGE_DIGEST_ATTR), V(OID_SIGNING_TIME_ATTR),
	V(OID_BINARY_SIGNING_TIME_ATTR), V(OID_ROA), V(OID_MANIFEST), V(OID_GHOSTBUSTERS), V(OID_RSC), V(OID_ASPA), V(OID_TAK), V(OID_PREFIX_LIST), V("\x55\x1d\x11"), V("\x80"), V("") };
/* 0/0, 10/8, 10/9, 10.1/16, 10.1.2/24, an address; 2001:db8::/32, :1::/48; bits that are not 0; an empty set of key usages; hashes and signatures too short */
static const struct value bit_strings[] = {
	V("\0"), V("\0\x0a"), V("\7\x0a\0"), V("\7\x0a\x80"), V("\0\x0a\1"), V("\0\x0a\2"), V("\0\x0a\1\2"), V("\0\x0a\1\2\3"), V("\0\x0b"), V("\0\x0a\1\2\3\4"),
	V("\0\x20\1\x0d\xb8"), V("\0\x20\1\x0d\xb8\0\1"), V("\0\x20\1\x0d\xb9"), V("\0\x20\1\x0d\xb8\0\1\0\0\0\0\0\0\0\0\0\1"), V("\0\x20\1\x0d\xb8\0\1\0\0\0\0\0\0\0\0\0\1\0"),
	V("\1\x0a"), V("\x08\x0a"),
	V("\4\x0a\x10"), V("\1\6"), V("\7\x80"), V("\7\6"), V("\6\xc0"), V("\0\0"), V("\1"), V("") };
static const struct value octet_strings[] = {
	V("\0\1"), V("\0\2"), V("\0\1\1"), V("\0\3"), V("\0"), V("\1\2\3\4\5\6\7\x08\1\2\3\4\5\6\7\x08\1\2\3\4"), V("\5\0"), V("\x30\0"), V("\4\0"), V("\2\1\0"), V("") };
static const struct value names[] = {
	V("rsync://toy.example/repo/"), V("rsync://toy.example/repo"), V("rsync://toy.example/ta/"), V("rsync://toy.example/sub/"), V("rsync://toy.example/repo/toy.mft"),
	V("rsync://toy.example/ta/ta.mft"), V("rsync://toy.example/sub/sub.mft"), V("rsync://toy.example/repo/toy.crl"), V("rsync://toy.example/ta/ta.crl"), V("rsync://toy.example/repo/../ta/"),
	V("rsync://"), V("https://toy.example/notify.xml"), V("http://toy.example/"), V("rsync://toy.example:8873/repo/"), V("toy-ta"), V("toy-ca"), V("toy-sub"), V("toy-ee"), V("toy.crl"),
	V("toy.roa"), V("two.roa"), V("toy.asa"), V("sub.cer"), V("toy.gbr"), V("toy.mft"), V("../toy.roa"), V("a/b.roa"), V(".roa"), V("x.roa\0.cer"), V("x.cer"), V("ROUTER-0000FBF0"), V("") };
static const struct value truths[] = { V("\xff"), V("\0"), V("\1"), V("\xff\xff"), V("") };
static const struct value anything[] = { V(""), V("\0"), V("\5\0"), V("\x30\0"), V("\2\1\1"), V("\4\0"), V("\xff\xff\xff\xff") };

static struct values known_of(uint8_t tag)
{
	switch (tag) {
	case DER_INTEGER:
	case DER_ENUMERATED:
		return VALUES(numbers);
	case DER_UTC_TIME:
		return VALUES(utc_times);
	case DER_GENERALIZED_TIME:
		return VALUES(general_times);
	case DER_OID:
		return VALUES(oids);
	case DER_BIT_STRING:
		return VALUES(bit_strings);
	case DER_OCTET_STRING:
	case DER_CONTEXT:
		return VALUES(octet_strings);
	case DER_BOOLEAN:
		return VALUES(truths);
	case DER_IA5_STRING:
	case DER_PRINTABLE_STRING:
	case DER_UTF8_STRING:
	case DER_CONTEXT + 6:
		return VALUES(names);
	default:
		return VALUES(anything);
	}
}

struct span label_known(uint8_t tag, size_t n)
{
	struct values v = known_of(tag);

	return span_of(v.of[n % v.n].octets, v.of[n % v.n].n);
}

size_t labels_count(const struct node *root)
{
	size_t n = 1;

	for (const struct node *c = root->inside ? root->first : NULL; c != NULL; c = c->next)
		n += labels_count(c);
	return n;
}

static struct node *nth(struct node *n, size_t *left) BORROWED;
static struct node *nth(struct node *n, size_t *left)
{
	if (*left == 0)
		return n;
	--*left;
	for (struct node *c = n->inside ? n->first : NULL; c != NULL; c = c->next) {
		struct node *found = nth(c, left);

		if (found != NULL)
			return found;
	}
	return NULL;
}

struct node *label_nth(struct node *root, size_t n) { return nth(root, &n); }

struct node *labels_copy(struct arena *a, const struct node *n)
{
	struct node *copy = arena_dup(a, n, sizeof *n), **end = &copy->first;

	copy->next = copy->first = NULL;
	for (const struct node *c = n->inside ? n->first : NULL; c != NULL; c = c->next) {
		*end = labels_copy(a, c);
		end = &(*end)->next;
	}
	return copy;
}

/* The label that has n among its children; NULL: the root has none. */
static struct node *above(struct node *root, const struct node *n) BORROWED;
static struct node *above(struct node *root, const struct node *n)
{
	for (struct node *c = root->inside ? root->first : NULL; c != NULL; c = c->next) {
		struct node *found = c == n ? root : above(c, n);

		if (found != NULL)
			return found;
	}
	return NULL;
}

static void become_octets(struct node *n, uint8_t tag, struct span s)
{
	n->tag = tag;
	n->inside = false;
	n->octets = s;
}

static struct node *last_of(struct node *first) BORROWED;
static struct node *last_of(struct node *first)
{
	while (first != NULL && first->next != NULL)
		first = first->next;
	return first;
}

static void append(struct node *to, struct node *n)
{
	struct node *last = last_of(to->first);

	if (last != NULL)
		last->next = n;
	else
		to->first = n;
}

static void swap_with_next(struct node *parent, struct node *n)
{
	struct node *other = n->next, **at = &parent->first;

	while (*at != n)
		at = &(*at)->next;
	*at = other;
	n->next = other->next;
	other->next = n;
}

static void to_the_end(struct node *parent, struct node *n)
{
	while (n->next != NULL)
		swap_with_next(parent, n);
}

static void insert_before(struct node *parent, struct node *n, struct node *made)
{
	struct node **at = &parent->first;

	while (*at != n)
		at = &(*at)->next;
	made->next = n;
	*at = made;
}

static size_t burden(const struct node *n) { return tree_size(n) + labels_count(n); }

static void copies(struct arena *a, struct node *root, struct node *n, unsigned int count)
{
	size_t each = burden(n), there = burden(root);

	for (; count > 0 && there + each <= LABELS_MOST_OCTETS; count--, there += each) {
		struct node *made = labels_copy(a, n);

		made->next = n->next;
		n->next = made;
	}
}

static void change_octet(struct arena *a, struct node *n, uint8_t at, uint8_t by, bool add)
{
	struct span contents = tree_contents(a, n);
	uint8_t *copy;

	if (contents.n == 0)
		return;
	copy = arena_dup(a, contents.p, contents.n);
	copy[at % contents.n] = (uint8_t)(add ? copy[at % contents.n] + by : copy[at % contents.n] ^ by);
	become_octets(n, n->tag, span_of(copy, contents.n));
}

/* The last octet of a number counts most seldom; carries go as far as they must. */
static void add(struct arena *a, struct node *n, uint8_t by)
{
	struct span contents = tree_contents(a, n);
	uint8_t *copy = arena_dup(a, contents.p, contents.n + 1);
	int carry = (int8_t)by;

	for (size_t i = contents.n; i > 0 && carry != 0; i--) {
		int v = copy[i - 1] + carry;

		copy[i - 1] = (uint8_t)v;
		carry = v < 0 ? -1 : v > 255 ? 1 : 0;
	}
	if (contents.n > 0)
		become_octets(n, n->tag, span_of(copy, contents.n));
}

static void wrong_length(struct arena *a, struct node *n, uint8_t how)
{
	struct span contents = tree_contents(a, n);
	struct writer w = writer_of(arena_alloc(a, contents.n + 16), contents.n + 16);

	write8(&w, n->tag);
	switch (how % 8) {
	case 0: /* indefinite, as BER has it */
	case 1:
		write8(&w, 0x80);
		break;
	case 2: /* longer than it has to be */
		write8(&w, 0x82);
		write16(&w, (uint16_t)contents.n);
		break;
	case 3:
		write8(&w, 0x84);
		write32(&w, (uint32_t)contents.n);
		break;
	case 4: /* more than there is, and less */
		write8(&w, 0x82);
		write16(&w, (uint16_t)(contents.n + 1));
		break;
	case 5:
		write8(&w, (uint8_t)(contents.n == 0 ? 1 : (contents.n - 1) & 0x7f));
		break;
	case 6:
		write8(&w, 0x88);
		write32(&w, UINT32_MAX);
		write32(&w, UINT32_MAX);
		break;
	default:
		write8(&w, 0xff);
		break;
	}
	write_span(&w, contents);
	if (how % 8 == 0)
		write16(&w, 0);
	become_octets(n, 0, writer_done(&w));
}

static void wrap(struct arena *a, struct node *n, uint8_t tag)
{
	struct node *inner = arena_dup(a, n, sizeof *n);

	inner->next = NULL;
	n->tag = tag != 0 ? tag : DER_SEQUENCE;
	n->inside = true;
	n->octets = span_of("", 0);
	n->first = inner;
}

static void take_label(struct arena *a, struct node *n, const struct node *from)
{
	struct node *made = labels_copy(a, from);

	made->next = n->next;
	*n = *made;
}

/* What needs neither siblings nor room. */
static void change_one(struct arena *a, struct node *n, enum label_code code, struct span s)
{
	uint8_t first = s.n > 0 ? s.p[0] : 0;

	switch (code) {
	case LABEL_CONTENTS:
		become_octets(n, n->tag, s);
		break;
	case LABEL_TAG:
		n->tag = first;
		break;
	case LABEL_DELETE:
		become_octets(n, 0, span_of("", 0));
		break;
	case LABEL_XOR:
		change_octet(a, n, first, s.n > 1 ? s.p[1] : 1, false);
		break;
	case LABEL_ADD:
		add(a, n, first);
		break;
	case LABEL_KNOWN:
		become_octets(n, n->tag, label_known(n->tag, first));
		break;
	case LABEL_LENGTH:
		wrong_length(a, n, first);
		break;
	case LABEL_WRAP:
		wrap(a, n, first);
		break;
	case LABEL_UNWRAP:
		if (n->inside)
			n->tag = 0;
		break;
	default:
		break;
	}
}

void label_change(struct arena *a, struct node *root, size_t at, enum label_code code, struct span s, const struct node *from)
{
	struct node *n = label_nth(root, at % labels_count(root)), *parent = above(root, n);
	size_t size = burden(root);

	if (size + s.n + 16 > LABELS_MOST_OCTETS)
		return;
	switch (code) {
	case LABEL_TWICE:
	case LABEL_MANY:
		if (parent != NULL)
			copies(a, root, n, code == LABEL_TWICE || s.n == 0 ? 1 : s.p[0]);
		break;
	case LABEL_SWAP:
		if (parent != NULL && n->next != NULL)
			swap_with_next(parent, n);
		break;
	case LABEL_LAST:
		if (parent != NULL)
			to_the_end(parent, n);
		break;
	case LABEL_BEFORE:
		if (parent != NULL)
			insert_before(parent, n, tree_raw(a, s));
		break;
	case LABEL_CHILD:
		if (n->inside)
			append(n, tree_raw(a, s));
		break;
	case LABEL_SPLICE:
		if (from != NULL && burden(from) + size <= LABELS_MOST_OCTETS)
			take_label(a, n, from);
		break;
	default:
		change_one(a, n, code, s);
		break;
	}
}
