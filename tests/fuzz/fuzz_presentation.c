/*
 * Rdata as text: each line of the input is a type and the text of its rdata, as local-data has it. What is accepted has the form of its type, prints as one line, and that line reads
 * back as the same octets; what is refused has a reason and writes nothing. A word that names a type, class or rcode is also held against what its number prints as.
 */
#include "base/mem.h"
#include "base/strbuf.h"
#include "dns/rdata.h"
#include "tests/fuzz/kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Room that is too small for most rdata shows that nothing is written beyond it. */
static void in_little_room(uint16_t type, const char *text, struct span whole)
{
	uint8_t little[20];
	struct writer w = writer_of(little, whole.n < sizeof little ? whole.n : sizeof little);
	const char *msg = NULL;
	struct result r = rdata_parse(type, text, &name_root, &w, &msg);

	if (whole.n <= sizeof little)
		CHECK(OK(r) && span_equal(writer_done(&w), whole));
	else
		CHECK(!OK(r) && msg != NULL && w.pos == 0);
}

static void print_and_read(uint16_t type, struct span rdata)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1 << 22);
	static uint8_t room[UINT16_MAX];
	struct writer w = writer_of(room, sizeof room);
	const char *msg = "";

	CHECK(out != NULL);
	rdata_print(type, rdata, out);
	CHECK(strbuf_ok(out) && strlen(strbuf_text(out)) == strbuf_len(out));
	for (const char *p = strbuf_text(out); *p != '\0'; p++)
		CHECK(*p >= ' ' && *p < 127);
	CHECK(OK(rdata_parse(type, strbuf_text(out), NULL, &w, &msg)));
	CHECK(span_equal(writer_done(&w), rdata));
}

static void check_words(const char *word)
{
	char buf[RRTYPE_TEXT];
	uint16_t v, again;

	if (OK(rrtype_parse(word, &v)))
		CHECK(OK(rrtype_parse(rrtype_text(v, buf), &again)) && again == v);
	if (OK(rrclass_parse(word, &v)))
		CHECK(OK(rrclass_parse(rrclass_text(v, buf), &again)) && again == v);
	if (OK(rcode_parse(word, &v)))
		CHECK(OK(rcode_parse(rcode_text(v, buf), &again)) && again == v);
}

static void one_line(char *line)
{
	static uint8_t room[UINT16_MAX];
	struct writer w = writer_of(room, sizeof room);
	char *text = line + strcspn(line, " \t");
	const char *msg = NULL;
	struct result r;
	uint16_t type;

	if (*text != '\0')
		*text++ = '\0';
	check_words(line);
	if (!OK(rrtype_parse(line, &type)))
		return;
	r = KIT_FAILING(rdata_parse(type, text, &name_root, &w, &msg));
	if (r.e == ERR_NOMEM) {
		CHECK(mem_failed() && w.pos == 0);
		return;
	}
	if (!OK(r)) {
		CHECK(msg != NULL && *msg != '\0' && w.pos == 0);
		return;
	}
	CHECK(OK(rdata_check(type, writer_done(&w))));
	in_little_room(type, text, writer_done(&w));
	if (!rrtype_is_meta(type) || type == RR_TSIG || type == RR_TKEY)
		print_and_read(type, writer_done(&w));
}

static void one_input(const uint8_t *data, size_t size)
{
	AUTO_CHARS char *text = mem_alloc(size + 1);

	CHECK(text != NULL);
	memcpy(text, data, size);
	for (char *line = text, *next; line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		one_line(line);
	}
}

KIT_TARGET(one_input)
