/*
 * Rdata. Input: two octets of type, then rdata or, when the first bit of a third octet is set, text. Whatever is accepted prints as one line that reads
 * back as the same octets.
 */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "dns/rdata.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

static void check_text(uint16_t type, struct span rdata)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1 << 22);
	static uint8_t room[70000];
	struct writer w = writer_of(room, sizeof room);
	const char *msg = "";

	if (out == NULL)
		return;
	rdata_print(type, rdata, out);
	if (!strbuf_ok(out))
		return;
	for (const char *p = strbuf_text(out); *p != '\0'; p++)
		CHECK(*p >= ' ' && *p < 127);
	CHECK(strlen(strbuf_text(out)) == strbuf_len(out));
	/* what RFC 9460 asks of authors is not asked of the wire */
	if (!OK(rdata_parse(type, strbuf_text(out), NULL, &w, &msg)))
		CHECK(mem_failed() || ((type == RR_SVCB || type == RR_HTTPS) &&
		    (strstr(msg, "mandatory") != NULL || strstr(msg, "no-default-alpn") != NULL || strstr(msg, "keyNNNNN") != NULL)));
	else
		CHECK(w.pos == rdata.n && memcmp(room, rdata.p, rdata.n) == 0);
}

/* What is not of its type's form prints all the same, as one plain line. */
static void check_bad(uint16_t type, struct span rdata)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(1 << 22);

	if (out == NULL)
		return;
	rdata_print(type, rdata, out);
	if (!strbuf_ok(out))
		return;
	for (const char *p = strbuf_text(out); *p != '\0'; p++)
		CHECK(*p >= ' ' && *p < 127);
}

static void check_canonical(uint16_t type, struct span rdata)
{
	static const struct hash_key key = { { 1, 2 } };
	static uint8_t once[65536];
	static uint8_t twice[65536];
	struct span low = { once, rdata.n };

	rdata_canonical(type, rdata, once);
	CHECK(OK(rdata_check(type, low)));
	rdata_canonical(type, low, twice);
	CHECK(memcmp(once, twice, rdata.n) == 0);
	CHECK(rdata_compare(type, rdata, low) == 0);
	CHECK(rdata_hash(&key, type, rdata) == rdata_hash(&key, type, low));
}

static void check_wire(uint16_t type, struct span rdata)
{
	static uint8_t msg[70000];
	static uint8_t out[70000];
	struct writer w = writer_of(out, sizeof out);
	struct reader r = { msg, 12 + rdata.n, 12, false };
	bool good = OK(rdata_check(type, rdata));
	bool read;

	if (rdata.n > UINT16_MAX)
		return;
	if (rdata.n != 0)
		memcpy(msg + 12, rdata.p, rdata.n);
	read = OK(rdata_read(&r, type, (uint16_t)rdata.n, &w));
	CHECK(read || !good);
	if (read) {
		CHECK(OK(rdata_check(type, writer_done(&w)))); /* also when names were decompressed */
		CHECK(!good || (w.pos == rdata.n && memcmp(out, msg + 12, rdata.n) == 0));
	}
	if (!good)
		check_bad(type, rdata);
	if (good) {
		check_text(type, rdata);
		check_canonical(type, rdata);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t room[70000];
	struct writer w = writer_of(room, sizeof room);
	struct reader r = reader_of(span_of(data, size));
	uint16_t type = read16(&r);
	const char *msg = NULL;
	struct span rest;
	char *text;

	if (size < 3)
		return 0;
	rest = (struct span){ data + 2, size - 2 };
	if ((data[2] & 0x80) == 0 || size > 65000) {
		check_wire(type, rest);
		return 0;
	}
	text = mem_strndup((const char *)data + 3, size - 3);
	if (text == NULL)
		return 0;
	if (OK(rdata_parse(type, text, NULL, &w, &msg))) {
		CHECK(w.pos <= UINT16_MAX && OK(rdata_check(type, writer_done(&w))));
		check_text(type, writer_done(&w));
	} else {
		CHECK(msg != NULL && w.pos == 0);
	}
	mem_free(text);
	return 0;
}
