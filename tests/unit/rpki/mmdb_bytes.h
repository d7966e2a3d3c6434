/* mmdb_bytes.h: a database of autonomous systems in MaxMind's format as octets, for tests: a tree with records of 24, 28 or 32 bits, and one entry of data for each network. */
#ifndef TESTS_UNIT_RPKI_MMDB_BYTES_H
#define TESTS_UNIT_RPKI_MMDB_BYTES_H

#include <string.h>

#include "base/addr.h"
#include "base/cursor.h"

#define MMDB_NODES 1000u

struct mmdb {
	uint32_t side[MMDB_NODES][2]; /* 0: nothing; a node; or MMDB_DATA and an offset */
	uint32_t nodes;
	unsigned int version; /* 4 or 6 */
	unsigned int bits;    /* of a record */
	uint8_t data[4000];
	struct writer w;
};
#define MMDB_DATA (1u << 31)

static inline void mmdb_begin(struct mmdb *m, unsigned int version)
{
	memset(m, 0, sizeof *m);
	m->nodes = 1;
	m->version = version;
	m->bits = 24;
	m->w = writer_of(m->data, sizeof m->data);
}

static inline void mmdb_text(struct writer *w, const char *text)
{
	write8(w, (uint8_t)(2u << 5 | strlen(text)));
	write_octets(w, text, strlen(text));
}

static inline void mmdb_number(struct writer *w, unsigned int type, uint32_t v)
{
	write8(w, (uint8_t)(type << 5 | (type == 5 ? 2 : 4)));
	if (type == 5)
		write16(w, (uint16_t)v);
	else
		write32(w, v);
}

/* What is known of AS asn: as a number, or as the text "AS1"; the offset. */
static inline uint32_t mmdb_data(struct mmdb *m, uint32_t asn, const char *text)
{
	uint32_t at = (uint32_t)m->w.pos;

	write8(&m->w, 7u << 5 | 2);
	mmdb_text(&m->w, "x");
	mmdb_text(&m->w, "y");
	mmdb_text(&m->w, text != NULL ? "asn" : "autonomous_system_number");
	if (text != NULL)
		mmdb_text(&m->w, text);
	else
		mmdb_number(&m->w, 6, asn);
	return at;
}

/* The bits of a prefix in the tree. */
static inline unsigned int mmdb_way(const struct mmdb *m, const char *prefix, uint8_t addr[16])
{
	struct prefix p;

	memset(addr, 0, 16);
	if (prefix_parse(prefix, &p).e != ERR_NONE)
		return 0;
	if (m->version == 6 && p.a.family == ADDR_V4) {
		memcpy(addr + 12, p.a.b, 4);
		return 96u + p.len;
	}
	memcpy(addr, p.a.b, 16);
	return p.len;
}

static inline void mmdb_put(struct mmdb *m, const char *prefix, uint32_t value)
{
	uint8_t addr[16];
	unsigned int len = mmdb_way(m, prefix, addr);
	uint32_t at = 0;

	for (unsigned int i = 0; i < len; i++) {
		uint32_t *side = &m->side[at][addr[i / 8] >> (7 - i % 8) & 1];

		if (i + 1 == len)
			*side = value;
		else if (*side == 0)
			*side = m->nodes++;
		at = *side;
	}
}

static inline void mmdb_add(struct mmdb *m, const char *prefix, uint32_t asn)
{
	mmdb_put(m, prefix, MMDB_DATA | mmdb_data(m, asn, NULL));
}

/* The node of ::/96, to be pointed to from elsewhere. */
static inline uint32_t mmdb_v4(const struct mmdb *m)
{
	uint32_t at = 0;

	for (unsigned int i = 0; i < 96; i++)
		at = m->side[at][0];
	return at;
}

static inline void mmdb_write(const struct mmdb *m, struct writer *w)
{
	for (uint32_t i = 0; i < m->nodes; i++) {
		for (unsigned int s = 0; s < 2; s++) {
			uint32_t v = m->side[i][s];

			v = v == 0 ? m->nodes : (v & MMDB_DATA) != 0 ? m->nodes + 16 + (v & ~MMDB_DATA) : v;
			if (m->bits == 32)
				write8(w, (uint8_t)(v >> 24));
			if (m->bits == 28 && s == 1)
				write8(w, 0); /* the upper bits of both */
			write8(w, (uint8_t)(v >> 16));
			write16(w, (uint16_t)v);
		}
	}
	for (unsigned int i = 0; i < 16; i++)
		write8(w, 0);
	write_octets(w, m->data, m->w.pos);
	write_octets(w, "\xab\xcd\xefMaxMind.com", 14);
	write8(w, 7u << 5 | 9);
	mmdb_text(w, "node_count");
	mmdb_number(w, 6, m->nodes);
	mmdb_text(w, "record_size");
	mmdb_number(w, 5, m->bits);
	mmdb_text(w, "ip_version");
	mmdb_number(w, 5, m->version);
	mmdb_text(w, "database_type");
	mmdb_text(w, "toy-ASN");
	mmdb_text(w, "languages");
	write16(w, 0x0004);
	mmdb_text(w, "binary_format_major_version");
	mmdb_number(w, 5, 2);
	mmdb_text(w, "binary_format_minor_version");
	mmdb_number(w, 5, 0);
	mmdb_text(w, "build_epoch");
	write16(w, 0x0402);
	write32(w, 1700000000);
	mmdb_text(w, "description");
	write8(w, 7u << 5);
}

#endif
