/*
 * fetch_wire.h: what the engine and the process that has the network say to each other: the calls and events of rpki/fetch/fetcher.h as messages of a link. Integers in network order,
 * a text is its length (2 octets) and its octets, without a NUL in it. Both ends check what they read, and end the link when it is not so.
 */
#ifndef RPKI_PROCESS_FETCH_WIRE_H
#define RPKI_PROCESS_FETCH_WIRE_H

#include "rpki/fetch/fetcher.h"

enum fetch_message {
	/* engine to network */
	FETCH_GET = 1,   /* id 8, max_octets 8, deadline_ms 4, uri, etag, modified, connect_ms 4 when it is not 0 */
	FETCH_RSYNC,     /* id 8, deadline_ms 4, folder 16, uri, connect_ms likewise */
	FETCH_PAUSE,     /* id 8, paused 1 */
	FETCH_CANCEL,    /* id 8 */
	/* network to engine */
	FETCH_HEAD,      /* id 8, status 4, etag, modified */
	FETCH_BODY,      /* id 8, octets */
	FETCH_ENDED,     /* id 8, octets 8, err 1, why */
	FETCH_COUNTS,    /* 8 for each member of struct fetch_counts */
};

#define FETCH_COUNTED 13u /* members of struct fetch_counts */
#define FETCH_MESSAGE_MAX ((size_t)8 << 10) /* octets of any message but FETCH_BODY */

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
/* Longer than max - 1: as if there were none, which is what fetcher.h says of tags. */
static inline void write_text(struct writer *w, const char *text, size_t max)
{
	size_t n = text != NULL ? strlen(text) : 0;

	n = n < max ? n : 0;
	write16(w, (uint16_t)n);
	write_octets(w, text, n);
}
/* Into room, with a NUL. Does not fit, or has a NUL or a line's end in it: r has failed. */
static inline void read_text(struct reader *r, char *room, size_t size)
{
	struct span s = read_span(r, read16(r));

	room[0] = '\0';
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || s.p[i] == '\n')
			reader_fail(r);
	if (s.n >= size)
		reader_fail(r);
	if (!reader_ok(r) || s.n == 0)
		return;
	memcpy(room, s.p, s.n);
	room[s.n] = '\0';
}

#endif
