#include "net/http_page.h"

#include "base/libz.h"

#define PIECES_STEP 16u
#define RENDER_MOST ((size_t)64 << 20) /* octets that a source may give at once: one item is never divided */
#define LEVEL 6

struct piece {
	uint8_t *octets OWNED_FIELD;
	size_t n;
};

struct http_page {
	uint32_t refs;
	struct http_source *source OWNED_FIELD; /* NULL: all is rendered */
	struct strbuf *room OWNED_FIELD;        /* for a piece that is being rendered */
	struct piece *pieces OWNED_FIELD;
	size_t n, space;
	uint64_t length, seen;
	enum err error;
	bool gzip, deflating; /* deflating: z is open */
	z_stream z;
};

void http_source_free(struct http_source *s)
{
	if (s != NULL)
		s->free(s);
}

/* What is needed for rendering only. */
static void stop_rendering(struct http_page *p)
{
	if (p->deflating)
		(void)deflateEnd(&p->z);
	p->deflating = false;
	http_source_free(MOVE(p->source));
	strbuf_free(MOVE(p->room));
}

static void page_free(struct http_page *p) TAKES(1);
static void page_free(struct http_page *p)
{
	if (p == NULL)
		return;
	stop_rendering(p);
	for (size_t i = 0; i < p->n; i++)
		mem_free(MOVE(p->pieces[i].octets));
	mem_free(MOVE(p->pieces));
	mem_free(p);
}

void http_page_unref(struct http_page *p)
{
	if (p != NULL && --p->refs == 0)
		page_free(p);
}

struct http_page *http_page_ref(const struct http_page *p)
{
	struct http_page *m = (struct http_page *)(uintptr_t)p; /* only the count is written */

	m->refs++;
	return m;
}

/* Not inlined: gcc would take what mem_alloc() gives for something that only mem_free() may free. */
static struct http_page *page_alloc(void) OWNED_BY(http_page_unref) __attribute__((noinline));
static struct http_page *page_alloc(void)
{
	struct http_page *p = (struct http_page *)mem_alloc(sizeof *p); /* own-ok: R3 passed on at once */

	if (p != NULL)
		p->refs = 1;
	return p;
}

struct http_page *http_page_new(struct http_source *s, bool gzip)
{
	AUTO(http_source_free) struct http_source *source = s;
	AUTO(http_page_unref) struct http_page *p = page_alloc();

	if (p == NULL)
		return NULL;
	p->source = MOVE(source);
	p->room = strbuf_new(RENDER_MOST);
	p->gzip = gzip;
	if (gzip) {
		p->z.zalloc = libz_alloc;
		p->z.zfree = libz_free;
		p->deflating = deflateInit2(&p->z, LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
	}
	return p->room != NULL && p->deflating == gzip ? MOVE(p) : NULL;
}

/* --------------------------------------------------------------------------------------------------------------- rendering */

static RESULT keep_piece(struct http_page *p, const void *octets, size_t n)
{
	void *list = p->pieces;

	if (n == 0)
		return DONE;
	if (p->n == p->space) {
		TRY(mem_resize(&list, p->space, p->space + PIECES_STEP, sizeof *p->pieces));
		p->pieces = (struct piece *)list;
		p->space += PIECES_STEP;
	}
	p->pieces[p->n].octets = (uint8_t *)mem_dup(octets, n);
	if (p->pieces[p->n].octets == NULL)
		return FAIL(ERR_NOMEM);
	p->pieces[p->n++].n = n;
	p->length += n;
	return DONE;
}

static RESULT render_plain(struct http_page *p, bool *ret_more)
{
	*ret_more = p->source->more(p->source, p->room, HTTP_PIECE);
	TRY(strbuf_result(p->room));
	return keep_piece(p, strbuf_text(p->room), strbuf_len(p->room));
}

/* Until a piece is full, or all is said. */
static RESULT render_gzip(struct http_page *p, bool *ret_more)
{
	AUTO(mem_free) void *out = mem_alloc_raw(HTTP_PIECE);
	bool more = true;
	int e = Z_OK;

	if (out == NULL)
		return FAIL(ERR_NOMEM);
	p->z.next_out = (Bytef *)out;
	p->z.avail_out = (unsigned int)HTTP_PIECE;
	while (p->z.avail_out > 0 && e != Z_STREAM_END) {
		if (p->z.avail_in == 0 && p->source != NULL) {
			strbuf_clear(p->room);
			more = p->source->more(p->source, p->room, HTTP_PIECE);
			TRY(strbuf_result(p->room));
			p->z.next_in = (const Bytef *)strbuf_text(p->room);
			p->z.avail_in = (unsigned int)strbuf_len(p->room);
			if (!more)
				http_source_free(MOVE(p->source));
		}
		e = deflate(&p->z, p->source == NULL ? Z_FINISH : Z_NO_FLUSH);
		if (e == Z_STREAM_ERROR)
			return FAIL(ERR_NOMEM);
	}
	*ret_more = e != Z_STREAM_END;
	return keep_piece(p, out, HTTP_PIECE - p->z.avail_out);
}

static RESULT render(struct http_page *p)
{
	bool more = false;

	if (p->gzip) {
		TRY(render_gzip(p, &more));
	} else {
		strbuf_clear(p->room);
		TRY(render_plain(p, &more));
	}
	if (!more)
		stop_rendering(p);
	return DONE;
}

RESULT http_page_piece(struct http_page *p, size_t i, struct span *ret_piece)
{
	while (i >= p->n && p->room != NULL && p->error == ERR_NONE)
		p->error = render(p).e;
	if (i < p->n) {
		*ret_piece = span_of(p->pieces[i].octets, p->pieces[i].n);
		return DONE;
	}
	return FAIL(p->error != ERR_NONE ? p->error : ERR_NOTFOUND);
}

bool http_page_complete(const struct http_page *p)
{
	return p->room == NULL;
}

uint64_t http_page_length(const struct http_page *p)
{
	return p->length;
}

bool http_page_is_gzip(const struct http_page *p)
{
	return p->gzip;
}

size_t http_page_octets(const struct http_page *p)
{
	return sizeof *p + p->space * sizeof *p->pieces + (size_t)p->length;
}

bool http_page_first_seen(struct http_page *p, uint64_t n)
{
	bool first = p->seen != n;

	p->seen = n;
	return first;
}

/* -------------------------------------------------------------------------------------------------------------------- texts */

struct text_source {
	struct http_source source;
	size_t n;
	uint8_t *octets OWNED_FIELD;
};

static bool text_more(struct http_source *s, struct strbuf *out, size_t want)
{
	const struct text_source *t = (const struct text_source *)(void *)s;

	(void)want;
	strbuf_add(out, t->octets, t->n);
	return false;
}

static void text_free(struct http_source *s) TAKES(1);
static void text_free(struct http_source *s)
{
	AUTO(mem_free) void *memory = s;

	mem_free(MOVE(((struct text_source *)memory)->octets));
}

struct http_page *http_page_text(struct span text, bool gzip)
{
	AUTO(mem_free) void *memory = mem_alloc(sizeof(struct text_source));
	AUTO(http_source_free) struct http_source *s = NULL;
	struct text_source *t = memory;

	if (t == NULL)
		return NULL;
	t->source = (struct http_source){ text_more, text_free };
	t->n = text.n;
	t->octets = (uint8_t *)mem_dup(text.p, text.n);
	if (t->octets == NULL && text.n > 0)
		return NULL;
	s = MOVE(memory);
	return http_page_new(MOVE(s), gzip);
}

/* -------------------------------------------------------------------------------------------------------------------- shelf */

struct kept {
	struct kept *next OWNED_FIELD; /* asked for longer ago */
	struct http_page *page OWNED_FIELD;
	char *key OWNED_FIELD;
};

struct http_shelf {
	struct kept *first OWNED_FIELD;
	size_t octets;
};

static void kept_free(struct kept *k) TAKES(1);
DEFINE_AUTO(struct kept, kept_free)
static void kept_free(struct kept *k)
{
	if (k == NULL)
		return;
	http_page_unref(MOVE(k->page));
	mem_free(MOVE(k->key));
	mem_free(k);
}

struct http_shelf *http_shelf_new(size_t octets)
{
	AUTO(http_shelf_free) struct http_shelf *s = (struct http_shelf *)mem_alloc(sizeof *s);

	if (s == NULL)
		return NULL;
	s->octets = octets;
	return MOVE(s);
}

/* Takes out what *at points at. */
static void drop(struct kept **at)
{
	AUTO(kept_free) struct kept *k = *at;

	*at = k->next;
	k->next = NULL;
}

void http_shelf_clear(struct http_shelf *s)
{
	while (s->first != NULL)
		drop(&s->first);
}

void http_shelf_free(struct http_shelf *s)
{
	if (s == NULL)
		return;
	http_shelf_clear(s);
	mem_free(s);
}

/* Pages grow while they are rendered, so this is asked at each look. */
static void make_room(struct http_shelf *s)
{
	size_t sum = 0;
	struct kept **at = &s->first;

	while (*at != NULL) {
		size_t n = http_page_octets((*at)->page);

		if (at != &s->first && (sum > s->octets || n > s->octets - sum)) {
			drop(at);
		} else {
			sum += n;
			at = &(*at)->next;
		}
	}
}

struct http_page *http_shelf_find(struct http_shelf *s, const char *key)
{
	make_room(s);
	for (struct kept **at = &s->first; *at != NULL; at = &(*at)->next) {
		struct kept *k = *at;

		if (strcmp(k->key, key) != 0)
			continue;
		*at = k->next;
		k->next = s->first;
		s->first = k;
		return http_page_ref(k->page);
	}
	return NULL;
}

void http_shelf_put(struct http_shelf *s, const char *key, struct http_page *p)
{
	AUTO(kept_free) struct kept *k = (struct kept *)mem_alloc(sizeof *k);

	if (k == NULL)
		return;
	k->key = mem_strdup(key);
	if (k->key == NULL)
		return;
	k->page = http_page_ref(p);
	k->next = MOVE(s->first);
	s->first = MOVE(k);
	make_room(s);
}

size_t http_shelf_count(const struct http_shelf *s)
{
	size_t n = 0;

	for (const struct kept *k = s->first; k != NULL; k = k->next)
		n++;
	return n;
}
