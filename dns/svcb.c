#include "dns/svcb.h"

#include <arpa/inet.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "dns/name.h"
#include "dns/words.h"

static const char *const key_names[] = {
	[SVCB_MANDATORY] = "mandatory",
	[SVCB_ALPN] = "alpn",
	[SVCB_NO_DEFAULT_ALPN] = "no-default-alpn",
	[SVCB_PORT] = "port",
	[SVCB_IPV4HINT] = "ipv4hint",
	[SVCB_ECH] = "ech",
	[SVCB_IPV6HINT] = "ipv6hint",
	[SVCB_DOHPATH] = "dohpath",
	[SVCB_OHTTP] = "ohttp",
	[SVCB_TLS_SUPPORTED_GROUPS] = "tls-supported-groups",
	[SVCB_DOCPATH] = "docpath",
	[SVCB_PVD] = "pvd",
};

#define KEYS (sizeof key_names / sizeof key_names[0])

/* --- on the wire */

/* Numbers of 16 bits, at least one; `rising`: each above the one before. */
static bool check_numbers(struct span v, bool rising)
{
	struct reader r = reader_of(v);
	int last = -1;

	if (v.n == 0 || v.n % 2 != 0)
		return false;
	while (!reader_end(&r)) {
		int n = read16(&r);

		if (rising && n <= last)
			return false;
		last = n;
	}
	return true;
}

/* Strings with a length octet, none of them empty. */
static bool check_strings(struct span v)
{
	struct reader r = reader_of(v);

	while (!reader_end(&r))
		if (read_span(&r, read8(&r)).n == 0)
			return false;
	return reader_ok(&r);
}

static bool check_value(uint16_t key, struct span v)
{
	switch (key) {
	case SVCB_MANDATORY: /* section 8: rising, and not itself */
		return check_numbers(v, true) && load16(v.p) != SVCB_MANDATORY;
	case SVCB_ALPN:
		return v.n != 0 && check_strings(v);
	case SVCB_PORT:
		return v.n == 2;
	case SVCB_IPV4HINT:
		return v.n != 0 && v.n % 4 == 0;
	case SVCB_IPV6HINT:
		return v.n != 0 && v.n % 16 == 0;
	case SVCB_ECH:
		return v.n != 0;
	case SVCB_NO_DEFAULT_ALPN:
	case SVCB_OHTTP:
	case SVCB_PVD:
		return v.n == 0;
	case SVCB_TLS_SUPPORTED_GROUPS:
		return check_numbers(v, false);
	case SVCB_DOCPATH: /* no segments: the root path */
		return check_strings(v);
	default: /* dohpath is text, and of others nothing is known */
		return true;
	}
}

void svcb_skip(struct reader *r)
{
	int last = -1;

	while (!reader_end(r)) {
		uint16_t key = read16(r);
		struct span value = read_span(r, read16(r));

		if (!reader_ok(r) || key <= last || !check_value(key, value)) {
			reader_fail(r);
			return;
		}
		last = key;
	}
}

/* --- printing */

static void print_key(uint16_t key, struct strbuf *out)
{
	if (key < KEYS)
		strbuf_puts(out, key_names[key]);
	else
		strbuf_printf(out, "key%u", (unsigned int)key);
}

static void print_numbers(struct span v, bool keys, struct strbuf *out)
{
	struct reader r = reader_of(v);

	while (!reader_end(&r)) {
		uint16_t n = read16(&r);

		if (keys)
			print_key(n, out);
		else
			strbuf_printf(out, "%u", (unsigned int)n);
		if (!reader_end(&r))
			strbuf_putc(out, ',');
	}
}

static void print_addresses(struct span v, size_t octets, struct strbuf *out)
{
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < v.n; i += octets) {
		if (i != 0)
			strbuf_putc(out, ',');
		strbuf_puts(out, inet_ntop(octets == 4 ? AF_INET : AF_INET6, v.p + i, text, sizeof text) != NULL ? text : "");
	}
}

/* A comma and a backslash of an item are escaped within the list, and that backslash once more as a character-string (appendix A.1). */
static void print_strings(struct span v, struct strbuf *out)
{
	struct reader r = reader_of(v);

	strbuf_putc(out, '"');
	while (!reader_end(&r)) {
		struct span item = read_span(&r, read8(&r));

		for (size_t i = 0; i < item.n; i++) {
			if (item.p[i] == ',')
				strbuf_puts(out, "\\\\,");
			else if (item.p[i] == '\\')
				strbuf_puts(out, "\\\\\\\\");
			else
				text_quote_octet(item.p[i], out);
		}
		if (!reader_end(&r))
			strbuf_putc(out, ',');
	}
	strbuf_putc(out, '"');
}

static void print_value(uint16_t key, struct span v, struct strbuf *out)
{
	if (v.n == 0 && key != SVCB_DOCPATH)
		return;
	strbuf_putc(out, '=');
	switch (key) {
	case SVCB_MANDATORY:
	case SVCB_PORT:
	case SVCB_TLS_SUPPORTED_GROUPS:
		print_numbers(v, key == SVCB_MANDATORY, out);
		break;
	case SVCB_ALPN:
	case SVCB_DOCPATH:
		print_strings(v, out);
		break;
	case SVCB_IPV4HINT:
		print_addresses(v, 4, out);
		break;
	case SVCB_IPV6HINT:
		print_addresses(v, 16, out);
		break;
	case SVCB_ECH:
		base64_print(out, v, 0);
		break;
	default:
		text_quote(v, out);
		break;
	}
}

void svcb_print(struct span params, struct strbuf *out)
{
	struct reader r = reader_of(params);

	while (!reader_end(&r)) {
		uint16_t key = read16(&r);

		strbuf_putc(out, ' ');
		print_key(key, out);
		print_value(key, read_span(&r, read16(&r)), out);
	}
}

/* --- from text */

#define ROOM 65536

struct svcb_params {
	size_t n;
	size_t cap;
	struct param {
		uint16_t key;
		uint16_t len;
		uint32_t at; /* in octets */
	} *list OWNED_FIELD;
	size_t used;
	uint8_t octets[ROOM]; /* values */
	uint8_t plain[ROOM];  /* the text of one, without escapes */
};

void svcb_params_free(struct svcb_params *p)
{
	if (p != NULL)
		mem_free(p->list);
	mem_free(p);
}

struct svcb_params *svcb_params_new(void)
{
	return (struct svcb_params *)mem_alloc(sizeof(struct svcb_params));
}

static bool parse_key(struct span s, uint16_t *ret)
{
	unsigned int v = 0;

	for (size_t i = 0; i < KEYS; i++)
		if (strlen(key_names[i]) == s.n && octets_equal_nocase((const uint8_t *)key_names[i], s.p, s.n)) {
			*ret = (uint16_t)i;
			return true;
		}
	if (s.n < 4 || s.n > 8 || !octets_equal_nocase((const uint8_t *)"key", s.p, 3) || (s.p[3] == '0' && s.n > 4))
		return false;
	for (size_t i = 3; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - (unsigned int)'0');
	}
	*ret = (uint16_t)v;
	return v <= UINT16_MAX;
}

/* The next item of a list without escapes. false: there is none left. */
static bool next_item(struct span *list, bool *first, struct span *ret)
{
	size_t n = 0;

	if (list->n == 0 && !*first)
		return false;
	while (n < list->n && list->p[n] != ',')
		n++;
	*ret = (struct span){ list->p, n };
	*first = false;
	if (n == list->n) {
		*list = (struct span){ list->p + n, 0 };
		return true;
	}
	*list = (struct span){ list->p + n + 1, list->n - n - 1 };
	*first = list->n == 0; /* "a,": an empty item follows */
	return true;
}

static bool parse_numbers(struct span text, bool keys, struct writer *w)
{
	struct span item;
	bool first = true;

	while (next_item(&text, &first, &item)) {
		uint16_t key;
		uint64_t v;

		if (keys && parse_key(item, &key))
			write16(w, key);
		else if (!keys && word_number(item, UINT16_MAX, &v))
			write16(w, (uint16_t)v);
		else
			return false;
	}
	return true;
}

static bool parse_addresses(struct span text, size_t octets, struct writer *w)
{
	struct span item;
	bool first = true;

	while (next_item(&text, &first, &item)) {
		uint8_t a[16];

		if (!word_address(item, octets, a))
			return false;
		write_octets(w, a, octets);
	}
	return true;
}

/* The list of appendix A.1 in value, whose character-string escapes are gone: items between commas, backslash before comma and backslash. */
static bool parse_strings(struct span value, struct writer *w)
{
	size_t at = w->pos;
	size_t i = 0;

	if (value.n == 0)
		return true;
	for (write8(w, 0); i <= value.n; i++) {
		if (i == value.n || value.p[i] == ',') {
			size_t n = w->pos - at - 1;

			if (!writer_ok(w))
				return true; /* told by the writer */
			if (n == 0 || n > 255)
				return false;
			w->base[at] = (uint8_t)n;
			at = w->pos;
			if (i < value.n)
				write8(w, 0);
			continue;
		}
		if (value.p[i] == '\\' && (++i == value.n || (value.p[i] != ',' && value.p[i] != '\\')))
			return false;
		write8(w, value.p[i]);
	}
	return true;
}

/* value: without quotes and escapes */
static bool parse_value(uint16_t key, struct span value, struct writer *w)
{
	switch (key) {
	case SVCB_MANDATORY:
	case SVCB_TLS_SUPPORTED_GROUPS:
		return parse_numbers(value, key == SVCB_MANDATORY, w);
	case SVCB_PORT:
		return parse_numbers(value, false, w);
	case SVCB_ALPN:
	case SVCB_DOCPATH:
		return parse_strings(value, w);
	case SVCB_IPV4HINT:
		return parse_addresses(value, 4, w);
	case SVCB_IPV6HINT:
		return parse_addresses(value, 16, w);
	case SVCB_ECH: {
		struct base64 state = { .form = BASE64_LOOSE };

		return (base64_read(&state, value, w) && base64_end(&state)) || !writer_ok(w);
	}
	default:
		write_span(w, value);
		return true;
	}
}

static int compare_keys(uint16_t a, uint16_t b)
{
	return (a > b) - (a < b);
}

/* Of `mandatory`: in any order in text, rising on the wire. Shell's sort with Knuth's gaps: n^1.5 at
 * worst, and next to nothing when it is sorted. */
static size_t first_gap(size_t n)
{
	size_t gap = 1;

	while (gap < n / 3)
		gap = gap * 3 + 1;
	return gap;
}

static void sort_numbers(uint8_t *octets, size_t n)
{
	for (size_t gap = first_gap(n); gap > 0; gap /= 3)
		for (size_t i = gap; i < n; i++)
			for (size_t j = i; j >= gap; j -= gap) {
				uint16_t v = load16(octets + 2 * j);
				uint16_t before = load16(octets + 2 * (j - gap));

				if (compare_keys(before, v) <= 0)
					break;
				store16(octets + 2 * j, before);
				store16(octets + 2 * (j - gap), v);
			}
}

static void sort_params(struct param *list, size_t n)
{
	for (size_t gap = first_gap(n); gap > 0; gap /= 3)
		for (size_t i = gap; i < n; i++)
			for (size_t j = i; j >= gap && compare_keys(list[j - gap].key, list[j].key) > 0; j -= gap) {
				struct param swap = list[j];

				list[j] = list[j - gap];
				list[j - gap] = swap;
			}
}

static const char *add_param(struct svcb_params *p, struct param *to, struct span key, bool has_value, struct span value)
{
	struct writer room = writer_of(p->plain, sizeof p->plain);
	struct writer w = writer_of(p->octets + p->used, ROOM - p->used);

	if (!parse_key(key, &to->key) || to->key == SVCB_INVALID_KEY) /* RFC 9460 section 14.3.2 reserves the last one */
		return "a registered SvcParamKey or keyNNNNN";
	if (!word_unescape(value, &room))
		return "a SvcParamValue with valid escapes";
	if (has_value && !parse_value(to->key, writer_done(&room), &w))
		return "a SvcParamValue of the form that its key has";
	if (!writer_ok(&w) || p->used + w.pos + 4 * (p->n + 1) > UINT16_MAX)
		return "SvcParams that fit an RR";
	if (to->key == SVCB_MANDATORY)
		sort_numbers(w.base, w.pos / 2);
	if (!check_value(to->key, writer_done(&w)))
		return has_value ? "a SvcParamValue of the form that its key has" : "a value with this SvcParamKey";
	to->at = (uint32_t)p->used;
	to->len = (uint16_t)w.pos;
	return NULL;
}

RESULT svcb_params_add(struct svcb_params *p, struct span key, bool has_value, struct span value, const char **ret_msg)
{
	struct param new = { 0, 0, 0 };
	const char *msg;

	if (p->n == p->cap) {
		void *list = p->list;

		TRY(mem_resize(&list, p->cap, p->cap * 2 + 8, sizeof *p->list));
		p->list = (struct param *)list;
		p->cap = p->cap * 2 + 8;
	}
	msg = add_param(p, &new, key, has_value, value);
	if (msg != NULL) {
		*ret_msg = msg;
		return FAIL(ERR_FORMAT);
	}
	p->list[p->n++] = new;
	p->used += new.len;
	return DONE;
}

static bool has_key(const struct svcb_params *p, uint16_t key) /* sorted */
{
	size_t low = 0;
	size_t high = p->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->list[mid].key == key)
			return true;
		if (p->list[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

RESULT svcb_params_write(struct svcb_params *p, struct writer *out, const char **ret_msg)
{
	sort_params(p->list, p->n);
	for (size_t i = 1; i < p->n; i++)
		if (p->list[i - 1].key == p->list[i].key) {
			*ret_msg = "each SvcParamKey only once";
			return FAIL(ERR_FORMAT);
		}
	if (has_key(p, SVCB_NO_DEFAULT_ALPN) && !has_key(p, SVCB_ALPN)) {
		*ret_msg = "alpn together with no-default-alpn (RFC 9460 section 7.1.1)";
		return FAIL(ERR_FORMAT);
	}
	for (size_t i = 0; i < p->n; i++) {
		struct span value = { p->octets + p->list[i].at, p->list[i].len };

		for (size_t k = 0; p->list[i].key == SVCB_MANDATORY && k < value.n; k += 2)
			if (!has_key(p, load16(value.p + k))) {
				*ret_msg = "every key that is mandatory (RFC 9460 section 8)";
				return FAIL(ERR_FORMAT);
			}
		write16(out, p->list[i].key);
		write16(out, p->list[i].len);
		write_span(out, value);
	}
	return writer_ok(out) ? DONE : FAIL(ERR_SPACE);
}
