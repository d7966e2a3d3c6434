/*
 * The files of RRDP: the first octet says which (n, s, d), the second how long the pieces are, the rest is the file. Read in pieces and at once it gives the same; what is
 * told is of the form that was promised.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "base/strbuf.h"
#include "rpki/fetch/rrdp_read.h"
#include "rpki/fetch/uri.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
	uint64_t sum; /* over all that was told, in order */
	bool bad;
};

static void note(struct told *t, const void *p, size_t n)
{
	struct hash_key key = { { t->sum, n } };

	t->sum = siphash13(&key, n > 0 ? p : "", n);
}

static RESULT publish(void *ctx, struct span uri, const uint8_t *replaces, struct span octets)
{
	struct told *t = (struct told *)ctx;

	note(t, uri.p, uri.n);
	note(t, replaces, replaces != NULL ? RRDP_HASH : 0);
	note(t, octets.p, octets.n);
	t->bad = t->bad || !rsync_uri_ok(uri) || octets.n > 1000;
	return DONE;
}

static RESULT withdraw(void *ctx, struct span uri, const uint8_t hash[RRDP_HASH])
{
	struct told *t = (struct told *)ctx;

	note(t, uri.p, uri.n);
	note(t, hash, RRDP_HASH);
	t->bad = t->bad || !rsync_uri_ok(uri);
	return DONE;
}

static bool notification_ok(const struct rrdp_notification *n)
{
	bool row = true;

	if (n->snapshot == NULL || strlen(n->session) != RRDP_SESSION || n->serial == 0)
		return false;
	for (size_t i = 0; i < n->count; i++) {
		row = row && n->deltas[i].serial == n->serial - (n->count - 1 - i);
		if (n->deltas[i].uri == NULL || (i > 0 && n->deltas[i].serial < n->deltas[i - 1].serial))
			return false;
	}
	return row || n->gaps;
}

static struct result read_all(enum rrdp_file kind, struct span file, size_t piece, struct told *t)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(4096);
	struct rrdp_limits limits = rrdp_limits_default();
	struct rrdp_expected expected = { "b4772554-7369-4e0e-94f8-883d01bcabc8", 7 };
	struct rrdp_sink sink = { .ctx = t, .publish = publish, .withdraw = withdraw };
	AUTO(rrdp_reader_free) struct rrdp_reader *r = NULL;
	AUTO(rrdp_notification_free) struct rrdp_notification *n = NULL;
	struct reader in = reader_of(file);

	limits.object_octets = 1000;
	limits.list = 50;
	limits.elements = 30;
	if (why == NULL)
		return FAIL(ERR_NOMEM);
	r = rrdp_reader_new(kind, &limits, &expected, &sink, why);
	if (r == NULL)
		return FAIL(ERR_NOMEM);
	while (!reader_end(&in))
		TRY(rrdp_read(r, read_span(&in, reader_left(&in) < piece ? reader_left(&in) : piece), false));
	TRY(rrdp_read(r, span_of("", 0), true));
	if (kind == RRDP_NOTIFICATION) {
		n = rrdp_reader_take(r);
		note(t, n->session, sizeof n->session);
		for (size_t i = 0; i < n->count; i++)
			note(t, n->deltas[i].hash, RRDP_HASH);
		t->bad = t->bad || !notification_ok(n);
	}
	return DONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	uint8_t what = read8(&r);
	size_t piece = (size_t)read8(&r) + 1;
	enum rrdp_file kind = what == 's' ? RRDP_SNAPSHOT : what == 'd' ? RRDP_DELTA : RRDP_NOTIFICATION;
	struct told once = { .sum = 0 }, pieces = { .sum = 0 };
	struct span file = read_rest(&r);
	struct result a, b;

	if (size < 2)
		return 0;
	a = read_all(kind, file, SIZE_MAX, &once);
	b = read_all(kind, file, piece, &pieces);
	HOLDS(a.e != ERR_NOMEM && b.e != ERR_NOMEM);
	HOLDS(a.e == b.e && !once.bad && !pieces.bad);
	HOLDS(!OK(a) || once.sum == pieces.sum);
	return 0;
}
