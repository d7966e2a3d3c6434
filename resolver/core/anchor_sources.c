#include "resolver/core/anchor_sources.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "validator/bindkeys.h"
#include "validator/rootxml.h"

#define WHERE 512 /* octets of a place in messages */

/* Where item i stands, and the option, as messages begin. */
static const char *place(const struct conf_clause *c, enum conf_opt o, size_t i, const char *option, char to[WHERE]) BORROWED;
static const char *place(const struct conf_clause *c, enum conf_opt o, size_t i, const char *option, char to[WHERE])
{
	(void)snprintf(to, WHERE, "%s: error: %s", conf_where(c, o, i), option);
	return to;
}

static char *in_directory(const struct conf_clause *c, const char *path) OWNED_BY(mem_free);
static char *in_directory(const struct conf_clause *c, const char *path)
{
	const char *dir = conf_text(c, OPT_DIRECTORY);

	return path[0] == '/' || dir == NULL || dir[0] != '/' ? mem_strdup(path) : mem_printf("%s/%s", dir, path);
}

char *anchor_sources_path(const struct conf_clause *c, enum conf_opt o, size_t i)
{
	return in_directory(c, conf_item(c, o, i));
}

/* --- files of records, and BIND's */

struct files {
	struct anchors *set BORROWED_FIELD;
	struct strbuf *report BORROWED_FIELD;
	const char *where BORROWED_FIELD;
	bool bind;
};

static RESULT cannot_read(struct strbuf *report, const char *where, const char *path, enum err e)
{
	strbuf_printf(report, "%s: %s cannot be read: %s\n", where, path, e == ERR_SYSTEM ? strerror(errno) : err_text(e));
	return FAIL(e == ERR_NOMEM ? ERR_NOMEM : ERR_FORMAT);
}

static RESULT add_bind_keys(const struct files *f, const char *path, struct span text)
{
	AUTO(strbuf_free) struct strbuf *records = strbuf_new(2 * ANCHOR_FILE_MAX);

	if (records == NULL)
		return FAIL(ERR_NOMEM);
	TRY(bindkeys_text(path, text, records, f->report));
	return anchors_add_text(f->set, path, strbuf_span(records), f->report);
}

static RESULT add_file(const struct files *f, const char *path)
{
	AUTO_CHARS char *text = NULL;
	size_t n;
	struct result r = file_read_all(path, ANCHOR_FILE_MAX, &text, &n);

	if (!OK(r))
		return cannot_read(f->report, f->where, path, r.e);
	r = f->bind ? add_bind_keys(f, path, span_of(text, n)) : anchors_add_text(f->set, path, span_of(text, n), f->report);
	if (r.e == ERR_FORMAT)
		strbuf_printf(f->report, "%s: %s cannot be used\n", f->where, path);
	return r;
}

static RESULT add_matching(const struct files *f, const char *pattern)
{
	glob_t g = { 0 };
	int e = glob(pattern, GLOB_ERR | GLOB_BRACE | GLOB_TILDE, NULL, &g);
	struct result r = DONE;

	if (e == GLOB_NOSPACE)
		r = FAIL(ERR_NOMEM);
	for (size_t i = 0; e == 0 && OK(r) && i < g.gl_pathc; i++)
		r = add_file(f, g.gl_pathv[i]);
	globfree(&g);
	if (e != 0 && OK(r)) {
		strbuf_printf(f->report, "%s: no file matches %s\n", f->where, pattern);
		r = FAIL(ERR_FORMAT);
	}
	return r;
}

static RESULT add_files(struct anchors *set, const struct conf_clause *c, enum conf_opt o, const char *option, struct strbuf *report)
{
	char where[WHERE];
	struct files f = { set, report, where, o == OPT_TRUSTED_KEYS_FILE };

	for (size_t i = 0; i < conf_count(c, o); i++) {
		AUTO_CHARS char *path = anchor_sources_path(c, o, i);

		if (path == NULL)
			return FAIL(ERR_NOMEM);
		if (conf_item(c, o, i)[0] == '\0')
			continue; /* Unbound's way to say: none */
		(void)place(c, o, i, option, where);
		TRY(strpbrk(path, "*?[{~") != NULL ? add_matching(&f, path) : add_file(&f, path));
	}
	return DONE;
}

static RESULT add_records(struct anchors *set, const struct conf_clause *c, struct strbuf *report)
{
	char where[WHERE];

	for (size_t i = 0; i < conf_count(c, OPT_TRUST_ANCHOR); i++)
		TRY(anchors_add_text(set, place(c, OPT_TRUST_ANCHOR, i, "trust-anchor", where), span_text(conf_item(c, OPT_TRUST_ANCHOR, i)), report));
	return DONE;
}

/* --- IANA's file (RFC 9718) */

struct text {
	char *s OWNED_FIELD; /* NULL: the option is not given */
	size_t n;
};

static void text_done(struct text *t)
{
	mem_free(MOVE(t->s));
}
#define AUTO_TEXT __attribute__((cleanup(text_done))) struct text

static RESULT read_option_file(const struct conf_clause *c, enum conf_opt o, const char *option, struct strbuf *report, struct text *ret)
{
	const char *name = conf_text(c, o);
	AUTO_CHARS char *path = NULL;
	char where[WHERE];
	struct result r;

	if (name == NULL || *name == '\0')
		return DONE;
	path = in_directory(c, name);
	if (path == NULL)
		return FAIL(ERR_NOMEM);
	r = file_read_all(path, ANCHOR_FILE_MAX, &ret->s, &ret->n);
	return OK(r) ? DONE : cannot_read(report, place(c, o, 0, option, where), path, r.e);
}

static RESULT add_iana(struct anchors *set, const struct conf_clause *c, int64_t wall, struct strbuf *report)
{
	AUTO_TEXT xml = { NULL, 0 };
	AUTO_TEXT signature = { NULL, 0 };
	AUTO_TEXT ca = { NULL, 0 };
	AUTO(strbuf_free) struct strbuf *records = strbuf_new(ANCHOR_FILE_MAX);
	char where[WHERE];
	struct result r = DONE;

	TRY(read_option_file(c, OPT_ROOT_ANCHORS_FILE, "root-anchors-file", report, &xml));
	TRY(read_option_file(c, OPT_ROOT_ANCHORS_SIGNATURE, "root-anchors-signature", report, &signature));
	TRY(read_option_file(c, OPT_ROOT_ANCHORS_CA, "root-anchors-ca", report, &ca));
	if (records == NULL)
		return FAIL(ERR_NOMEM);
	if (xml.s == NULL)
		return DONE;
	(void)place(c, OPT_ROOT_ANCHORS_FILE, 0, "root-anchors-file", where);
	if ((signature.s == NULL) != (ca.s == NULL)) {
		strbuf_printf(report, "%s: found one of root-anchors-signature and root-anchors-ca, expected both or none\n", where);
		return FAIL(ERR_FORMAT);
	}
	if (signature.s != NULL)
		r = rootxml_verify(where, span_of(xml.s, xml.n), span_of(signature.s, signature.n), span_of(ca.s, ca.n), wall, report);
	if (OK(r))
		r = rootxml_text(conf_text(c, OPT_ROOT_ANCHORS_FILE), span_of(xml.s, xml.n), wall, records, report);
	if (OK(r))
		r = anchors_add_text(set, where, strbuf_span(records), report);
	if (OK(r) || r.e == ERR_NOMEM)
		return r;
	strbuf_printf(report, "%s: %s cannot be used\n", where, conf_text(c, OPT_ROOT_ANCHORS_FILE));
	return FAIL(ERR_FORMAT);
}

/* --- files that follow their zone (RFC 5011) */

/* A state as of a file that has the built-in anchors and was never used. */
static RESULT primed(struct autotrust **ret, struct strbuf *report)
{
	AUTO(anchors_free) struct anchors *root = anchors_new();
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(65536);
	const struct anchor_zone *z;

	if (root == NULL || text == NULL)
		return FAIL(ERR_NOMEM);
	TRY(anchors_add_root(root));
	TRY(anchors_seal(root));
	z = anchors_find(root, name_root).keys;
	for (size_t i = 0; i < anchor_zone_count(z); i++) {
		struct anchor_rr rr = anchor_zone_rr(z, i);

		strbuf_puts(text, rr.type == RR_DS ? ". IN DS " : ". IN DNSKEY ");
		rdata_print(rr.type, rr.rdata, text);
		strbuf_putc(text, '\n');
	}
	TRY(strbuf_result(text));
	return autotrust_read("the built-in anchor", strbuf_span(text), ret, report);
}

RESULT anchor_sources_auto(const struct conf_clause *c, size_t i, struct strbuf *report, struct autotrust **ret)
{
	AUTO_CHARS char *path = anchor_sources_path(c, OPT_AUTO_TRUST_ANCHOR_FILE, i);
	AUTO_CHARS char *text = NULL;
	char where[WHERE];
	size_t n;
	struct result r;

	if (path == NULL)
		return FAIL(ERR_NOMEM);
	r = file_read_all(path, AUTOTRUST_FILE_MAX, &text, &n);
	if (r.e == ERR_NOTFOUND && conf_int(c, OPT_ROOT_ANCHORS) == CONF_ANCHORS_BUILTIN)
		return primed(ret, report);
	(void)place(c, OPT_AUTO_TRUST_ANCHOR_FILE, i, "auto-trust-anchor-file", where);
	if (r.e == ERR_NOTFOUND) {
		strbuf_printf(report, "%s: %s is not there, and root-anchors: is none; put a DS or DNSKEY record of the zone into it\n", where, path);
		return FAIL(ERR_FORMAT);
	}
	if (!OK(r))
		return cannot_read(report, where, path, r.e);
	r = autotrust_read(path, span_of(text, n), ret, report);
	if (r.e == ERR_FORMAT)
		strbuf_printf(report, "%s: %s cannot be used; it was not changed\n", where, path);
	return r;
}

/* *root: set when it is the root's, whatever its keys are worth: a revoked trust point is none, and nothing else takes its place (RFC 5011 section 5). */
static RESULT add_state(struct anchors *set, const struct autotrust *t, bool *root)
{
	*root = *root || name_is_root(name_of(&t->zone));
	for (size_t i = 0; i < t->count; i++) {
		const struct ta_key *k = &t->keys[i];

		if (ta_is_anchor(k))
			TRY(anchors_add(set, name_of(&t->zone), k->type, span_of(k->rdata, k->n)));
	}
	return DONE;
}

static RESULT add_autos(struct anchors *set, const struct conf_clause *c, const struct anchor_overlay *o, struct strbuf *report, bool *root)
{
	char where[WHERE];

	for (size_t i = 0; i < conf_count(c, OPT_AUTO_TRUST_ANCHOR_FILE); i++) {
		AUTO(autotrust_free) struct autotrust *read = NULL;
		const struct autotrust *t = o->autos != NULL ? o->autos[i] : NULL;
		struct result r;

		if (t == NULL) {
			TRY(anchor_sources_auto(c, i, report, &read));
			t = read;
		}
		r = add_state(set, t, root);
		if (r.e == ERR_FORMAT)
			strbuf_printf(report, "%s: a key that is no trust anchor\n",
			    place(c, OPT_AUTO_TRUST_ANCHOR_FILE, i, "auto-trust-anchor-file", where));
		TRY(r);
	}
	return DONE;
}

/* --- names that are not validated */

static bool is_listed(const struct name_buf *list, size_t n, struct name name)
{
	for (size_t i = 0; i < n; i++) {
		if (name_equal(name_of(&list[i]), name))
			return true;
	}
	return false;
}

static RESULT add_insecure(struct anchors *set, const struct anchor_overlay *o, const char *text)
{
	struct name_buf name;

	TRY(name_from_text(text, NULL, &name));
	return is_listed(o->validated, o->validated_count, name_of(&name)) ? DONE : anchors_add_insecure(set, name_of(&name));
}

/* The reverse names of private addresses (RFC 6303, RFC 7793), which unblock-lan-zones: lets out to servers of one's own. */
static RESULT add_lan(struct anchors *set, const struct anchor_overlay *o)
{
	static const char *const names[] = { "10.in-addr.arpa.", "168.192.in-addr.arpa.", "254.169.in-addr.arpa.", "d.f.ip6.arpa.", "8.e.f.ip6.arpa.",
		"9.e.f.ip6.arpa.", "a.e.f.ip6.arpa.", "b.e.f.ip6.arpa." };
	char text[64];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		TRY(add_insecure(set, o, names[i]));
	for (unsigned int i = 16; i < 32; i++) {
		(void)snprintf(text, sizeof text, "%u.172.in-addr.arpa.", i);
		TRY(add_insecure(set, o, text));
	}
	for (unsigned int i = 64; i < 128; i++) {
		(void)snprintf(text, sizeof text, "%u.100.in-addr.arpa.", i);
		TRY(add_insecure(set, o, text));
	}
	return DONE;
}

static RESULT add_all_insecure(struct anchors *set, const struct conf_clause *c, const struct anchor_overlay *o)
{
	for (size_t i = 0; i < conf_count(c, OPT_DOMAIN_INSECURE); i++)
		TRY(add_insecure(set, o, conf_item(c, OPT_DOMAIN_INSECURE, i)));
	for (size_t i = 0; i < o->insecure_count; i++)
		TRY(anchors_add_insecure(set, name_of(&o->insecure[i])));
	return conf_bool(c, OPT_INSECURE_LAN_ZONES) ? add_lan(set, o) : DONE;
}

RESULT anchor_sources_read(const struct conf *conf, const struct anchor_overlay *o, struct strbuf *report, struct anchors **ret)
{
	AUTO(anchors_free) struct anchors *set = anchors_new();
	const struct conf_clause *c = conf_server(conf);
	bool root = false;

	if (set == NULL)
		return FAIL(ERR_NOMEM);
	TRY(add_records(set, c, report));
	TRY(add_files(set, c, OPT_TRUST_ANCHOR_FILE, "trust-anchor-file", report));
	TRY(add_files(set, c, OPT_TRUSTED_KEYS_FILE, "trusted-keys-file", report));
	TRY(add_iana(set, c, o->wall, report));
	TRY(add_autos(set, c, o, report, &root));
	if (!root && conf_int(c, OPT_ROOT_ANCHORS) == CONF_ANCHORS_BUILTIN && !anchors_has(set, name_root))
		TRY(anchors_add_root(set));
	TRY(add_all_insecure(set, c, o));
	TRY(anchors_seal(set));
	*ret = MOVE(set);
	return DONE;
}
