/*
 * point.c: one publication point (RFC 9286 section 6): manifest and CRL, then every file of the manifest against its hash, and only when all are there, each object. A failed point yields
 * nothing; an object that is not valid costs only itself.
 */
#include "rpki/validate/point.h"

#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "rpki/object/crl.h"
#include "rpki/object/manifest.h"
#include "rpki/validate/remember.h"

/* --- CAs */

/* What is left of it is read now: its certificate is there as long as its issuer's publication point is as it was remembered. */
static RESULT complete(struct point *p, bool *ret_there)
{
	struct ca *c = p->ca;
	const uint8_t *copy;
	struct report rep;
	struct span octets;
	struct cert cert;
	struct result r = p->reader->ops->by_hash(p->reader, c->hash, p->options->limits.object, &octets);

	*ret_there = false;
	if (r.e == ERR_NOTFOUND || r.e == ERR_LIMIT)
		return DONE;
	TRY(r);
	copy = arena_dup(c->arena, octets.p, octets.n);
	if (copy == NULL)
		return FAIL(ERR_NOMEM);
	report_init(&rep);
	TRY(point_verdict(cert_read(span_of(copy, octets.n), CERT_CA, CERT_USE_ANY, c->arena, &rep, &cert), ret_there));
	if (!*ret_there)
		return DONE;
	c->cert = cert;
	if (c->as_claimed)
		c->effective = c->cert.claimed;
	c->brief = false;
	return DONE;
}

void product_origin(const struct point *p, struct product *x)
{
	const struct item *i = x->item;

	x->origin = (struct origin){ .uri = i->uri, .not_before = i->not_before, .not_after = i->not_after, .stale = p->stale };
	ca_chain_after(&x->origin.chain_not_before, &x->origin.chain_not_after, p->ca, i->not_before, i->not_after);
}

/* --- refusals */

RESULT point_refuse_text(struct point *p, struct span uri, const char *why)
{
	struct refusal *r = arena_alloc(p->arena, sizeof *r);

	if (r == NULL)
		return FAIL(ERR_NOMEM);
	*r = (struct refusal){ p->refusals, uri, why };
	p->refusals = r;
	return DONE;
}

RESULT point_refuse(struct point *p, struct span uri, const struct report *rep)
{
	char room[64];
	const char *why = arena_printf(p->arena, "%s: %s", rule_place(rep->first, room), rule_text(rep->first));

	return why != NULL ? point_refuse_text(p, uri, why) : FAIL(ERR_NOMEM);
}

/* Of what is published alone: what is gone back to is as old as it is. */
static void wants(struct point *p, enum wanting w, bool wanting)
{
	p->wanting[w] = p->wanting[w] || (wanting && !p->by_hash);
}

/* --- files */

/* The URI of a file of the point: its name behind the CA's repository URI. */
static RESULT uri_of(struct point *p, struct span name, struct span *ret)
{
	struct span base = p->ca->cert.repository;
	bool slash = base.n > 0 && base.p[base.n - 1] == '/';
	const char *uri = arena_printf(p->arena, "%.*s%s%.*s", (int)base.n, (const char *)base.p, slash ? "" : "/", (int)name.n, (const char *)name.p);

	if (uri == NULL)
		return FAIL(ERR_NOMEM);
	*ret = span_text(uri);
	return DONE;
}

/* What find() gave. Where it gave nothing though there is something (too large, or its octets are not what they were), that is what counts. */
static RESULT seen(struct point *p, struct span base, struct span uri, struct result r, uint8_t hash[OBJECT_HASH])
{
	uint8_t name[OBJECT_HASH];
	struct result there;

	if (!p->remembers)
		return DONE;
	if (OK(r))
		return remember_seen(p, uri, hash);
	sha256_of(uri, name);
	there = p->reader->ops->hash_at(p->reader, p->ca->cert.notify, base, name, hash);
	if (there.e == ERR_NOTFOUND)
		return remember_seen(p, uri, NULL);
	TRY(there);
	p->unsure = p->unsure || r.e == ERR_NOTFOUND;
	return remember_seen(p, uri, hash);
}

/* *ret_why NULL: it is there, and is what the manifest says. */
static RESULT get_file(struct point *p, const struct manifest_file *f, struct point_file *ret, const char **ret_why)
{
	uint8_t hash[OBJECT_HASH];
	struct result r;

	*ret_why = NULL;
	TRY(uri_of(p, f->name, &ret->uri));
	ret->hash = f->hash;
	ret->known = NULL;
	if (p->by_hash) {
		memcpy(hash, f->hash, sizeof hash);
		r = p->reader->ops->by_hash(p->reader, hash, p->options->limits.object, &ret->octets);
	} else
		r = p->reader->ops->find(p->reader, p->ca->cert.notify, ret->uri, p->options->limits.object, p->arena, &ret->octets, hash);
	if (!p->by_hash)
		TRY(seen(p, p->ca->cert.repository, ret->uri, r, hash));
	else if (!OK(r))
		p->unsure = true;
	if (r.e == ERR_NOTFOUND)
		*ret_why = "RFC 9286 section 6.4: missing, though on the manifest";
	else if (r.e == ERR_LIMIT) {
		*ret_why = "larger than allowed";
		p->limits++;
	} else if (!OK(r))
		return r;
	else if (memcmp(hash, f->hash, sizeof hash) != 0)
		*ret_why = "RFC 9286 section 6.5: another hash than on the manifest";
	return DONE;
}

static struct span last_part(struct span uri)
{
	size_t n = uri.n;

	while (n > 0 && uri.p[n - 1] != '/')
		n--;
	return span_of(uri.p + n, uri.n - n);
}

static RESULT fail(struct point *p, struct span uri, const char *why)
{
	p->failed = true;
	return point_refuse_text(p, uri, why);
}

static RESULT fail_by(struct point *p, struct span uri, const struct report *rep)
{
	p->failed = true;
	return point_refuse(p, uri, rep);
}

/* The CRL that the manifest's certificate names: it must be on the manifest, and good (RFC 9286 section 6.2). */
static RESULT read_crl(struct point *p, const struct cms *cms, const struct manifest *m, const struct public_key *key, struct crl *ret)
{
	struct span name = last_part(cms->ee.crl_uri);
	const char *why;
	struct report rep;
	struct point_file f;
	bool good;

	report_init(&rep);
	for (size_t i = 0; i < m->count; i++) {
		if (!span_equal(m->files[i].name, name))
			continue;
		TRY(get_file(p, &m->files[i], &f, &why));
		if (why != NULL)
			return fail(p, f.uri, why);
		TRY(point_verdict(crl_read(f.octets, p->arena, &rep, ret), &good));
		if (good) {
			remember_validity(p, ret->this_update, ret->next_update);
			wants(p, WANTING_FRESH_CRL, p->options->now > ret->next_update);
		}
		if (good)
			TRY(point_verdict(crl_check(ret, &p->ca->cert, key, p->options->now, &rep), &good));
		p->valid[COUNTED_CRL] += good;
		p->invalid[COUNTED_CRL] += !good;
		return good ? DONE : fail_by(p, f.uri, &rep);
	}
	return fail(p, p->ca->cert.manifest, "RFC 9286 section 6.2: the manifest does not list the CRL of its own certificate");
}

/*
 * --- the last good state (RFC 9286 section 6.6). One with an object that was refused is followed by higher numbers as any other is, but it is none to go back to: what was made of it was
 * not what its CA meant (docs/decisions/0013).
 */

struct good {
	struct span note;
	const uint8_t *manifest BORROWED_FIELD; /* hash; NULL: none is known */
	int64_t this_update;
	bool whole;
	struct span number;
};

/* By the manifest's URI and the CA's key: another key has another series of numbers (RFC 9981). */
static RESULT good_key(struct point *p)
{
	struct span uri = p->ca->cert.manifest, ski = p->ca->cert.ski;
	uint8_t *key = arena_alloc(p->arena, 1 + OBJECT_HASH);

	if (key == NULL)
		return FAIL(ERR_NOMEM);
	key[0] = GOOD_LETTER;
	sha256_of_three(uri, span_of("", 1), ski, key + 1);
	p->good_key = span_of(key, 1 + OBJECT_HASH);
	return DONE;
}

static RESULT recall(struct point *p, struct good *ret)
{
	struct span value;
	struct result r = p->reader->ops->recall(p->reader, p->good_key, &value);

	*ret = (struct good){ .note = { (const uint8_t *)"", 0 } };
	if (r.e == ERR_NOTFOUND || (OK(r) && value.n < GOOD_HEAD))
		return DONE;
	TRY(r);
	ret->note = value;
	ret->manifest = value.p;
	ret->this_update = (int64_t)((uint64_t)load32(value.p + OBJECT_HASH + 8) << 32 | load32(value.p + OBJECT_HASH + 12));
	ret->whole = value.p[GOOD_HEAD - 1] == 1;
	ret->number = span_of(value.p + GOOD_HEAD, value.n - GOOD_HEAD);
	return DONE;
}

static bool nothing_refused(const struct point *p)
{
	uint64_t n = 0;

	for (size_t i = 0; i < COUNTED; i++)
		n += p->invalid[i];
	return n == 0;
}

static RESULT keep_good(struct point *p, const struct manifest *m, const uint8_t manifest_hash[OBJECT_HASH])
{
	size_t n = GOOD_HEAD + m->number.n;
	uint8_t *value = arena_alloc(p->arena, n), *hashes = arena_alloc_array(p->arena, m->count + 1, OBJECT_HASH);

	if (value == NULL || hashes == NULL)
		return FAIL(ERR_NOMEM);
	memcpy(value, manifest_hash, OBJECT_HASH);
	store32(value + OBJECT_HASH, (uint32_t)((uint64_t)m->next_update >> 32));
	store32(value + OBJECT_HASH + 4, (uint32_t)m->next_update);
	store32(value + OBJECT_HASH + 8, (uint32_t)((uint64_t)m->this_update >> 32));
	store32(value + OBJECT_HASH + 12, (uint32_t)m->this_update);
	value[GOOD_HEAD - 1] = nothing_refused(p);
	if (m->number.n > 0)
		memcpy(value + GOOD_HEAD, m->number.p, m->number.n);
	memcpy(hashes, manifest_hash, OBJECT_HASH);
	for (size_t i = 0; i < m->count; i++)
		memcpy(hashes + (i + 1) * OBJECT_HASH, m->files[i].hash, OBJECT_HASH);
	p->good_value = span_of(value, n);
	p->good_hashes = hashes;
	p->good_count = m->count + 1;
	return DONE;
}

/* NULL: it follows the last good one, or is the same. */
static const char *not_after(const struct good *last, const struct manifest *m, const uint8_t hash[OBJECT_HASH])
{
	if (last->manifest == NULL || memcmp(last->manifest, hash, OBJECT_HASH) == 0)
		return NULL;
	if (manifest_number_compare(m->number, last->number) <= 0)
		return "RFC 9286 section 4.2.1: the manifest's number is not higher than that of the last good one";
	return m->this_update < last->this_update ? "RFC 9286 section 4.2.1: the manifest is older than the last good one" : NULL;
}

/* --- the manifest */

static RESULT find_manifest(struct point *p, const struct good *last, struct span *ret, uint8_t ret_hash[OBJECT_HASH])
{
	if (!p->by_hash)
		return p->reader->ops->find(p->reader, p->ca->cert.notify, p->ca->cert.manifest, p->options->limits.object, p->arena, ret, ret_hash);
	memcpy(ret_hash, last->manifest, OBJECT_HASH);
	return p->reader->ops->by_hash(p->reader, last->manifest, p->options->limits.object, ret);
}

static RESULT read_manifest(struct point *p, const struct good *last, struct issuer *by, struct manifest *ret, uint8_t hash[OBJECT_HASH])
{
	struct span uri = p->ca->cert.manifest, octets;
	struct crl *crl = arena_alloc(p->arena, sizeof *crl);
	struct resources effective;
	const char *why = NULL;
	struct report rep;
	struct result r;
	struct cms cms;
	bool good;

	if (crl == NULL)
		return FAIL(ERR_NOMEM);
	report_init(&rep);
	r = find_manifest(p, last, &octets, hash);
	if (!p->by_hash)
		TRY(seen(p, uri, uri, r, hash));
	else if (!OK(r))
		p->unsure = true;
	wants(p, WANTING_MANIFEST, r.e == ERR_NOTFOUND);
	if (r.e == ERR_NOTFOUND)
		return fail(p, uri, "RFC 9286 section 6.2: no manifest");
	if (r.e == ERR_LIMIT) {
		p->limits++;
		return fail(p, uri, "larger than allowed");
	}
	TRY(r);
	TRY(point_verdict(cms_read(octets, OBJECT_MANIFEST, p->arena, &rep, &cms), &good));
	if (good)
		remember_validity(p, cms.ee.not_before, cms.ee.not_after);
	if (good)
		TRY(point_verdict(manifest_read(&cms, p->arena, &rep, ret), &good));
	if (good) {
		remember_validity(p, ret->this_update, ret->next_update);
		wants(p, WANTING_FRESH_MANIFEST, p->options->now > ret->next_update);
		TRY(read_crl(p, &cms, ret, by->key, crl));
		if (p->failed)
			return DONE;
		by->crl = crl;
		TRY(point_verdict(cms_check(&cms, by, p->options->now, p->arena, &rep, &effective), &good));
	}
	if (good)
		TRY(point_verdict(manifest_check(ret, &cms.ee, p->options->now, &rep), &good));
	if (good)
		p->own_stale = ret->next_update < crl->next_update ? ret->next_update : crl->next_update;
	p->stale = p->own_stale < p->ca->stale ? p->own_stale : p->ca->stale;
	if (good)
		why = not_after(last, ret, hash);
	p->valid[COUNTED_MANIFEST] += good && why == NULL;
	p->invalid[COUNTED_MANIFEST] += !good || why != NULL;
	if (why != NULL)
		return fail(p, uri, why);
	return good ? DONE : fail_by(p, uri, &rep);
}

/* A file that is remembered as valid, and would be again: it is there, its certificate has neither ended nor been revoked. *ret->known NULL: it is not. */
static RESULT get_known(struct point *p, const struct manifest_file *f, const struct crl *crl, struct point_file *ret)
{
	uint8_t hash[OBJECT_HASH], name[OBJECT_HASH];
	const struct known *k;
	struct result r;

	ret->known = NULL;
	if (p->by_hash || p->known_count == 0)
		return DONE;
	TRY(uri_of(p, f->name, &ret->uri));
	k = remember_find(p, f->hash, ret->uri);
	if (k == NULL || p->options->now < k->not_before || p->options->now > k->not_after || crl_has(crl, k->serial))
		return DONE;
	sha256_of(ret->uri, name);
	r = p->reader->ops->hash_at(p->reader, p->ca->cert.notify, p->ca->cert.repository, name, hash);
	if (r.e == ERR_NOTFOUND || (OK(r) && memcmp(hash, f->hash, sizeof hash) != 0))
		return DONE;
	TRY(r);
	ret->known = k;
	ret->hash = f->hash;
	ret->octets = span_of("", 0);
	return remember_seen(p, ret->uri, f->hash);
}

/* All files are there, and are what the manifest says, or none counts (RFC 9286 sections 6.4 to 6.6). */
static RESULT get_files(struct point *p, const struct manifest *m, const struct crl *crl, struct point_file **ret)
{
	struct point_file *files = arena_alloc_array(p->arena, m->count + 1, sizeof *files);
	const char *why;

	if (files == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < m->count; i++) {
		TRY(get_known(p, &m->files[i], crl, &files[i]));
		if (files[i].known != NULL)
			continue;
		TRY(get_file(p, &m->files[i], &files[i], &why));
		if (why != NULL)
			return fail(p, files[i].uri, why);
	}
	*ret = files;
	return DONE;
}

static void forget(struct point *p)
{
	p->items = NULL;
	p->products = NULL;
	p->payloads = 0;
	while (p->children != NULL) {
		AUTO(ca_free) struct ca *c = MOVE(p->children);

		p->children = MOVE(c->next);
	}
	p->child_count = 0;
}

static RESULT over(struct point *p, const char *why)
{
	p->limits++;
	forget(p);
	return fail(p, p->ca->cert.manifest, why);
}

/* One that is valid as it was. */
static RESULT take_known(struct point *p, const struct known *k, bool *ret_done)
{
	AUTO(ca_free) struct ca *c = NULL;
	const char *why = NULL;
	struct result r = remember_reuse(p, k, &c);

	*ret_done = OK(r);
	if (r.e == ERR_FORMAT)
		return DONE;
	TRY(r);
	remember_validity(p, k->not_before, k->not_after);
	if (c != NULL)
		TRY(child_add(p, MOVE(c), &why));
	p->valid[k->kind] += why == NULL;
	p->invalid[k->kind] += why != NULL;
	return why != NULL ? point_refuse_text(p, k->uri, why) : DONE;
}

static RESULT take_file(struct point *p, const struct manifest_file *m, struct point_file *f, const struct issuer *by)
{
	const char *why = NULL;
	bool done = false;

	if (f->known != NULL)
		TRY(take_known(p, f->known, &done));
	if (done)
		return DONE;
	if (f->known != NULL)
		TRY(get_file(p, m, f, &why));
	return why != NULL ? fail(p, f->uri, why) : point_take(p, m, f, by);
}

static RESULT attempt(struct point *p, const struct good *last, const struct public_key *key)
{
	const struct validate_limits *l = &p->options->limits;
	struct issuer by = { &p->ca->cert, key, &p->ca->effective, NULL };
	struct manifest m = { 0 };
	struct point_file *files = NULL;
	uint8_t hash[OBJECT_HASH];

	TRY(read_manifest(p, last, &by, &m, hash));
	if (p->failed)
		return DONE;
	if (m.count > l->files)
		return over(p, "more files on one manifest than allowed");
	TRY(get_files(p, &m, by.crl, &files));
	if (p->failed)
		return DONE;
	for (size_t i = 0; files != NULL && i < m.count; i++) {
		TRY(take_file(p, &m.files[i], &files[i], &by));
		if (p->child_count > l->children)
			return over(p, "more CA certificates of one CA than allowed");
		if (p->payloads > l->payloads)
			return over(p, "more payloads of one CA than allowed");
	}
	if (p->options->keeper != NULL && (last->manifest == NULL || memcmp(last->manifest, hash, OBJECT_HASH) != 0))
		return keep_good(p, &m, hash);
	return DONE;
}

/* What is published, and when that is not good, what last was. */
static RESULT look(struct point *p, const struct good *last)
{
	AUTO(public_key_free) struct public_key *key = NULL;
	bool good;

	TRY(point_verdict(public_key_make(&p->ca->cert.key, &key), &good));
	if (!good)
		return fail(p, p->ca->uri, "RFC 7935 section 3: libcrypto does not take its key");
	TRY(attempt(p, last, key));
	if (!p->failed || last->manifest == NULL || !last->whole)
		return DONE;
	p->failed = false;
	p->by_hash = true;
	TRY(attempt(p, last, key));
	p->kept = !p->failed;
	return DONE;
}

static void forget_all(struct point *p)
{
	forget(p);
	p->refusals = NULL;
	memset(p->valid, 0, sizeof p->valid);
	memset(p->invalid, 0, sizeof p->invalid);
	memset(p->wanting, 0, sizeof p->wanting);
	p->limits = 0;
	p->failed = p->kept = false;
}

/* The issuer is remembered, but the certificate is lost: its note is of no use, and the next run looks again. */
static RESULT lost(struct point *p)
{
	uint8_t *key = arena_alloc(p->arena, REMEMBER_KEY);

	if (key == NULL)
		return FAIL(ERR_NOMEM);
	key[0] = REMEMBER_LETTER;
	memcpy(key + 1, p->ca->by, OBJECT_HASH);
	p->note_key = span_of(key, REMEMBER_KEY);
	p->note_gone = true;
	return fail(p, p->ca->uri, "its certificate has been lost from the store");
}

static RESULT look_and_remember(struct point *p, const struct good *last)
{
	bool there = true;

	if (p->ca->brief)
		TRY(complete(p, &there));
	if (!there)
		return lost(p);
	TRY(look(p, last));
	return p->remembers && !p->unsure ? remember_make(p, p->good_value.n > 0 ? p->good_value : last->note) : DONE;
}

/* Its resources are asked for (validate.h: unsafe), and not remembered where they are those of its certificate. One that is lost tells of none. */
static bool need_resources(const struct point *p)
{
	return p->failed && p->ca->brief && p->ca->as_claimed && p->options->sink->ops->unsafe != NULL;
}

RESULT point_validate(struct point *p)
{
	struct good last;
	bool there;

	p->remembers = p->options->keeper != NULL && p->reader->ops->hash_at != NULL;
	p->from = INT64_MIN;
	p->until = p->own_stale = INT64_MAX;
	TRY(good_key(p));
	TRY(recall(p, &last));
	if (p->remembers)
		TRY(remember_recall(p, last.note, &p->remembered));
	if (p->remembered)
		return need_resources(p) ? complete(p, &there) : DONE;
	forget_all(p);
	return look_and_remember(p, &last);
}

RESULT point_keep(const struct point *p)
{
	struct objects_keeper *k = p->options->keeper;

	if (k == NULL)
		return DONE;
	if (!p->failed && p->good_value.n > 0)
		TRY(k->keep(k, p->good_key, p->good_value, p->good_hashes, p->good_count));
	if (p->note_gone || p->note_value.n > 0)
		TRY(k->keep(k, p->note_key, p->note_value, NULL, 0));
	if (k->used == NULL)
		return DONE;
	TRY(k->used(k, p->good_key));
	return p->remembered || p->note_value.n > 0 ? k->used(k, p->note_key) : DONE;
}
