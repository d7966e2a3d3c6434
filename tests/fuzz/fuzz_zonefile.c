/* Zone files: the input is the text. Every record that comes out prints as a line that reads as the same record; the report is lines of plain ASCII. */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "dns/zonefile.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

struct work {
	struct strbuf *text BORROWED_FIELD;
	unsigned int checked;
};

static struct result take(void *user, const struct zone_rr *rr)
{
	struct work *k = (struct work *)user;
	static uint8_t room[70000];
	struct writer w = writer_of(room, sizeof room);
	char owner[NAME_TEXT];
	char type[RRTYPE_TEXT];
	char rclass[RRTYPE_TEXT];
	struct name_buf name;
	struct zone_rr back;
	const char *msg = "";

	CHECK(OK(rdata_check(rr->type, rr->rdata)) && rr->ttl <= 0x7fffffff);
	if (k->checked++ > 200)
		return DONE;
	strbuf_clear(k->text);
	strbuf_printf(k->text, "%s %u %s %s ", name_to_text(rr->owner, owner), (unsigned int)rr->ttl, rrclass_text(rr->rclass, rclass),
	    rrtype_text(rr->type, type));
	rdata_print(rr->type, rr->rdata, k->text);
	if (!strbuf_ok(k->text))
		return DONE;
	CHECK(strpbrk(strbuf_text(k->text), "\n\r") == NULL);
	if (!OK(zone_read_rr(strbuf_text(k->text), name_root, 0, &name, &back, &w, &msg))) {
		CHECK(mem_failed());
		return DONE;
	}
	CHECK(name_equal_case(back.owner, rr->owner) && back.ttl == rr->ttl && back.type == rr->type && back.rclass == rr->rclass);
	CHECK(span_equal(back.rdata, rr->rdata));
	return DONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 16);
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(1 << 22);
	struct work k = { text, 0 };
	struct zone_read z = { .origin_text = "fuzz", .origin = name_root, .default_ttl = 300, .max_octets = 1 << 18, .max_generated = 1000, .fn = take,
		.user = &k };
	struct result r;

	if (report == NULL || text == NULL)
		return 0;
	r = zone_read_text(&z, span_of(data, size), report);
	CHECK(OK(r) || r.e == ERR_FORMAT || r.e == ERR_LIMIT || r.e == ERR_NOMEM);
	CHECK(OK(r) == (strbuf_len(report) == 0) || r.e == ERR_NOMEM || mem_failed());
	if (OK(r) && mem_failed()) { /* then no record may be missing */
		unsigned int records = k.checked;

		k.checked = 0;
		mem_fail_hold(true);
		CHECK(OK(zone_read_text(&z, span_of(data, size), report)) && k.checked == records);
		mem_fail_hold(false);
	}
	for (const char *p = strbuf_text(report); *p != '\0'; p++)
		CHECK((*p >= ' ' && *p < 127) || *p == '\n');
	return 0;
}
