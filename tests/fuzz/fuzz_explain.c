/*
 * Explanations: a small signed world in the caches, with something wrong in it as the input says, and questions about it. Whatever is wrong: the text is plain lines, the JSON is JSON, both
 * tell the same verdict, and what is secure is so only where nothing on the way to it is wrong.
 */
#include "tests/unit/resolver/explain_world.h"

#include "base/cursor.h"
#include "resolver/control/explain_json.h"
#include "resolver/control/explain_text.h"
#include "tests/fuzz/kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const asked_names[] = { "www.example.com.", "alias.example.com.", "nope.example.com.", "example.com.", "com.", ".", "other.net.", "x.www.example.com.",
	"\\027[31m.example.com.", "insecure.com." };
static const uint16_t asked_types[] = { RR_A, RR_A, RR_TXT, RR_DNSKEY, RR_DS, RR_NS, RR_SOA, RR_CNAME };
static const char *const more_conf[] = { NULL, "\tdomain-insecure: com.\n", "\tdomain-insecure: example.com.\n", "\tval-permissive-mode: yes\n",
	"\ttrust-anchor: \"example.com. DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\"\n", "\tharden-dnssec-stripped: no\n",
	"\tval-override-date: -1\n", "\tharden-algo-downgrade: yes\n", "stub-zone:\n\tname: example.com.\n\tstub-addr: 192.0.2.77\n",
	"forward-zone:\n\tname: example.com.\n\tforward-addr: 192.0.2.78\n", "forward-zone:\n\tname: .\n\tforward-host: dns.example.\n", "\tmodule-config: iterator\n" };
static const int times[] = { 0, 0, 0, -864000, -432000, 432000, 864000, 1 };

/* A bit for each thing that can be wrong. */
static bool draw(struct explain_world *w, struct reader *r)
{
	uint32_t bits = read32(r);
	bool *const flags[] = { &w->no_dnskey[0], &w->no_dnskey[1], &w->no_dnskey[2], &w->dnskey_failed, &w->dnskey_none, &w->ds_other, &w->ds_digest, &w->ds_unknown, &w->no_ds,
		&w->no_ds_unproven, &w->ds_missing, &w->keys_by_other, &w->data_unsigned, &w->data_spoilt, &w->data_by_other, &w->data_missing, &w->wild, &w->wild_unproven,
		&w->denial_unsigned, &w->denial_gap };
	bool wrong = false;

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		*flags[i] = (bits >> i & 1) != 0;
		wrong = wrong || *flags[i];
	}
	w->hostile = (bits >> 20 & 1) != 0;
	w->conf = more_conf[(bits >> 21 & 15) % (sizeof more_conf / sizeof more_conf[0])];
	w->data_from = times[bits >> 25 & 7];
	w->data_to = w->data_from == 0 ? 0 : w->data_from + 86400;
	w->all_from = times[bits >> 28 & 7];
	w->all_to = w->all_from == 0 ? 0 : w->all_from + 86400;
	if (w->data_spoilt && w->data_unsigned)
		w->data_spoilt = false;
	return wrong || w->conf != NULL || w->data_from != 0 || w->all_from != 0;
}

static void note_servers(struct explain_world *w, struct reader *r)
{
	for (unsigned int i = 1; i < 4; i++) {
		struct endpoint e = { { ADDR_V4, { 192, 0, 2, (uint8_t)i } }, 53, 0 };
		uint8_t c = read8(r);
		struct name_buf zone;

		CHECK(OK(name_from_text(world_names[c % ZONES], NULL, &zone)));
		if ((c & 0x10) != 0)
			infra_note_rtt(w->infra, &e, 1000u * c, &w->now);
		for (unsigned int k = c >> 5; k > 3; k--)
			infra_note_timeout(w->infra, &e, &w->now);
		if ((c & 8) != 0)
			infra_note_lame(w->infra, &e, name_of(&zone), (enum lame_kind)(1 + c % 5), &w->now);
	}
}

static void draw_told(struct explain_told *t, struct reader *r)
{
	uint8_t c = read8(r);

	*t = (struct explain_told){ .told = (c & 1) != 0, .rcode = (c & 2) != 0 ? RCODE_SERVFAIL : (c & 4) != 0 ? 4711 : 0, .security = (enum security)(c >> 3 & 3) };
	if ((c & 0x20) != 0)
		t->ede[t->ede_count++] = (struct ede){ (uint16_t)(c >> 2), (c & 0x40) != 0 ? "a\033text" : NULL };
	if ((c & 0x80) != 0)
		t->why = "192.0.2.1@53: \"timed out\"\n";
}

static void check_plain(const char *text, const char *besides)
{
	for (const char *p = text; *p != '\0'; p++)
		CHECK((*p >= ' ' && *p <= '~') || strchr(besides, *p) != NULL);
}

/* No line is wider than 112 columns, unless a word alone is. */
static void check_width(const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		CHECK(n <= 112 || memchr(text + 40, ' ', n - 40) == NULL);
		text += n + (text[n] == '\n');
	}
}

static void show(struct explain_world *w, const struct explanation *x, const struct explain_told *told)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(1 << 22), *json = strbuf_new(1 << 22);
	char verdict[40];
	const char *end;

	(void)w;
	explain_text(x, told, text);
	explain_json(x, told, json);
	CHECK(strbuf_ok(text) && strbuf_ok(json));
	check_plain(strbuf_text(text), "\n");
	check_plain(strbuf_text(json), "\n");
	check_width(strbuf_text(text));
	end = kit_json(strbuf_text(json), 0);
	CHECK(end != NULL && strcmp(end, "\n") == 0);
	(void)snprintf(verdict, sizeof verdict, "\"verdict\":\"%s\"", explain_verdict_text(x->finding.verdict));
	CHECK(strstr(strbuf_text(json), verdict) != NULL);
}

static void one_input(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_of(data, size));
	struct explain_world w = { .conf = NULL };
	bool wrong;

	if (size < 4)
		return;
	wrong = draw(&w, &r);
	world_fill(&w);
	note_servers(&w, &r);
	for (unsigned int i = 0; i < 3 && (i == 0 || !reader_end(&r)); i++) {
		const char *name = asked_names[read8(&r) % (sizeof asked_names / sizeof asked_names[0])];
		struct explain_told told;
		WORLD_EXPLAIN(&w, name, asked_types[read8(&r) & 7]);

		CHECK(x != NULL);
		draw_told(&told, &r);
		show(&w, x, &told);
		CHECK(wrong || x->finding.verdict != EXPLAIN_BOGUS);
		CHECK(!(w.data_spoilt && strcmp(name, "www.example.com.") == 0 && q_.type == RR_A && x->finding.verdict == EXPLAIN_SECURE));
	}
	world_done(&w);
}

KIT_TARGET(one_input)
