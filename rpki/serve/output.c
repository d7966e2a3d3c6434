#include "rpki/serve/output_inside.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"

#define PIECE (64u * 1024)         /* octets of a file written at a time */
#define PIECE_MOST (16u << 20)     /* octets that one payload and what stands around it may take: an ASPA of 16,380 providers */

void output_free(struct output *o)
{
	if (o == NULL)
		return;
	mem_free(MOVE(o->order));
	mem_free(o);
}

/* rpki-client sorts the VRPs of one address by descending lengths. */
static int client_order(const void *pa, const void *pb, void *ctx)
{
	const uint32_t *a = pa, *b = pb;
	struct vrp x = table_vrp(ctx, *a), y = table_vrp(ctx, *b);
	int c = memcmp(x.addr, y.addr, sizeof x.addr);

	if (x.family != y.family)
		return x.family < y.family ? -1 : 1;
	if (c != 0)
		return c;
	if (x.len != y.len)
		return x.len > y.len ? -1 : 1;
	if (x.maxlen != y.maxlen)
		return x.maxlen > y.maxlen ? -1 : 1;
	return x.asn < y.asn ? -1 : x.asn > y.asn;
}

static RESULT sort_as_client(struct output *o)
{
	size_t n = table_count(o->table, PAYLOAD_VRP);

	o->order = (uint32_t *)mem_alloc_array(n, sizeof *o->order);
	if (o->order == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++)
		o->order[i] = (uint32_t)i;
	if (n > 1)
		qsort_r(o->order, n, sizeof *o->order, client_order, (void *)(uintptr_t)o->table);
	return DONE;
}

RESULT output_new(enum output_format f, const struct payload_table *t, const struct output_info *info, struct output **ret_output)
{
	AUTO(output_free) struct output *o = (struct output *)mem_alloc(sizeof *o);

	if (o == NULL)
		return FAIL(ERR_NOMEM);
	o->form = &output_forms[f];
	o->table = t;
	o->info = info;
	if (f == OUTPUT_RPKI_CLIENT)
		TRY(sort_as_client(o));
	*ret_output = MOVE(o);
	return DONE;
}

static void call(output_fn *fn, struct output *o, struct strbuf *out)
{
	if (fn != NULL)
		fn(o, out);
}

/* One step: a head, an item, or a foot. */
static void step(struct output *o, struct strbuf *out)
{
	enum payload_kind k = (enum payload_kind)o->stage;
	size_t n = o->info->exclude[k] ? 0 : table_count(o->table, k);

	if (o->form->item[k] == NULL || (o->info->exclude[k] && !o->form->lists_always)) {
		o->stage++;
		return;
	}
	if (!o->open) {
		call(o->form->head[k], o, out);
		o->open = true;
		o->i = 0;
	} else if (o->i < n) {
		if (o->i > 0)
			strbuf_puts(out, o->form->between);
		o->form->item[k](o, out, k == PAYLOAD_VRP && o->order != NULL ? o->order[o->i] : o->i);
		o->i++;
	} else {
		call(o->form->foot[k], o, out);
		o->open = false;
		o->stage++;
	}
}

bool output_more(struct output *o, struct strbuf *out, size_t want)
{
	if (!o->begun)
		call(o->form->begin, o, out);
	o->begun = true;
	while (o->stage < PAYLOAD_KINDS && strbuf_len(out) < want && strbuf_ok(out))
		step(o, out);
	if (o->stage < PAYLOAD_KINDS)
		return true;
	if (o->stage == PAYLOAD_KINDS)
		call(o->form->end, o, out);
	o->stage = PAYLOAD_KINDS + 1;
	return false;
}

/* ------------------------------------------------------------------------------------------------------------------- files */

struct file_output {
	struct output *output OWNED_FIELD;
	struct strbuf *piece OWNED_FIELD;
	bool over;
};

static RESULT next_piece(void *ctx, struct span *ret_piece)
{
	struct file_output *f = ctx;

	strbuf_clear(f->piece);
	if (!f->over)
		f->over = !output_more(f->output, f->piece, PIECE);
	TRY(strbuf_result(f->piece));
	*ret_piece = strbuf_span(f->piece);
	return DONE;
}

RESULT output_write_file(enum output_format f, const struct payload_table *t, const struct output_info *info, const char *path)
{
	AUTO(output_free) struct output *o = NULL;
	AUTO(strbuf_free) struct strbuf *piece = strbuf_new(PIECE_MOST);
	struct file_output file = { .over = false };
	struct result r;

	if (piece == NULL)
		return FAIL(ERR_NOMEM);
	TRY(output_new(f, t, info, &o));
	file.output = MOVE(o);
	file.piece = MOVE(piece);
	r = file_write_pieces(path, next_piece, &file, 0644);
	output_free(MOVE(file.output));
	strbuf_free(MOVE(file.piece));
	return r;
}

enum conf_opt output_option(enum output_format f)
{
	switch (f) {
	case OUTPUT_CSV:
		return OPT_RPKI_OUTPUT_CSV;
	case OUTPUT_CSVCOMPAT:
		return OPT_RPKI_OUTPUT_CSVCOMPAT;
	case OUTPUT_CSVEXT:
		return OPT_RPKI_OUTPUT_CSVEXT;
	case OUTPUT_JSON:
		return OPT_RPKI_OUTPUT_JSON;
	case OUTPUT_JSONEXT:
		return OPT_RPKI_OUTPUT_JSONEXT;
	case OUTPUT_OPENBGPD:
		return OPT_RPKI_OUTPUT_OPENBGPD;
	case OUTPUT_BIRD1:
		return OPT_RPKI_OUTPUT_BIRD1;
	case OUTPUT_BIRD2:
		return OPT_RPKI_OUTPUT_BIRD2;
	case OUTPUT_RPSL:
		return OPT_RPKI_OUTPUT_RPSL;
	case OUTPUT_SLURM:
		return OPT_RPKI_OUTPUT_SLURM;
	case OUTPUT_SLURM2:
		return OPT_RPKI_OUTPUT_SLURM2;
	case OUTPUT_SUMMARY:
		return OPT_RPKI_OUTPUT_SUMMARY;
	case OUTPUT_RPKI_CLIENT:
	case OUTPUT_FORMATS:
		break;
	}
	return OPT_RPKI_OUTPUT_RPKI_CLIENT;
}

/* ------------------------------------------------------------------------------------------------------------ shared parts */

/* As addr_text() has it: there are many, and printf() would take most of the time of a run that has nothing new. False: a form that is left to it. */
static bool v6_text(const uint8_t a[16], struct strbuf *out)
{
	static const char hex[] = "0123456789abcdef";
	unsigned int best = 8, best_n = 1;
	char text[40], *to = text;

	for (unsigned int i = 0; i < 8; i++) {
		unsigned int n = 0;

		while (i + n < 8 && load16(a + 2 * (i + n)) == 0)
			n++;
		if (n > best_n) {
			best = i;
			best_n = n;
		}
		i += n;
	}
	if (best == 0 && best_n >= 5)
		return false; /* the last 32 bits may be in dots */
	for (unsigned int i = 0; i < 8; i++) {
		unsigned int g = load16(a + 2 * i);

		if (i >= best && i < best + best_n) {
			if (i == best)
				*to++ = ':';
			if (i == 7)
				*to++ = ':';
			continue;
		}
		if (i > 0)
			*to++ = ':';
		for (unsigned int shift = g > 0xfff ? 12 : g > 0xff ? 8 : g > 0xf ? 4 : 0;; shift -= 4) {
			*to++ = hex[g >> shift & 0xf];
			if (shift == 0)
				break;
		}
	}
	strbuf_add(out, text, (size_t)(to - text));
	return true;
}

static void v4_text(const uint8_t a[4], struct strbuf *out)
{
	for (unsigned int i = 0; i < 4; i++) {
		if (i > 0)
			strbuf_putc(out, '.');
		strbuf_number(out, a[i]);
	}
}

void output_prefix(struct strbuf *out, const struct vrp *v)
{
	struct prefix p = vrp_prefix(v);
	char text[ADDR_TEXT];

	if (p.a.family == ADDR_V4)
		v4_text(p.a.b, out);
	else if (!v6_text(p.a.b, out))
		strbuf_puts(out, addr_text(&p.a, text));
	strbuf_putc(out, '/');
	strbuf_number(out, v->len);
}

const char *output_ta(const struct output *o, enum payload_kind k, size_t i)
{
	struct payload_source s;

	if (table_sources(o->table, k, i) == 0)
		return "N/A";
	s = table_source(o->table, k, i, 0);
	return s.kind != SOURCE_EXCEPTION && *s.tal != '\0' ? s.tal : "N/A";
}

void output_hex(struct strbuf *out, const uint8_t *octets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_printf(out, "%02X", octets[i]);
}
