/*
 * snapshot_format.h: how a snapshot looks on disk. Numbers are in network order, but for what is inside of RRset blocks: these
 * are as in memory, which the header's layout says.
 *
 *   header   magic[8] version:32 layout:32 wall_sec:64 anchors_digest[32] reserved[8] checksum:64
 *   block    length:32 checksum:64 payload[length]           one for each bundle
 *   end      length:32 = 0 checksum:64
 *
 *   payload  kind:8 name_len:8 type:16 class:16 sets:16 ttl:32 stored_wall_sec:64 reserved:32
 *            sets times: octets:32 rrset[octets] padding to a multiple of 4
 *            name[name_len]
 *
 * A checksum is keyed with the file's time and the block's number, so that a block of an older file, or one in another place,
 * does not fit. It finds damage, not malice: who may write the file may write what he wants.
 */
#ifndef RESOLVER_CACHE_SNAPSHOT_FORMAT_H
#define RESOLVER_CACHE_SNAPSHOT_FORMAT_H

#include "base/cursor.h"
#include "base/hash.h"
#include "dns/rrset.h"

#define SNAPSHOT_MAGIC "cairn-rr"
#define SNAPSHOT_VERSION 1u
#define SNAPSHOT_HEADER 72u
#define SNAPSHOT_BLOCK_HEADER 12u
#define SNAPSHOT_PAYLOAD_FIXED 24u
#define SNAPSHOT_MAX_PAYLOAD (UINT32_C(1) << 20)

/* Changes when the memory layout of an RRset does. */
static inline uint32_t snapshot_layout(void)
{
	static const uint16_t one = 1;

	return (uint32_t)sizeof(struct rrset) << 16 | (uint32_t)offsetof(struct rrset, offset) << 8 | *(const uint8_t *)&one;
}

static inline void write64(struct writer *w, uint64_t v)
{
	write32(w, (uint32_t)(v >> 32));
	write32(w, (uint32_t)v);
}

static inline uint64_t read64(struct reader *r)
{
	uint64_t high = read32(r);

	return high << 32 | read32(r);
}

static inline uint64_t snapshot_checksum(uint64_t wall_sec, uint64_t number, struct span s)
{
	struct hash_key k = { { wall_sec ^ UINT64_C(0x5ca1ab1e0ddba115), number ^ UINT64_C(0xcab005e5ca1ab1e5) } };

	return siphash13(&k, s.n != 0 ? (const void *)s.p : "", s.n);
}

/* The header's own number, which no block has. */
#define SNAPSHOT_HEADER_NUMBER UINT64_MAX

static inline void snapshot_write_header(struct writer *w, uint64_t wall_sec, const uint8_t anchors_digest[32])
{
	size_t from = w->pos;

	write_octets(w, SNAPSHOT_MAGIC, 8);
	write32(w, SNAPSHOT_VERSION);
	write32(w, snapshot_layout());
	write64(w, wall_sec);
	write_octets(w, anchors_digest, 32);
	write64(w, 0);
	write64(w, snapshot_checksum(wall_sec, SNAPSHOT_HEADER_NUMBER, span_of(w->base + from, w->pos - from)));
}

static inline void snapshot_write_block_header(struct writer *w, uint64_t wall_sec, uint64_t number, struct span payload)
{
	write32(w, (uint32_t)payload.n);
	write64(w, snapshot_checksum(wall_sec, number, payload));
}

#endif
