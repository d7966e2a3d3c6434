/*
 * Zone files on disk that include each other. The first octet switches things on; the rest is cut at lines "%%" into the files "0", "1", ... of a directory, of which "0" is read.
 *
 * Each record that comes out is one of its type, and all of them, printed as a zone file, read back as the same; as text "0" gives what it gives as a file; what is generated and
 * read stays within its limits; every line of the report names a file and a line of it, but for what is no fault of a line. The same file as root hints gives servers or a reason.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "dns/zonefile.h"
#include "resolver/core/settings.h"
#include "tests/fuzz/kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NO_INCLUDE = 1, FEW_OCTETS = 2, FEW_GENERATED = 4, STOPS = 8, CHAOS = 16, AS_HINTS = 32 };
#define FILES 8
#define MOST_PRINTED 300u
#define STOP_AFTER 3u

struct seen {
	struct strbuf *text BORROWED_FIELD; /* NULL: not printed */
	uint64_t sum;
	uint32_t count, generated;
	bool stops;
};

static void add_to_sum(struct seen *s, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s->sum = (s->sum ^ ((const uint8_t *)p)[i]) * UINT64_C(0x100000001b3);
}

static struct result take(void *user, const struct zone_rr *rr)
{
	struct seen *s = (struct seen *)user;
	char owner[NAME_TEXT], type[RRTYPE_TEXT], rclass[RRTYPE_TEXT];

	CHECK(OK(rdata_check(rr->type, rr->rdata)) && rr->ttl <= INT32_MAX);
	add_to_sum(s, rr->owner.wire, rr->owner.len);
	add_to_sum(s, &rr->type, 2);
	add_to_sum(s, &rr->rclass, 2);
	add_to_sum(s, &rr->ttl, 4);
	add_to_sum(s, rr->rdata.p, rr->rdata.n);
	s->count++;
	if (s->stops && s->count == STOP_AFTER)
		return FAIL(ERR_REFUSED);
	if (s->text == NULL || s->count > MOST_PRINTED)
		return DONE;
	strbuf_printf(s->text, "%s %u %s %s ", name_to_text(rr->owner, owner), (unsigned int)rr->ttl, rrclass_text(rr->rclass, rclass), rrtype_text(rr->type, type));
	rdata_print(rr->type, rr->rdata, s->text);
	strbuf_putc(s->text, '\n');
	return DONE;
}

static struct zone_read reading(uint8_t how, const char *dir, struct seen *s)
{
	struct zone_read z = { .origin_text = "0", .origin = name_root, .default_ttl = 300, .allow_include = (how & NO_INCLUDE) == 0, .include_dir = dir,
		.max_octets = (how & FEW_OCTETS) != 0 ? 400 : 1 << 18, .max_generated = (how & FEW_GENERATED) != 0 ? 3 : 5000,
		.rclass = (how & CHAOS) != 0 ? CLASS_CH : 0, .fn = take, .user = s };

	s->stops = (how & STOPS) != 0;
	return z;
}

/* "FILE:LINE: found ..., expected ..." */
static void check_report(const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");
		const char *found = memmem(text, n, ": found ", 8), *expected = memmem(text, n, ", expected ", 11);

		CHECK(text[n] == '\n');
		for (size_t i = 0; i < n; i++)
			CHECK(text[i] >= ' ' && text[i] <= '~');
		CHECK((found != NULL && expected != NULL && found < expected && found > text && found[-1] >= '0' && found[-1] <= '9') ||
		    memmem(text, n, ": more text than is allowed", 27) != NULL || memmem(text, n, ": no such file", 14) != NULL);
		text += n + 1;
	}
}

static void read_again(const struct seen *first)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 16);
	struct seen again = { .text = NULL };
	struct zone_read z = reading(0, NULL, &again);

	if (first->count > MOST_PRINTED || !strbuf_ok(first->text) || strbuf_len(first->text) > 1 << 18)
		return;
	CHECK(OK(zone_read_text(&z, strbuf_span(first->text), report)));
	CHECK(again.count == first->count && again.sum == first->sum);
}

static void as_zone(uint8_t how, const char *dir, const char *path, struct span text)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 20), *second = strbuf_new(1 << 20), *out = strbuf_new(1 << 22);
	struct seen file = { .text = out }, mem = { .text = NULL };
	struct zone_read z = reading(how, dir, &file);
	struct result r, again;

	CHECK(report != NULL && second != NULL && out != NULL);
	r = KIT_FAILING(zone_read_file(&z, path, report));
	if (r.e == ERR_NOMEM && mem_failed())
		return; /* else nothing is missing, as is seen below */
	CHECK(OK(r) || r.e == ERR_FORMAT || r.e == ERR_LIMIT || (r.e == ERR_REFUSED && (how & STOPS) != 0));
	CHECK((OK(r) || r.e == ERR_REFUSED) || strbuf_len(report) > 0 || mem_failed());
	if (!mem_failed() && strbuf_ok(report)) /* else it may lack words, or its end */
		check_report(strbuf_text(report));
	z = reading(how, dir, &mem);
	again = zone_read_text(&z, text, second);
	CHECK(again.e == r.e && mem.count == file.count && mem.sum == file.sum);
	if ((how & STOPS) == 0)
		read_again(&file);
}

static void as_hints(const char *path)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 20);
	AUTO_CHARS char *text = mem_printf("server:\n root-hints: \"%s\"\n", path);
	AUTO(conf_free) struct conf *c = NULL;
	AUTO(core_settings_free) struct core_settings *s = NULL;
	struct result r;

	CHECK(OK(conf_load_text(text, "fuzz", report, &c)));
	r = KIT_FAILING(core_settings_make(c, report, &s));
	if (!OK(r)) {
		CHECK(strbuf_len(report) > 0 || mem_failed());
		return;
	}
	CHECK(!mem_failed() || s->root_count > 0);
	CHECK(s->root_count > 0);
	for (size_t i = 0; i < s->root_count; i++) {
		for (size_t k = 0; k < i; k++)
			CHECK(!name_equal(s->roots[i].name, s->roots[k].name));
		for (size_t k = 0; k < s->roots[i].addr_count; k++)
			CHECK(addr_octets(&s->roots[i].addrs[k]) != 0);
	}
}

static void put_file(const char *dir, unsigned int i, struct span content, char path[80])
{
	FILE *f;

	(void)snprintf(path, 80, "%s/%u", dir, i);
	f = fopen(path, "wb");
	CHECK(f != NULL && (content.n == 0 || fwrite(content.p, content.n, 1, f) == 1));
	CHECK(fclose(f) == 0);
}

static void one_input(const uint8_t *data, size_t size)
{
	char dir[] = "/tmp/cairn-fuzz-XXXXXX", path[80];
	struct span part[FILES], in;
	unsigned int n = 0;

	/* Files of the machine are not read: they may not end. */
	if (size < 1 || size > 1 << 14 || (memchr(data, '/', size) != NULL && memmem(data, size, "$I", 2) != NULL))
		return;
	in = span_of(data + 1, size - 1);
	for (; n < FILES - 1; n++) {
		const uint8_t *cut = in.n == 0 ? NULL : memmem(in.p, in.n, "%%\n", 3);

		if (cut == NULL)
			break;
		part[n] = span_of(in.p, (size_t)(cut - in.p));
		in = span_of(cut + 3, in.n - part[n].n - 3);
	}
	part[n++] = in;
	CHECK(mkdtemp(dir) != NULL);
	for (unsigned int i = n; i-- > 0;)
		put_file(dir, i, part[i], path);
	as_zone(data[0], dir, path, part[0]);
	if ((data[0] & AS_HINTS) != 0)
		as_hints(path);
	for (unsigned int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof path, "%s/%u", dir, i);
		CHECK(unlink(path) == 0);
	}
	CHECK(rmdir(dir) == 0);
}

KIT_TARGET(one_input)
