#include "rpki/fetch/rrdp_read.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/libexpat.h"
#include "base/strbuf.h"
#include "net/http_url.h"
#include "base/base64.h"
#include "rpki/fetch/uri.h"

#define NAMESPACE "http://www.ripe.net/rpki/rrdp"
#define PREFIX_MAX 32u
#define FEED ((size_t)16 * 1024)        /* octets given to the parser at once: what it keeps of a token shows soon */
#define OBJECT_FIRST ((size_t)8 * 1024) /* room for an object at first */

enum element { NO_ELEMENT, PUBLISH, WITHDRAW };

struct rrdp_reader {
	XML_Parser parser OWNED_FIELD;
	enum rrdp_file kind;
	struct rrdp_limits limits;
	const struct rrdp_expected *expected BORROWED_FIELD;
	const struct rrdp_sink *sink BORROWED_FIELD;
	struct strbuf *why BORROWED_FIELD;
	struct result result; /* the first that went wrong */
	unsigned int depth;
	char prefix[PREFIX_MAX + 2]; /* of the namespace, with its colon; "" for the default one */
	uint64_t octets;             /* given to the parser */
	struct rrdp_counts counts;

	struct rrdp_notification *notification OWNED_FIELD;
	size_t delta_cap;

	enum element element;  /* that is open */
	struct strbuf *uri OWNED_FIELD;
	bool has_hash, too_large;
	uint8_t hash[RRDP_HASH];
	struct base64 base64;
	uint8_t *object OWNED_FIELD;
	size_t object_cap, object_len;
};

struct rrdp_limits rrdp_limits_default(void)
{
	return (struct rrdp_limits){ .notification_octets = 16u << 20, .snapshot_octets = 2ull << 30, .delta_octets = 1u << 30, .object_octets = 8u << 20,
		.elements = 10000000, .list = 10000, .deltas = 300, .token_octets = 64u << 10 };
}

void rrdp_notification_free(struct rrdp_notification *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < n->count; i++)
		mem_free(n->deltas[i].uri);
	mem_free(n->deltas);
	mem_free(n->snapshot);
	mem_free(n);
}

void rrdp_reader_free(struct rrdp_reader *r)
{
	if (r == NULL)
		return;
	XML_ParserFree(r->parser);
	rrdp_notification_free(r->notification);
	strbuf_free(r->uri);
	mem_free(r->object);
	mem_free(r);
}

/* ---------------------------------------------------------------------------------------------------------------- refusing */

static void stop(struct rrdp_reader *r, enum err e)
{
	if (!OK(r->result))
		return;
	r->result = FAIL(e);
	(void)XML_StopParser(r->parser, XML_FALSE);
}

static const char *file_name(enum rrdp_file kind)
{
	switch (kind) {
	case RRDP_NOTIFICATION:
		return "notification";
	case RRDP_SNAPSHOT:
		return "snapshot";
	case RRDP_DELTA:
		break;
	}
	return "delta";
}

static void PRINTF_LIKE(3, 4) refuse(struct rrdp_reader *r, enum err e, const char *fmt, ...)
{
	va_list ap;

	if (!OK(r->result))
		return;
	strbuf_printf(r->why, "%s, line %lu: ", file_name(r->kind), (unsigned long)XML_GetCurrentLineNumber(r->parser));
	va_start(ap, fmt);
	strbuf_vprintf(r->why, fmt, ap);
	va_end(ap);
	stop(r, e);
}

/* The same for a value from the file, of which a start is shown. */
static void refuse_value(struct rrdp_reader *r, const char *what, const char *value)
{
	refuse(r, ERR_FORMAT, "%s: \"%.100s\"", what, value);
}

/* -------------------------------------------------------------------------------------------------------------- attributes */

static bool hex_digit(char c, uint8_t *ret)
{
	if (c >= '0' && c <= '9')
		*ret = (uint8_t)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*ret = (uint8_t)(c - 'a' + 10);
	else if (c >= 'A' && c <= 'F')
		*ret = (uint8_t)(c - 'A' + 10);
	else
		return false;
	return true;
}

static bool read_hash(const char *s, uint8_t ret[RRDP_HASH])
{
	uint8_t high, low;

	if (strlen(s) != 2 * RRDP_HASH)
		return false;
	for (size_t i = 0; i < RRDP_HASH; i++) {
		if (!hex_digit(s[2 * i], &high) || !hex_digit(s[2 * i + 1], &low))
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* A positive integer without limit (RFC 8182 section 3.5.1.3); what is above 2^64 - 1 is not followed. */
static bool read_serial(struct rrdp_reader *r, const char *s, uint64_t *ret)
{
	uint64_t v = 0;

	if (*s == '\0' || strspn(s, "0123456789") != strlen(s)) {
		refuse_value(r, "the serial is no number", s);
		return false;
	}
	for (; *s != '\0'; s++) {
		if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v)) {
			refuse(r, ERR_LIMIT, "the serial is larger than 64 bits");
			return false;
		}
	}
	if (v == 0)
		refuse(r, ERR_FORMAT, "the serial is 0 (RFC 8182 section 3.5.1.3)");
	*ret = v;
	return v != 0;
}

static bool read_session(const char *s, char ret[RRDP_SESSION + 1])
{
	uint8_t digit;

	if (strlen(s) != RRDP_SESSION)
		return false;
	for (size_t i = 0; i < RRDP_SESSION; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !hex_digit(s[i], &digit))
			return false;
		ret[i] = s[i] >= 'A' && s[i] <= 'F' ? (char)(s[i] + 32) : s[i];
	}
	ret[RRDP_SESSION] = '\0';
	return true;
}

enum attribute { A_VERSION, A_SESSION, A_SERIAL, A_URI, A_HASH, A_NAMESPACE, ATTRIBUTES };

struct attributes {
	const char *of[ATTRIBUTES] BORROWED_FIELD; /* NULL: not there */
};

/* Only the attributes in `allowed` (bits) may be there, those in `needed` must be. Expat sees to it that none is there twice. */
static bool read_attributes(struct rrdp_reader *r, const char *element, const XML_Char **list, unsigned int needed, unsigned int allowed, struct attributes *ret)
{
	static const char *const names[ATTRIBUTES] = { "version", "session_id", "serial", "uri", "hash", "xmlns" };
	struct attributes a = { { NULL } };
	char xmlns[PREFIX_MAX + 8] = "xmlns";

	if (r->prefix[0] != '\0')
		(void)snprintf(xmlns, sizeof xmlns, "xmlns:%.*s", (int)strlen(r->prefix) - 1, r->prefix);
	for (size_t i = 0; list[i] != NULL; i += 2) {
		unsigned int known = ATTRIBUTES;

		for (unsigned int n = 0; n < ATTRIBUTES; n++)
			if ((allowed & 1u << n) != 0 && strcmp(list[i], n == A_NAMESPACE ? xmlns : names[n]) == 0)
				known = n;
		if (known == ATTRIBUTES) {
			refuse(r, ERR_FORMAT, "<%s> has an attribute that is not known: %.50s", element, list[i]);
			return false;
		}
		a.of[known] = list[i + 1];
	}
	for (unsigned int n = 0; n < ATTRIBUTES; n++) {
		if ((needed & 1u << n) != 0 && a.of[n] == NULL) {
			refuse(r, ERR_FORMAT, "<%s> has no %s", element, names[n]);
			return false;
		}
	}
	*ret = a;
	return true;
}
#define BIT(a) (1u << (a))

/* The URI of a snapshot or delta. That it is of the same origin is looked at where the notification's own URI is known. */
static bool https_ok(struct rrdp_reader *r, const char *uri)
{
	struct http_url u;

	if (OK(http_url_parse(span_text(uri), &u)))
		return true;
	refuse_value(r, "not an https: URI that can be used", uri);
	return false;
}

/* ---------------------------------------------------------------------------------------------------------------- elements */

/* The name without the prefix of the namespace, or NULL: of another one. */
static const char *local_name(const struct rrdp_reader *r, const char *name)
{
	size_t n = strlen(r->prefix);

	if (strncmp(name, r->prefix, n) != 0 || strchr(name + n, ':') != NULL)
		return NULL;
	return name + n;
}

static void root(struct rrdp_reader *r, const XML_Char *name, const XML_Char **list)
{
	const char *colon = strchr(name, ':');
	struct attributes a;
	uint64_t serial;
	char session[RRDP_SESSION + 1];

	if (colon != NULL) {
		if ((size_t)(colon - name) > PREFIX_MAX) {
			refuse(r, ERR_LIMIT, "the prefix of the namespace is longer than %u", PREFIX_MAX);
			return;
		}
		memcpy(r->prefix, name, (size_t)(colon - name) + 1);
	}
	name = local_name(r, name);
	if (name == NULL || strcmp(name, file_name(r->kind)) != 0) {
		refuse(r, ERR_FORMAT, "another document: <%.50s>", name == NULL ? "?" : name);
		return;
	}
	if (!read_attributes(r, name, list, BIT(A_VERSION) | BIT(A_SESSION) | BIT(A_SERIAL) | BIT(A_NAMESPACE),
		    BIT(A_VERSION) | BIT(A_SESSION) | BIT(A_SERIAL) | BIT(A_NAMESPACE), &a))
		return;
	if (strcmp(a.of[A_NAMESPACE], NAMESPACE) != 0)
		refuse_value(r, "another namespace", a.of[A_NAMESPACE]);
	else if (strcmp(a.of[A_VERSION], "1") != 0)
		refuse_value(r, "another version", a.of[A_VERSION]);
	else if (!read_session(a.of[A_SESSION], session))
		refuse_value(r, "the session is no UUID", a.of[A_SESSION]);
	else if (!read_serial(r, a.of[A_SERIAL], &serial))
		return;
	else if (r->kind == RRDP_NOTIFICATION) {
		memcpy(r->notification->session, session, sizeof session);
		r->notification->serial = serial;
	} else if (strcmp(session, r->expected->session) != 0)
		refuse(r, ERR_REFUSED, "of session %s, announced was %s", session, r->expected->session);
	else if (serial != r->expected->serial)
		refuse(r, ERR_REFUSED, "of serial %llu, announced was %llu", (unsigned long long)serial, (unsigned long long)r->expected->serial);
}

static void on_snapshot_ref(struct rrdp_reader *r, const XML_Char **list)
{
	struct rrdp_notification *n = r->notification;
	struct attributes a;

	if (n->snapshot != NULL)
		refuse(r, ERR_FORMAT, "a second <snapshot>");
	else if (!read_attributes(r, "snapshot", list, BIT(A_URI) | BIT(A_HASH), BIT(A_URI) | BIT(A_HASH), &a) || !https_ok(r, a.of[A_URI]))
		return;
	else if (!read_hash(a.of[A_HASH], n->snapshot_hash))
		refuse_value(r, "the hash is no SHA-256", a.of[A_HASH]);
	else {
		n->snapshot = mem_strdup(a.of[A_URI]);
		if (n->snapshot == NULL)
			stop(r, ERR_NOMEM);
	}
}

static bool room_for_delta(struct rrdp_reader *r)
{
	struct rrdp_notification *n = r->notification;
	void *p = n->deltas;
	size_t cap = r->delta_cap == 0 ? 16 : 2 * r->delta_cap;

	if (n->count < r->delta_cap)
		return true;
	if (!OK(mem_resize(&p, r->delta_cap, cap, sizeof *n->deltas)))
		return false;
	n->deltas = (struct rrdp_delta_ref *)p;
	r->delta_cap = cap;
	return true;
}

static void on_delta_ref(struct rrdp_reader *r, const XML_Char **list)
{
	struct rrdp_notification *n = r->notification;
	struct rrdp_delta_ref d = { .serial = 0 };
	struct attributes a;

	if (!read_attributes(r, "delta", list, BIT(A_URI) | BIT(A_HASH) | BIT(A_SERIAL), BIT(A_URI) | BIT(A_HASH) | BIT(A_SERIAL), &a) ||
	    !https_ok(r, a.of[A_URI]) || !read_serial(r, a.of[A_SERIAL], &d.serial))
		return;
	if (!read_hash(a.of[A_HASH], d.hash)) {
		refuse_value(r, "the hash is no SHA-256", a.of[A_HASH]);
		return;
	}
	if (n->count >= r->limits.list) {
		n->gaps = true;
		return;
	}
	if (!room_for_delta(r)) {
		stop(r, ERR_NOMEM);
		return;
	}
	n->deltas[n->count] = d;
	n->deltas[n->count].uri = mem_strdup(a.of[A_URI]);
	if (n->deltas[n->count++].uri == NULL)
		stop(r, ERR_NOMEM);
}

static void on_publish(struct rrdp_reader *r, const XML_Char **list, bool withdraw)
{
	const char *element = withdraw ? "withdraw" : "publish";
	struct attributes a;

	if (!read_attributes(r, element, list, BIT(A_URI) | (withdraw ? BIT(A_HASH) : 0), BIT(A_URI) | (r->kind == RRDP_DELTA ? BIT(A_HASH) : 0), &a))
		return;
	if (!rsync_uri_ok(span_text(a.of[A_URI]))) {
		refuse_value(r, "not an rsync: URI that can be used", a.of[A_URI]);
		return;
	}
	r->has_hash = a.of[A_HASH] != NULL;
	if (r->has_hash && !read_hash(a.of[A_HASH], r->hash)) {
		refuse_value(r, "the hash is no SHA-256", a.of[A_HASH]);
		return;
	}
	if (r->counts.published + r->counts.withdrawn + r->counts.too_large >= r->limits.elements) {
		refuse(r, ERR_LIMIT, "more than %lu elements", (unsigned long)r->limits.elements);
		return;
	}
	strbuf_clear(r->uri);
	strbuf_puts(r->uri, a.of[A_URI]);
	if (!strbuf_ok(r->uri)) { /* half a URI is another one */
		stop(r, strbuf_result(r->uri).e);
		return;
	}
	r->element = withdraw ? WITHDRAW : PUBLISH;
	r->base64 = (struct base64){ .form = BASE64_BLANKS };
	r->object_len = 0;
	r->too_large = false;
}

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **list)
{
	struct rrdp_reader *r = (struct rrdp_reader *)user;
	const char *local;

	r->depth++;
	if (!OK(r->result))
		return;
	if (r->depth == 1) {
		root(r, name, list);
		return;
	}
	local = local_name(r, name);
	if (local == NULL || r->depth > 2)
		refuse(r, ERR_FORMAT, "<%.50s> where there is none", name);
	else if (r->kind == RRDP_NOTIFICATION && strcmp(local, "snapshot") == 0)
		on_snapshot_ref(r, list);
	else if (r->kind == RRDP_NOTIFICATION && strcmp(local, "delta") == 0)
		on_delta_ref(r, list);
	else if (r->kind != RRDP_NOTIFICATION && strcmp(local, "publish") == 0)
		on_publish(r, list, false);
	else if (r->kind == RRDP_DELTA && strcmp(local, "withdraw") == 0)
		on_publish(r, list, true);
	else
		refuse(r, ERR_FORMAT, "<%.50s> where there is none", name);
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
	struct rrdp_reader *r = (struct rrdp_reader *)user;
	enum element e = r->element;
	struct result told = DONE;

	(void)name;
	r->depth--;
	r->element = NO_ELEMENT;
	if (!OK(r->result) || e == NO_ELEMENT)
		return;
	if (e == WITHDRAW) {
		r->counts.withdrawn++;
		told = r->sink->withdraw(r->sink->ctx, strbuf_span(r->uri), r->hash);
	} else if (!base64_end(&r->base64)) {
		refuse_value(r, "the object is no base64", strbuf_text(r->uri));
	} else if (r->too_large) {
		r->counts.too_large++;
	} else {
		r->counts.published++;
		told = r->sink->publish(r->sink->ctx, strbuf_span(r->uri), r->has_hash ? r->hash : NULL,
			r->object_len > 0 ? span_of(r->object, r->object_len) : span_of("", 0));
	}
	if (!OK(told))
		refuse(r, told.e, "%.200s: %s", strbuf_text(r->uri), err_text(told.e));
}

/* Room for n more octets. Not yet an error: an object that is too large is left out. */
static bool room_for_object(struct rrdp_reader *r, size_t n)
{
	size_t cap = r->object_cap == 0 ? OBJECT_FIRST : r->object_cap;
	void *p = r->object;

	if (r->object_cap - r->object_len >= n)
		return true;
	while (cap - r->object_len < n)
		cap *= 2;
	if (!OK(mem_resize(&p, r->object_cap, cap, 1))) {
		stop(r, ERR_NOMEM);
		return false;
	}
	r->object = (uint8_t *)p;
	r->object_cap = cap;
	return true;
}

static bool is_blank(const char *s, int n)
{
	for (int i = 0; i < n; i++)
		if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r' && s[i] != '\n')
			return false;
	return true;
}

static void XMLCALL on_text(void *user, const XML_Char *s, int n)
{
	struct rrdp_reader *r = (struct rrdp_reader *)user;
	struct writer out;

	if (!OK(r->result) || n <= 0)
		return;
	if (r->element != PUBLISH) {
		if (!is_blank(s, n))
			refuse(r, ERR_FORMAT, "text where there is none");
		return;
	}
	if (!room_for_object(r, base64_room((size_t)n)))
		return;
	out = writer_of(r->object + r->object_len, r->object_cap - r->object_len);
	if (!base64_read(&r->base64, span_of(s, (size_t)n), &out)) {
		refuse_value(r, "the object is no base64", strbuf_text(r->uri));
		return;
	}
	r->object_len += out.pos;
	r->too_large = r->too_large || r->object_len > r->limits.object_octets;
	if (r->too_large) /* it is read to its end all the same: what is no base64 is refused, wherever */
		r->object_len = 0;
}

static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
	(void)name, (void)system, (void)public, (void)internal;
	refuse((struct rrdp_reader *)user, ERR_FORMAT, "a document type is declared");
}

/* ------------------------------------------------------------------------------------------------------------------- whole */

struct rrdp_reader *rrdp_reader_new(enum rrdp_file kind, const struct rrdp_limits *limits, const struct rrdp_expected *expected, const struct rrdp_sink *sink,
	struct strbuf *why)
{
	AUTO(rrdp_reader_free) struct rrdp_reader *r = (struct rrdp_reader *)mem_alloc(sizeof *r);

	if (r == NULL)
		return NULL;
	r->kind = kind;
	r->limits = *limits;
	r->expected = expected;
	r->sink = sink;
	r->why = why;
	r->parser = XML_ParserCreate("US-ASCII"); /* RFC 8182 section 3.5.1.3: whatever the file says */
	r->uri = strbuf_new(RRDP_URI_MAX);
	r->notification = kind == RRDP_NOTIFICATION ? (struct rrdp_notification *)mem_alloc(sizeof *r->notification) : NULL;
	if (r->parser == NULL || r->uri == NULL || (kind == RRDP_NOTIFICATION && r->notification == NULL))
		return NULL;
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	return MOVE(r);
}

static uint64_t file_limit(const struct rrdp_reader *r)
{
	switch (r->kind) {
	case RRDP_NOTIFICATION:
		return r->limits.notification_octets;
	case RRDP_SNAPSHOT:
		return r->limits.snapshot_octets;
	case RRDP_DELTA:
		break;
	}
	return r->limits.delta_octets;
}

static int by_serial(const void *a, const void *b)
{
	const struct rrdp_delta_ref *x = (const struct rrdp_delta_ref *)a, *y = (const struct rrdp_delta_ref *)b;

	return x->serial < y->serial ? -1 : x->serial > y->serial;
}

/* The list may be in any order, but is a row without gaps up to the serial (RFC 8182 section 3.5.1.3). */
static void order_deltas(struct rrdp_notification *n)
{
	if (n->count > 1)
		qsort(n->deltas, n->count, sizeof *n->deltas, by_serial);
	for (size_t i = 0; i < n->count; i++)
		if (n->deltas[i].serial != n->serial - (n->count - 1 - i))
			n->gaps = true;
}

static void feed(struct rrdp_reader *r, struct span s, bool last)
{
	enum XML_Error e;
	XML_Index at;

	if (s.n > file_limit(r) - r->octets) {
		refuse(r, ERR_LIMIT, "more than %llu octets", (unsigned long long)file_limit(r));
		return;
	}
	r->octets += s.n;
	if (XML_Parse(r->parser, (const char *)s.p, (int)s.n, last) != XML_STATUS_OK) {
		e = XML_GetErrorCode(r->parser);
		if (e == XML_ERROR_NO_MEMORY)
			stop(r, ERR_NOMEM);
		else
			refuse(r, ERR_FORMAT, "%s", XML_ErrorString(e));
		return;
	}
	at = XML_GetCurrentByteIndex(r->parser);
	if (!last && r->octets - (at < 0 ? 0 : (uint64_t)at) > r->limits.token_octets + FEED)
		refuse(r, ERR_LIMIT, "a tag or comment of more than %lu octets", (unsigned long)r->limits.token_octets);
}

RESULT rrdp_read(struct rrdp_reader *r, struct span octets, bool last)
{
	struct reader in = reader_of(octets);

	while (OK(r->result) && !reader_end(&in)) {
		struct span piece = read_span(&in, reader_left(&in) < FEED ? reader_left(&in) : FEED);

		feed(r, piece, last && reader_end(&in));
	}
	if (OK(r->result) && last && octets.n == 0)
		feed(r, span_of("", 0), true);
	if (OK(r->result) && last && r->kind == RRDP_NOTIFICATION) {
		if (r->notification->snapshot == NULL)
			refuse(r, ERR_FORMAT, "there is no <snapshot>");
		else
			order_deltas(r->notification);
	}
	return r->result;
}

const struct rrdp_counts *rrdp_counts(const struct rrdp_reader *r)
{
	return &r->counts;
}

struct rrdp_notification *rrdp_reader_take(struct rrdp_reader *r)
{
	return MOVE(r->notification);
}
