/* cairn-rpki inspect FILE|URI|HASH... */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "rpki/commands/commands.h"
#include "rpki/commands/gather.h"

#define WHY_MAX 65536u
#define FOLDERS_MAX 64

struct inspect_args {
	const char *conf BORROWED_FIELD; /* NULL: the usual one, when it is there */
	const char *folders[FOLDERS_MAX] BORROWED_FIELD;
	int nfolders;
	struct inspect_context ctx;
	bool json;
};

/* An object, and where it was found. */
struct found {
	char *text OWNED_FIELD; /* of a file */
	struct span octets;
	const char *name BORROWED_FIELD;
};

/* ------------------------------------------------------------------------------------------------------------- the manifest */

struct listing {
	struct span uri; /* of the manifest */
	struct manifest m;
	bool read, listed, same;
};

static struct span last_part(struct span uri)
{
	size_t n = uri.n;

	while (n > 0 && uri.p[n - 1] != '/')
		n--;
	return span_of(uri.p != NULL ? uri.p + n : NULL, uri.n - n);
}

/* Which manifest lists the object, by the issuer's certificate. False: there is none at hand. */
static bool find_listing(struct gather *g, const struct inspection *i, const char *name, struct arena *a, struct listing *ret)
{
	struct span octets, file = i->cert.signed_object.n > 0 ? last_part(i->cert.signed_object) : last_part(span_text(name));
	struct report silent;
	struct cert issuer;
	uint8_t digest[32];
	struct cms cms;

	if (i->chain_count == 0 || i->type == OBJECT_MANIFEST)
		return false;
	report_init_all(&silent, a);
	issuer = (struct cert){ .kind = CERT_CA };
	(void)cert_read(i->chain[0], cert_kind_of(i->chain[0]), CERT_USE_ANY, a, &silent, &issuer).e;
	*ret = (struct listing){ .uri = issuer.manifest };
	if (issuer.manifest.n == 0 || !OK(gather_uri(g, issuer.manifest, &octets)))
		return false;
	cms = (struct cms){ .ber = false };
	(void)cms_read(octets, OBJECT_MANIFEST, a, &silent, &cms).e;
	if (cms.content.p == NULL || !OK(manifest_read(&cms, a, &silent, &ret->m)))
		return true;
	ret->read = true;
	sha256_of(i->whole, digest);
	for (size_t k = 0; k < ret->m.count; k++) {
		bool same = memcmp(ret->m.files[k].hash, digest, sizeof digest) == 0;

		ret->listed = ret->listed || same || span_equal(ret->m.files[k].name, file);
		ret->same = ret->same || same;
	}
	return true;
}

static const char *listing_text(const struct listing *l) BORROWED;
static const char *listing_text(const struct listing *l)
{
	if (!l->read)
		return "cannot be read";
	return l->same ? "lists it" : l->listed ? "lists another object under its name" : "does not list it";
}

/* --------------------------------------------------------------------------------------------------------------- the chain */

static void printable(struct strbuf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		strbuf_putc(out, s.p[i] >= 0x20 && s.p[i] < 0x7f ? (char)s.p[i] : '?');
}

/* One issuer: what it is, and whether it is itself valid, and why not. */
static RESULT put_issuer(const struct inspect_args *args, const struct gather *g, struct span cert, bool first, struct strbuf *out)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(mem_free) void *room = mem_alloc(sizeof(struct inspection));
	struct inspection *i = room;
	const char *place = gather_place(g, cert);
	char name[256];

	if (a == NULL || i == NULL)
		return FAIL(ERR_NOMEM);
	TRY(rpki_inspect(cert, span_text("x.cer"), &args->ctx, a, i));
	if (!args->json) {
		strbuf_puts(out, "issuer: ");
		strbuf_puts(out, name_text(i->cert.subject, name));
		strbuf_printf(out, ": %s%s, ", i->valid ? "valid" : "invalid", i->cert.kind == CERT_TA ? ", a trust anchor" : "");
		printable(out, span_text(place));
		strbuf_putc(out, '\n');
		if (!i->valid)
			report_print(&i->report, "  why", out);
		return DONE;
	}
	strbuf_puts(out, first ? "" : ",");
	strbuf_puts(out, "{\"subject\":");
	strbuf_json_string(out, span_text(name_text(i->cert.subject, name)));
	strbuf_printf(out, ",\"valid\":%s,\"trustAnchor\":%s,\"place\":", i->valid ? "true" : "false", i->cert.kind == CERT_TA ? "true" : "false");
	strbuf_json_string(out, span_text(place));
	strbuf_printf(out, ",\"rule\":\"%s\"}", i->valid ? "" : rule_name(i->report.first));
	return DONE;
}

static RESULT put_issuers(const struct inspect_args *args, struct gather *g, const struct inspection *i, const char *name, struct arena *a, struct strbuf *out)
{
	struct listing l;
	bool has = find_listing(g, i, name, a, &l);

	if (args->json) {
		strbuf_cut(out, strbuf_len(out) - 2); /* "}\n" */
		strbuf_puts(out, ",\"issuers\":[");
	}
	for (size_t k = 0; k < i->chain_count; k++)
		TRY(put_issuer(args, g, i->chain[k], k == 0, out));
	strbuf_puts(out, args->json ? "]" : "");
	if (has && args->json) {
		strbuf_puts(out, ",\"manifest\":{\"uri\":");
		strbuf_json_string(out, l.uri);
		strbuf_printf(out, ",\"found\":\"%s\"}", listing_text(&l));
	} else if (has) {
		strbuf_puts(out, "manifest: ");
		printable(out, l.uri);
		strbuf_printf(out, " %s\n", listing_text(&l));
	}
	strbuf_puts(out, args->json ? "}\n" : "");
	return DONE;
}

/* -------------------------------------------------------------------------------------------------------------- the object */

static bool hash_of(const char *s, uint8_t ret[32])
{
	if (strlen(s) != 64)
		return false;
	for (size_t i = 0; i < 64; i++) {
		char low = (char)(s[i] | 0x20);

		if (s[i] >= '0' && s[i] <= '9')
			ret[i / 2] = (uint8_t)(ret[i / 2] << 4 | (s[i] - '0'));
		else if (low >= 'a' && low <= 'f')
			ret[i / 2] = (uint8_t)(ret[i / 2] << 4 | (low - 'a' + 10));
		else
			return false;
	}
	return true;
}

static int not_found(const char *what, struct result r)
{
	if (r.e == ERR_NOTFOUND)
		return command_fail("inspect", "%s: neither in the store nor in rpki-tree:", what);
	return command_fail("inspect", "%s: %s", what, r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
}

static int find(struct gather *g, const char *what, struct found *ret)
{
	uint8_t hash[32] = { 0 };
	struct result r;
	size_t n = 0;

	ret->name = what;
	if (strncmp(what, "rsync://", 8) == 0) {
		r = gather_uri(g, span_text(what), &ret->octets);
		return OK(r) ? 0 : not_found(what, r);
	}
	if (access(what, F_OK) != 0 && hash_of(what, hash)) {
		r = gather_hash(g, hash, &ret->octets);
		ret->name = "";
		return OK(r) ? 0 : not_found(what, r);
	}
	r = file_read_all(what, GATHER_USUAL.octets, &ret->text, &n);
	if (!OK(r))
		return command_fail("inspect", "%s: %s (expected a file, an rsync URI, or a SHA-256 in hexadecimal)", what,
			r.e == ERR_NOTFOUND ? "there is no such file" : r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
	ret->octets = span_of(ret->text, n);
	r = gather_around(g, what);
	return OK(r) ? 0 : not_found(what, r);
}

/* ctx: without candidates, which g gives. */
static RESULT look(struct inspect_args *args, struct gather *g, const struct found *f, struct strbuf *out, bool *ret_valid)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(mem_free) void *room = mem_alloc(sizeof(struct inspection));
	struct inspection *i = room;

	if (a == NULL || i == NULL)
		return FAIL(ERR_NOMEM);
	TRY(gather_chain(g, f->octets, f->name));
	gather_context(g, &args->ctx);
	TRY(rpki_inspect(f->octets, span_text(f->name), &args->ctx, a, i));
	inspection_print(i, f->name, args->json, out);
	TRY(put_issuers(args, g, i, f->name, a, out));
	*ret_valid = i->valid;
	return strbuf_result(out);
}

/* ------------------------------------------------------------------------------------------------------------- the command */

static int prepare(const struct inspect_args *args, struct gather *g)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(WHY_MAX);
	AUTO(conf_free) struct conf *c = NULL;
	struct result r;

	if (why == NULL)
		return command_fail("inspect", "%s", err_text(ERR_NOMEM));
	for (int i = 0; i < args->nfolders; i++) {
		r = gather_below(g, args->folders[i]);
		if (!OK(r))
			return command_fail("inspect", "%s: %s", args->folders[i], r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
	}
	if (args->conf == NULL && access(command_conf_path(), R_OK) != 0)
		return 0;
	if (!OK(command_conf("inspect", args->conf != NULL ? args->conf : command_conf_path(), &c)))
		return COMMAND_ERROR;
	r = gather_use(g, c, why);
	return OK(r) ? 0 : command_report("inspect", why, r);
}

static int inspect_one(struct inspect_args *args, const char *what, bool first, bool *ret_valid)
{
	struct gather_limits limits = GATHER_USUAL;
	AUTO(gather_free) struct gather *g = gather_new(&limits);
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(COMMAND_TEXT_MAX);
	struct found f = { .text = NULL };
	struct result r;
	int status;

	if (g == NULL || out == NULL)
		return command_fail("inspect", "%s", err_text(ERR_NOMEM));
	status = prepare(args, g);
	if (status == 0)
		status = find(g, what, &f);
	if (status == 0) {
		if (!first && !args->json)
			strbuf_putc(out, '\n');
		r = look(args, g, &f, out, ret_valid);
		if (r.e == ERR_NOTFOUND)
			status = command_fail("inspect", "--ignore %s: no rule has one of these names", args->ctx.ignore);
		else if (!OK(r))
			status = command_fail("inspect", "%s: %s", what, r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
		else if (!command_print(out))
			status = command_fail("inspect", "the output cannot be written");
	}
	mem_free(MOVE(f.text));
	return status;
}

static int inspect_all(struct inspect_args *args, int n, char **what)
{
	int status = 0;

	for (int i = 0; i < n; i++) {
		bool valid = false;
		int one = inspect_one(args, what[i], i == 0, &valid);

		if (one != 0)
			status = one;
		else if (!valid && status == 0)
			status = 1;
	}
	return fflush(stdout) == 0 ? status : command_fail("inspect", "the output cannot be written");
}

int command_inspect(int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' }, { "ignore", required_argument, NULL, 'i' }, { "at", required_argument, NULL, 'a' },
		{ "certs", required_argument, NULL, 'd' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct inspect_args args = { .ctx = { .now = clock_read().wall_sec } };
	int c;

	while ((c = getopt_long(argc, argv, "c:jh", longs, NULL)) != -1) {
		if (c == 'c')
			args.conf = optarg;
		else if (c == 'j')
			args.json = true;
		else if (c == 'i')
			args.ctx.ignore = optarg;
		else if (c == 'd' && args.nfolders < FOLDERS_MAX)
			args.folders[args.nfolders++] = optarg;
		else if (c != 'a')
			return command_usage("inspect");
		else if (!OK(clock_parse(optarg, &args.ctx.now)))
			return command_fail("inspect", "--at %s: expected seconds, or 2026-01-31T12:00:00Z", optarg);
	}
	return optind < argc ? inspect_all(&args, argc - optind, argv + optind) : command_usage("inspect");
}
