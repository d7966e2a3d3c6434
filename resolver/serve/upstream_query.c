#include "resolver/serve/upstream_query.h"

#include "base/rng.h"
#include "dns/build.h"

#define OPT_MOST (11 + 4 + QUERY_COOKIE_MOST + 4)

static void write_opt(struct builder *b, const struct query_form *f)
{
	struct edns_out e = { .udp_size = f->edns_size, .dnssec_ok = f->dnssec_ok };

	build_edns_start(b, &e);
	if (f->cookie_len > 0)
		(void)build_edns_option(b, EDNS_COOKIE, span_of(f->cookie, f->cookie_len));
	if (f->keepalive)
		(void)build_edns_option(b, EDNS_TCP_KEEPALIVE, span_of("", 0));
	build_edns_end(b);
}

size_t query_write(const struct query_form *f, uint8_t *buf, size_t cap)
{
	uint16_t flags = (uint16_t)((f->recurse ? MSG_RD : 0) | (f->check_disabled ? MSG_CD : 0));
	struct builder b;

	build_start(&b, buf, cap, cap, f->edns ? OPT_MOST : 0, f->id, flags);
	build_question(&b, &f->q);
	if (f->edns)
		write_opt(&b, f);
	return build_finish(&b);
}

/* The octets of lengths are below 64 and so never taken for letters. */
void query_mix_case(struct name_buf *n, struct rng *r)
{
	uint64_t bits = 0;
	unsigned int left = 0;

	for (unsigned int i = 0; i < n->len; i++) {
		uint8_t lower = n->b[i] | 0x20;

		if (n->b[i] < 'A' || lower < 'a' || lower > 'z')
			continue;
		if (left == 0) {
			bits = rng64(r);
			left = 64;
		}
		n->b[i] = (bits & 1) != 0 ? lower : (uint8_t)(lower & ~0x20);
		bits >>= 1;
		left--;
	}
}

void query_client_cookie(
	const struct hash_key *secret, const struct endpoint *server, const struct addr *from, uint8_t ret_cookie[8])
{
	uint8_t in[1 + 16 + 2 + 4 + 1 + 16];
	struct writer w = writer_of(in, sizeof in);
	uint64_t h;

	write8(&w, server->a.family);
	write_octets(&w, server->a.b, 16);
	write16(&w, server->port);
	write32(&w, server->scope);
	write8(&w, from->family);
	write_octets(&w, from->b, 16);
	h = siphash24(secret, in, w.pos);
	for (unsigned int i = 0; i < 8; i++)
		ret_cookie[i] = (uint8_t)(h >> 8 * i);
}
