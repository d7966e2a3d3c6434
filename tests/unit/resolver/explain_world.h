/*
 * explain_world.h: caches with a small signed world in them, ".", "com." and "example.com.", as resolutions would have left it, each zone with one key. What is wrong with it is said
 * before it is filled.
 */
#ifndef TESTS_UNIT_RESOLVER_EXPLAIN_WORLD_H
#define TESTS_UNIT_RESOLVER_EXPLAIN_WORLD_H

#include "cache_unit.h"

#include "base/strbuf.h"
#include "conf/conf.h"
#include "dns/rdata.h"
#include "resolver/cache/keycache.h"
#include "resolver/core/explain.h"
#include "resolver/core/explain_keep.h"
#include "tests/unit/validator/signer.h"
#include "validator/hash.h"

#define WORLD_NOW 1000u

enum world_zone { Z_ROOT, Z_COM, Z_EXAMPLE, ZONES };

struct explain_world {
	/* What is to be wrong. */
	bool no_dnskey[ZONES];     /* not in the cache */
	bool dnskey_failed;        /* example.com.: the question failed */
	bool dnskey_none;          /* example.com. has no DNSKEY RRset */
	bool ds_other;             /* the DS of example.com. is that of another key */
	bool ds_digest;            /* its digest is spoilt */
	bool ds_unknown;           /* its digest is of an unknown type */
	bool no_ds, no_ds_unproven; /* none, with or without the NSEC that proves it */
	bool ds_missing;           /* nothing is known of it */
	bool keys_by_other;        /* the DNSKEY RRset of example.com. is signed by a key that no DS names */
	int data_from, data_to;    /* life of the signature of www.example.com., from now; 0, 0: an hour before and after */
	int all_from, all_to;      /* likewise of all others */
	bool data_unsigned, data_spoilt, data_by_other, data_missing;
	bool wild, wild_unproven;  /* www.example.com. is expanded from a wildcard */
	bool denial_unsigned, denial_gap; /* of nope.example.com.: NSEC without signature, or without the one that covers the wildcard */
	bool hostile;              /* names and data with what terminals would obey */
	const char *conf;          /* more lines of cairn.conf */
	const struct route_view *routes; /* NULL: nothing is known of them */

	struct turn t;
	struct rrcache *cache, *kept;
	struct infra *infra;
	struct keycache *keys;
	struct conf *c;
	struct core_settings *settings;
	struct validation *validation;
	struct signer *signer[ZONES], *other;
	struct now now;
};

static const char *const world_names[ZONES] = { ".", "com.", "example.com." };

static inline struct span world_rdata(struct explain_world *w, uint16_t type, const char *text)
{
	static uint8_t room[65536];
	struct writer out = writer_of(room, sizeof room);
	const char *msg = "";

	if (!OK(rdata_parse(type, text, NULL, &out, &msg)))
		fail_msg("%s: expected %s", text, msg);
	return span_of(arena_dup(w->t.a, room, out.pos), out.pos);
}

static inline const struct rrset *world_set(struct explain_world *w, const char *owner, uint16_t type, const char *text)
{
	struct span rdata = world_rdata(w, type, text);
	struct rrset *rs = rrset_make_in(w->t.a, nm(&w->t, owner), type, CLASS_IN, 600, &rdata, 1, 0);

	assert_non_null(rs);
	rs->rank = RANK_ANSWER_AUTH;
	return rs;
}

static inline const struct rrset *world_signed_for(struct explain_world *w, const struct rrset *rs, const struct signer *s, const char *zone, int from, int to)
{
	struct signer_how how = { .zone = nm(&w->t, zone), .ttl = 600, .labels = -1 };
	struct rrset *made;

	how.inception = (uint32_t)(w->now.wall_sec + (from == 0 && to == 0 ? -3600 : from));
	how.expiration = (uint32_t)(w->now.wall_sec + (from == 0 && to == 0 ? 3600 : to));
	made = signer_signed_in(w->t.a, s, &how, rs);
	made->rank = rs->rank;
	return made;
}

static inline const struct rrset *world_signed(struct explain_world *w, const struct rrset *rs, enum world_zone z)
{
	return world_signed_for(w, rs, w->signer[z], world_names[z], w->all_from, w->all_to);
}

static inline void world_put(struct explain_world *w, enum bundle_kind kind, const char *name, uint16_t type, const struct rrset *const *sets, size_t n)
{
	struct bundle_key k = { nm(&w->t, name), type, CLASS_IN, (uint8_t)kind };

	assert_true(OK(rrcache_put(w->cache, w->t.m, &k, sets, n, 600, &w->now)));
}

static inline void world_put_data(struct explain_world *w, const struct rrset *rs)
{
	struct bundle_key k = { rrset_name(rs), rs->type, CLASS_IN, BUNDLE_DATA };

	assert_true(OK(rrcache_put(w->cache, w->t.m, &k, &rs, 1, 600, &w->now)));
}

static inline const struct rrset *world_ds(struct explain_world *w, enum world_zone z)
{
	const struct signer *s = z == Z_EXAMPLE && w->ds_other ? w->other : w->signer[z];
	struct name zone = nm(&w->t, world_names[z]);
	struct span pieces[2] = { { zone.wire, zone.len }, signer_dnskey(s) };
	uint8_t *rdata = arena_alloc(w->t.a, 36);
	uint8_t digest[HASH_MAX_OCTETS];
	struct span one = { rdata, 36 };
	struct rrset *rs;

	(void)hash_pieces(HASH_SHA256, pieces, 2, digest);
	store16(rdata, signer_tag(s));
	rdata[2] = 13;
	rdata[3] = z == Z_EXAMPLE && w->ds_unknown ? 77 : 2;
	memcpy(rdata + 4, digest, 32);
	if (z == Z_EXAMPLE && w->ds_digest)
		rdata[10] ^= 1;
	rs = rrset_make_in(w->t.a, zone, RR_DS, CLASS_IN, 600, &one, 1, 0);
	assert_non_null(rs);
	rs->rank = RANK_AUTHORITY;
	return world_signed(w, rs, (enum world_zone)(z - 1));
}

static inline void world_put_cut(struct explain_world *w, enum world_zone z)
{
	char ns[64], address[32];
	const struct rrset *sets[4];
	size_t n = 0;

	(void)snprintf(ns, sizeof ns, "ns.%s", z == Z_ROOT ? "" : world_names[z]);
	(void)snprintf(address, sizeof address, "192.0.2.%d", 1 + (int)z);
	sets[n++] = world_set(w, world_names[z], RR_NS, ns);
	sets[n++] = world_set(w, ns, RR_A, address);
	if (z == Z_EXAMPLE && w->no_ds)
		sets[n++] = world_signed(w, world_set(w, "example.com.", RR_NSEC, "zzz.com. NS RRSIG NSEC"), Z_COM);
	else if (z != Z_ROOT && !(z == Z_EXAMPLE && (w->ds_missing || w->no_ds_unproven)))
		sets[n++] = world_ds(w, z);
	world_put(w, BUNDLE_DELEGATION, world_names[z], 0, sets, n);
	if (z == Z_EXAMPLE && w->no_ds_unproven)
		world_put(w, BUNDLE_NODATA, "example.com.", RR_DS, NULL, 0);
}

static inline void world_put_keys(struct explain_world *w, enum world_zone z)
{
	struct span keys[2] = { signer_dnskey(w->signer[z]), signer_dnskey(w->other) };
	struct rrset *rs = rrset_make_in(w->t.a, nm(&w->t, world_names[z]), RR_DNSKEY, CLASS_IN, 600, keys, z == Z_EXAMPLE && w->keys_by_other ? 2 : 1, 0);

	assert_non_null(rs);
	rs->rank = RANK_ANSWER_AUTH;
	if (z == Z_EXAMPLE && w->keys_by_other)
		world_put_data(w, world_signed_for(w, rs, w->other, world_names[z], 0, 0));
	else
		world_put_data(w, world_signed(w, rs, z));
}

static inline const struct rrset *world_data(struct explain_world *w)
{
	const struct rrset *rs = world_set(w, w->wild ? "*.example.com." : "www.example.com.", RR_A, "198.51.100.80");
	struct span spoilt[2];

	if (!w->data_unsigned)
		rs = world_signed_for(w, rs, w->data_by_other ? w->other : w->signer[Z_EXAMPLE], "example.com.", w->data_from, w->data_to);
	if (w->data_spoilt) {
		spoilt[0] = world_rdata(w, RR_A, "203.0.113.66");
		spoilt[1] = rrset_sig(rs, 0);
		rs = rrset_make_in(w->t.a, rrset_name(rs), RR_A, CLASS_IN, 600, spoilt, 1, 1);
	}
	return w->wild ? rrset_renamed_in(w->t.a, rs, nm(&w->t, "www.example.com.")) : rs;
}

static inline void world_put_names(struct explain_world *w)
{
	const struct rrset *low = world_set(w, "example.com.", RR_NSEC, "alias.example.com. A SOA NS RRSIG NSEC DNSKEY"),
			   *high = world_set(w, "alias.example.com.", RR_NSEC, "x.example.com. CNAME RRSIG NSEC"), *sets[4];
	size_t n = 0;

	if (!w->data_missing) {
		sets[n++] = world_data(w);
		if (w->wild && !w->wild_unproven)
			sets[n++] = world_signed(w, high, Z_EXAMPLE);
		world_put(w, BUNDLE_DATA, "www.example.com.", RR_A, sets, n);
	}
	world_put_data(w, world_signed(w, world_set(w, "alias.example.com.", RR_CNAME, "www.example.com."), Z_EXAMPLE));
	n = 0;
	sets[n++] = world_signed(w, world_set(w, "example.com.", RR_SOA, "ns.example.com. m.example.com. 1 2 3 4 5"), Z_EXAMPLE);
	sets[n++] = w->denial_unsigned ? high : world_signed(w, high, Z_EXAMPLE);
	if (!w->denial_gap)
		sets[n++] = world_signed(w, low, Z_EXAMPLE);
	world_put(w, BUNDLE_NXDOMAIN, "nope.example.com.", 0, sets, n);
	if (w->hostile)
		world_put_data(w, world_signed(w, world_set(w, "\\027[31m.example.com.", RR_TXT, "\"\\027[2J\\000\\\"\\010\\255\" \"<script>\""), Z_EXAMPLE));
}

static inline void world_configure(struct explain_world *w)
{
	AUTO(strbuf_free) struct strbuf *conf = strbuf_new(65536), *report = strbuf_new(65536);

	strbuf_puts(conf, "server:\n\troot-hints: \"\"\n\ttrust-anchor: \". DNSKEY ");
	rdata_print(RR_DNSKEY, signer_dnskey(w->signer[Z_ROOT]), conf);
	strbuf_printf(conf, "\"\n%s", w->conf != NULL ? w->conf : "");
	if (!OK(conf_load_text(strbuf_text(conf), "test", report, &w->c)) || !OK(core_settings_make(w->c, report, &w->settings)) ||
	    !OK(validation_make(w->c, report, &w->validation)))
		fail_msg("%s", strbuf_text(report));
}

static inline void world_fill(struct explain_world *w)
{
	static const struct rrcache_limits cache = { .octets = 1 << 20, .max_ttl = 86400, .max_negative_ttl = 3600, .max_bundle_octets = 65536 };
	static const struct infra_limits infra = { .host_ttl_sec = 900, .max_entries = 1000, .min_rtt_ms = 50, .max_rtt_ms = 10000, .lame_ttl_sec = 900 };

	w->t = turn_begin();
	w->now = at_sec(WORLD_NOW);
	w->cache = rrcache_new(&cache, &test_key);
	w->infra = infra_new(&infra, &test_key);
	w->keys = keycache_new(1 << 20, &test_key);
	for (int z = 0; z < ZONES; z++)
		w->signer[z] = signer_new(13, 257, 1 + (unsigned int)z);
	w->other = signer_new(13, 257, 9);
	world_configure(w);
	for (int z = 0; z < ZONES; z++) {
		world_put_cut(w, (enum world_zone)z);
		if (!w->no_dnskey[z] && !(z == Z_EXAMPLE && w->dnskey_none))
			world_put_keys(w, (enum world_zone)z);
	}
	if (w->dnskey_none)
		world_put(w, BUNDLE_NODATA, "example.com.", RR_DNSKEY, NULL, 0);
	if (w->dnskey_failed) {
		struct bundle_key k = { nm(&w->t, "example.com."), RR_DNSKEY, CLASS_IN, BUNDLE_FAILURE };

		assert_true(OK(rrcache_put_failure(w->cache, w->t.m, &k, RCODE_SERVFAIL, EDE_NO_REACHABLE, "192.0.2.3@53 timed out", 5, 300, &w->now)));
	}
	world_put_names(w);
}

static inline void world_done(struct explain_world *w)
{
	validation_unref(w->validation);
	core_settings_free(w->settings);
	conf_free(w->c);
	keycache_free(w->keys);
	infra_free(w->infra);
	rrcache_free(w->cache);
	for (int z = 0; z < ZONES; z++)
		signer_free(w->signer[z]);
	signer_free(w->other);
	turn_end(&w->t);
}

static inline struct explain_env world_env(struct explain_world *w)
{
	return (struct explain_env){ .rrcache = w->cache, .kept = w->kept, .infra = w->infra, .keycache = w->keys, .settings = w->settings, .validation = w->validation, .routes = w->routes,
		.now = &w->now };
}

/* `x` explains the question. */
#define WORLD_EXPLAIN(w, owner, type) \
	struct explain_env env_ = world_env(w); \
	struct question q_ = { nm(&(w)->t, owner), type, CLASS_IN }; \
	AUTO(explanation_free) struct explanation *x = explain_make(&env_, &q_)

#endif
