/*
 * cursor.h: spans of octets, and the bounds-checked readers and writers that are the only way to touch foreign data.
 * Errors are sticky: read or write ten fields, ask once. After an error a reader gives zeros and empty spans, a writer
 * writes nothing. Integers are in network order. All functions are inline and branch-light: they are on the hit path.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <string.h>

#include "base/own.h"

struct span {
	const uint8_t *p BORROWED_FIELD;
	size_t n;
};

static inline struct span span_of(const void *p, size_t n)
{
	return (struct span){ (const uint8_t *)p, n };
}
static inline struct span span_text(const char *s) /* without the final NUL */
{
	return (struct span){ (const uint8_t *)s, strlen(s) };
}
static inline bool span_equal(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* The one way to big-endian integers in memory known to be long enough. */
static inline uint16_t load16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static inline uint32_t load32(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }
static inline void store16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}
static inline void store32(uint8_t *p, uint32_t v)
{
	store16(p, (uint16_t)(v >> 16));
	store16(p + 2, (uint16_t)v);
}

/* A decimal number of at most max that is the whole text. */
static inline bool span_number(struct span s, uint32_t max, uint32_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
		if (v > max)
			return false;
	}
	*ret = (uint32_t)v;
	return s.n > 0;
}

struct reader {
	const uint8_t *base BORROWED_FIELD;
	size_t len; /* octets from base that may be read */
	size_t pos; /* pos <= len always */
	bool bad;   /* sticky: something was read past the end, or the user said reader_fail() */
};

static inline struct reader reader_of(struct span s) /* no octets may be NULL: nothing may be added to that */
{
	return (struct reader){ s.p != NULL ? s.p : (const uint8_t *)"", s.n, 0, false };
}
static inline void reader_fail(struct reader *r)
{
	r->bad = true;
	r->pos = r->len;
}
static inline bool reader_ok(const struct reader *r) { return !r->bad; }
static inline size_t reader_left(const struct reader *r) { return r->len - r->pos; }
static inline bool reader_end(const struct reader *r) { return r->pos == r->len; } /* also after an error */
static inline bool reader_need_(struct reader *r, size_t n)
{
	if (n <= r->len - r->pos)
		return true;
	reader_fail(r);
	return false;
}
static inline uint8_t read8(struct reader *r) { return reader_need_(r, 1) ? r->base[r->pos++] : 0; }
static inline uint16_t read16(struct reader *r)
{
	if (!reader_need_(r, 2))
		return 0;
	r->pos += 2;
	return load16(r->base + r->pos - 2);
}
static inline uint32_t read32(struct reader *r)
{
	if (!reader_need_(r, 4))
		return 0;
	r->pos += 4;
	return load32(r->base + r->pos - 4);
}
static inline struct span read_span(struct reader *r, size_t n) /* borrows from the reader's memory */
{
	if (!reader_need_(r, n))
		return (struct span){ NULL, 0 };
	r->pos += n;
	return (struct span){ r->base + r->pos - n, n };
}
static inline struct span read_rest(struct reader *r) { return read_span(r, reader_left(r)); }
static inline void read_skip(struct reader *r, size_t n)
{
	if (reader_need_(r, n))
		r->pos += n;
}
static inline void reader_seek(struct reader *r, size_t pos)
{
	if (pos > r->len)
		reader_fail(r);
	else if (!r->bad)
		r->pos = pos;
}

struct writer {
	uint8_t *base BORROWED_FIELD;
	size_t cap; /* octets from base that may be written */
	size_t pos; /* pos <= cap always */
	bool full;  /* sticky: something did not fit */
};

static inline struct writer writer_of(void *p, size_t cap) { return (struct writer){ (uint8_t *)p, cap, 0, false }; }
static inline bool writer_ok(const struct writer *w) { return !w->full; }
static inline size_t writer_left(const struct writer *w) { return w->cap - w->pos; }
static inline struct span writer_done(const struct writer *w) { return (struct span){ w->base, w->pos }; }
static inline bool writer_need_(struct writer *w, size_t n)
{
	if (!w->full && n <= w->cap - w->pos)
		return true;
	w->full = true;
	return false;
}
static inline void write8(struct writer *w, uint8_t v)
{
	if (writer_need_(w, 1))
		w->base[w->pos++] = v;
}
static inline void write16(struct writer *w, uint16_t v)
{
	if (writer_need_(w, 2)) {
		store16(w->base + w->pos, v);
		w->pos += 2;
	}
}
static inline void write32(struct writer *w, uint32_t v)
{
	if (writer_need_(w, 4)) {
		store32(w->base + w->pos, v);
		w->pos += 4;
	}
}
static inline void write_octets(struct writer *w, const void *p, size_t n)
{
	if (n != 0 && writer_need_(w, n)) {
		memcpy(w->base + w->pos, p, n);
		w->pos += n;
	}
}
static inline void write_span(struct writer *w, struct span s) { write_octets(w, s.p, s.n); }
/* Overwrites two octets that were written before (a length or a count). Outside of what was written: sets full. */
static inline void patch16(struct writer *w, size_t at, uint16_t v)
{
	if (at + 2 <= w->pos)
		store16(w->base + at, v);
	else
		w->full = true;
}
/* Takes back what was written after pos (truncation at an RR boundary) and clears the error. */
static inline void writer_rewind(struct writer *w, size_t pos)
{
	if (pos <= w->pos) {
		w->pos = pos;
		w->full = false;
	}
}

#endif
