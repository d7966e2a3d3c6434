#include "rpki/fetch/rrdp_state.h"

#include "base/mem.h"
#include "base/strbuf.h"

#define FORM 1u /* of the octets */

void rrdp_state_free(struct rrdp_state *s)
{
	if (s == NULL)
		return;
	mem_free(s->deltas);
	mem_free(s);
}

static uint64_t read64(struct reader *r)
{
	uint64_t high = read32(r);

	return high << 32 | read32(r);
}

static void read_tag(struct reader *r, char to[RRDP_TAG_MAX + 1])
{
	struct span s = read_span(r, read16(r));

	if (s.n > RRDP_TAG_MAX || (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)) {
		reader_fail(r);
		return;
	}
	if (s.n > 0)
		memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

/* False: out of memory. */
static bool read_all(struct reader *r, struct rrdp_state *s)
{
	struct span session;
	uint32_t count;

	if (read8(r) != FORM)
		reader_fail(r);
	session = read_span(r, RRDP_SESSION);
	s->serial = read64(r);
	read_tag(r, s->etag);
	read_tag(r, s->modified);
	count = read32(r);
	if (!reader_ok(r) || count != reader_left(r) / (8 + RRDP_HASH) || reader_left(r) % (8 + RRDP_HASH) != 0) {
		reader_fail(r);
		return true;
	}
	memcpy(s->session, session.p, RRDP_SESSION); /* lint-ok: fanalyzer:-Wanalyzer-null-argument the reader was asked whether all was there */
	s->deltas = (struct rrdp_delta_ref *)mem_alloc_array(count, sizeof *s->deltas);
	if (s->deltas == NULL)
		return false;
	for (; s->count < count; s->count++) {
		struct rrdp_delta_ref *d = &s->deltas[s->count];
		struct span hash;

		d->serial = read64(r);
		hash = read_span(r, RRDP_HASH);
		if (hash.n == RRDP_HASH)
			memcpy(d->hash, hash.p, RRDP_HASH);
		if (s->count > 0 && d->serial <= d[-1].serial)
			reader_fail(r);
	}
	return true;
}

struct rrdp_state *rrdp_state_read(struct span octets)
{
	AUTO(rrdp_state_free) struct rrdp_state *s = (struct rrdp_state *)mem_alloc(sizeof *s);
	struct reader r = reader_of(octets);

	if (s == NULL || !read_all(&r, s))
		return NULL;
	if (!reader_ok(&r)) {
		mem_free(MOVE(s->deltas));
		*s = (struct rrdp_state){ .serial = 0 };
	}
	return MOVE(s);
}

static void set_tag(char to[RRDP_TAG_MAX + 1], const char *tag)
{
	size_t n = strlen(tag);

	if (n > RRDP_TAG_MAX)
		n = 0;
	memcpy(to, tag, n);
	to[n] = '\0';
}

void rrdp_state_set_tags(struct rrdp_state *s, const char *etag, const char *modified)
{
	set_tag(s->etag, etag);
	set_tag(s->modified, modified);
}

RESULT rrdp_state_follow(struct rrdp_state *s, const struct rrdp_notification *n)
{
	size_t count = n->gaps ? 0 : n->count; /* with gaps serials may be there twice: nothing to compare with */
	AUTO(mem_free) void *made = mem_alloc_array(count, sizeof *s->deltas);
	struct rrdp_delta_ref *deltas = (struct rrdp_delta_ref *)made;

	if (made == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < count; i++) {
		deltas[i].serial = n->deltas[i].serial;
		memcpy(deltas[i].hash, n->deltas[i].hash, RRDP_HASH);
	}
	mem_free(MOVE(s->deltas));
	s->deltas = (struct rrdp_delta_ref *)MOVE(made);
	s->count = count;
	memcpy(s->session, n->session, sizeof s->session);
	s->serial = n->serial;
	return DONE;
}

bool rrdp_state_differs(const struct rrdp_state *s, const struct rrdp_notification *n, uint64_t *ret_serial)
{
	size_t i = 0, k = 0;

	if (strcmp(s->session, n->session) != 0)
		return false;
	while (i < s->count && k < n->count) {
		const struct rrdp_delta_ref *a = &s->deltas[i], *b = &n->deltas[k];

		if (a->serial == b->serial && memcmp(a->hash, b->hash, RRDP_HASH) != 0) {
			*ret_serial = a->serial;
			return true;
		}
		if (a->serial < b->serial)
			i++;
		else
			k++; /* one that is there twice is looked at twice */
	}
	return false;
}

static void add32(struct strbuf *out, uint32_t v)
{
	uint8_t b[4];

	store32(b, v);
	strbuf_add(out, b, sizeof b);
}

static void add_tag(struct strbuf *out, const char *tag)
{
	uint8_t b[2];

	store16(b, (uint16_t)strlen(tag));
	strbuf_add(out, b, sizeof b);
	strbuf_puts(out, tag);
}

RESULT rrdp_state_write(const struct rrdp_state *s, struct strbuf *out)
{
	strbuf_clear(out);
	strbuf_putc(out, (char)FORM);
	strbuf_add(out, s->session, RRDP_SESSION);
	add32(out, (uint32_t)(s->serial >> 32));
	add32(out, (uint32_t)s->serial);
	add_tag(out, s->etag);
	add_tag(out, s->modified);
	add32(out, (uint32_t)s->count);
	for (size_t i = 0; i < s->count; i++) {
		add32(out, (uint32_t)(s->deltas[i].serial >> 32));
		add32(out, (uint32_t)s->deltas[i].serial);
		strbuf_add(out, s->deltas[i].hash, RRDP_HASH);
	}
	return strbuf_result(out);
}
