/* bgp_bytes.h: BGP, MRT and BMP as octets, for tests: what a router or a collector would write. */
#ifndef TESTS_UNIT_RPKI_BGP_BYTES_H
#define TESTS_UNIT_RPKI_BGP_BYTES_H

#include "base/addr.h"
#include "base/cursor.h"

static inline struct prefix bytes_prefix(const char *text)
{
	struct prefix p = { .len = 0 };
	struct result r = prefix_parse(text, &p);

	return OK(r) ? p : (struct prefix){ .len = 255 };
}

static inline void write_nlri(struct writer *w, const char *text)
{
	struct prefix p = bytes_prefix(text);

	write8(w, p.len);
	write_octets(w, p.a.b, (p.len + 7u) / 8);
}

/* An attribute with a value of up to 255 octets. */
static inline void write_attribute(struct writer *w, uint8_t type, const void *value, size_t n)
{
	write8(w, 0x40);
	write8(w, type);
	write8(w, (uint8_t)n);
	write_octets(w, value, n);
}

/* A segment of n AS numbers of 4 octets. */
static inline void write_segment(struct writer *w, uint8_t type, const uint32_t *as, uint8_t n)
{
	write8(w, type);
	write8(w, n);
	for (unsigned int i = 0; i < n; i++)
		write32(w, as[i]);
}

/* AS_PATH: one AS_SEQUENCE that ends in origin. */
static inline void write_path(struct writer *w, uint32_t origin)
{
	uint8_t value[16];
	struct writer v = writer_of(value, sizeof value);

	write_segment(&v, 2, (const uint32_t[]){ 64500, origin }, 2);
	write_attribute(w, 2, value, v.pos);
}

/* Ends what began at `at`: the length of what follows goes there, in octets of `size`. */
static inline void write_length(struct writer *w, size_t at, unsigned int size, size_t more)
{
	size_t n = w->pos - at - size + more;

	if (size == 2)
		store16(w->base + at, (uint16_t)n);
	else
		store32(w->base + at, (uint32_t)n);
}

/* An UPDATE of IPv4 prefixes, either of which may be NULL. */
static inline void write_update(struct writer *w, const char *withdrawn, const char *announced, uint32_t origin)
{
	size_t begin = w->pos, at;

	for (unsigned int i = 0; i < 16; i++)
		write8(w, 0xff);
	write16(w, 0);
	write8(w, 2);
	at = w->pos;
	write16(w, 0);
	if (withdrawn != NULL)
		write_nlri(w, withdrawn);
	write_length(w, at, 2, 0);
	at = w->pos;
	write16(w, 0);
	if (announced != NULL) {
		write_path(w, origin);
		write_length(w, at, 2, 0);
		write_nlri(w, announced);
	}
	store16(w->base + begin + 16, (uint16_t)(w->pos - begin));
}

/* One record of MRT. */
static inline size_t mrt_begin(struct writer *w, uint16_t type, uint16_t subtype)
{
	write32(w, 1700000000);
	write16(w, type);
	write16(w, subtype);
	write32(w, 0);
	return w->pos - 4;
}

/* Two peers: AS 64500 with 2 octets and IPv4, AS 4200000000 with 4 and IPv6. */
static inline void write_peers(struct writer *w)
{
	static const uint8_t zeros[24];
	size_t at = mrt_begin(w, 13, 1);

	write32(w, 1);
	write16(w, 3);
	write_octets(w, "rib", 3);
	write16(w, 2);
	write8(w, 0);
	write_octets(w, zeros, 8);
	write16(w, 64500);
	write8(w, 3);
	write_octets(w, zeros, 20);
	write32(w, 4200000000u);
	write_length(w, at, 4, 0);
}

/* A RIB record with an entry of each origin; paths: with identifiers. */
static inline void write_rib(struct writer *w, uint16_t subtype, const char *prefix, bool paths, const uint32_t *origins, unsigned int n)
{
	size_t at = mrt_begin(w, 13, subtype), length;

	write32(w, 0);
	write_nlri(w, prefix);
	write16(w, (uint16_t)n);
	for (unsigned int i = 0; i < n; i++) {
		write16(w, (uint16_t)(i % 2));
		write32(w, 1600000000);
		if (paths)
			write32(w, i + 1);
		length = w->pos;
		write16(w, 0);
		write_attribute(w, 1, "", 1); /* ORIGIN */
		write_path(w, origins[i]);
		write_length(w, length, 2, 0);
	}
	write_length(w, at, 4, 0);
}

/* --- BMP */

enum { BMP_MONITORING, BMP_STATISTICS, BMP_DOWN, BMP_UP, BMP_INITIATION, BMP_TERMINATION };

static inline size_t bmp_begin(struct writer *w, uint8_t type)
{
	write8(w, 3);
	write32(w, 0);
	write8(w, type);
	return w->pos - 5;
}

static inline void bmp_finish(struct writer *w, size_t at)
{
	store32(w->base + at, (uint32_t)(w->pos - at + 1));
}

/* Per-peer header; last: of the address. */
static inline void write_peer(struct writer *w, uint8_t type, uint8_t flags, uint8_t last, uint32_t as)
{
	static const uint8_t zeros[16];

	write8(w, type);
	write8(w, flags);
	write_octets(w, zeros, 8);
	write_octets(w, zeros, type == 3 ? 16 : 15);
	if (type != 3)
		write8(w, last);
	write32(w, as);
	write_octets(w, "\1\1\1\1", 4);
	write_octets(w, zeros, 8);
}

/* An OPEN with a capability for path identifiers of IPv4: how they may go; 0: without it. */
static inline void write_open(struct writer *w, uint8_t how, bool extended)
{
	size_t at = w->pos;

	for (unsigned int i = 0; i < 16; i++)
		write8(w, 0xff);
	write16(w, 0);
	write8(w, 1);
	write8(w, 4);
	write16(w, 64500);
	write16(w, 180);
	write32(w, 1);
	if (extended) {
		write8(w, 255);
		write8(w, 255);
		write16(w, how != 0 ? 9 : 0);
	} else {
		write8(w, how != 0 ? 8 : 0);
	}
	if (how != 0) {
		write8(w, 2);
		if (extended)
			write16(w, 6);
		else
			write8(w, 6);
		write_octets(w, "\x45\4\0\1\1", 5);
		write8(w, how);
	}
	store16(w->base + at + 16, (uint16_t)(w->pos - at));
}

static inline void write_up(struct writer *w, uint8_t type, uint8_t flags, uint8_t last, uint32_t as, uint8_t sent, uint8_t received)
{
	static const uint8_t zeros[20];
	size_t at = bmp_begin(w, BMP_UP);

	write_peer(w, type, flags, last, as);
	write_octets(w, zeros, 20);
	write_open(w, sent, false);
	write_open(w, received, sent != 0);
	bmp_finish(w, at);
}

static inline void write_monitoring(struct writer *w, uint8_t type, uint8_t flags, uint8_t last, uint32_t as, const char *withdrawn, const char *announced, uint32_t origin)
{
	size_t at = bmp_begin(w, BMP_MONITORING);

	write_peer(w, type, flags, last, as);
	write_update(w, withdrawn, announced, origin);
	bmp_finish(w, at);
}

static inline void write_down(struct writer *w, uint8_t type, uint8_t flags, uint8_t last, uint32_t as)
{
	size_t at = bmp_begin(w, BMP_DOWN);

	write_peer(w, type, flags, last, as);
	write8(w, 4);
	bmp_finish(w, at);
}

#endif
