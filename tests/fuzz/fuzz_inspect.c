/*
 * Any file, looked at for people beside the toy RPKI's certificates: whatever it says, what is printed of it is printable, and its JSON has as many brackets
 * opened as closed outside of strings. The first octet says what the file's name ends with, and whether some rules are left out.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "tests/unit/rpki/object/toy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define CHECK(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

static struct toy *toy BORROWED_FIELD; /* never changed once it is made */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	toy = toy_new();
	return toy == NULL;
}

static void json_is_whole(const char *p)
{
	int depth = 0;
	bool quoted = false;

	for (; *p != '\0'; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted)
			depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
		CHECK(depth >= 0 && *p != '\0');
	}
	CHECK(depth == 0 && !quoted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "a.cer", "a.crl", "a.roa", "a.mft", "a.gbr", "a.asa", "a.tak", "a.sig", "a.spl", "a.tal", "a" };
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct reader in = reader_of(span_of(data, size));
	uint8_t what = read8(&in);
	const char *name = names[(what & 0x7f) % (sizeof names / sizeof names[0])];
	struct span s = read_rest(&in);
	struct inspect_context ctx = toy_context(toy);
	struct inspection i;

	if ((what & 0x80) != 0)
		ctx.ignore = "rfc9589#4/signing-time,rfc6487#4.8.3";
	if (a == NULL || s.n == 0 || !OK(rpki_inspect(s, span_text(name), &ctx, a, &i)))
		return 0;
	CHECK(i.valid == report_good(&i.report));
	for (unsigned int json = 0; json < 2; json++) {
		AUTO(strbuf_free) struct strbuf *b = strbuf_new(1 << 24);

		if (b == NULL)
			return 0;
		inspection_print(&i, name, json == 1, b);
		if (!strbuf_ok(b))
			return 0;
		for (const char *p = strbuf_text(b); *p != '\0'; p++)
			CHECK(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
		if (json == 1)
			json_is_whole(strbuf_text(b));
	}
	return 0;
}
