/*
 * The judge before a tree of signed and unsigned zones whose replies are spoilt on their way, as the input says: sets dropped, bent, stripped, signed by a key of somebody
 * else, taken from another place. Whatever comes: nothing is secure that is not in the zones as it is told, and nothing signed passes for insecure. Where nothing was
 * spoilt, nothing is bogus.
 *
 * With an odd configuration (trust anchors elsewhere, negative ones, limits, algorithms that are off, questions that nobody answers, keys that may not be used) only the first holds.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/validator/tree_test.h"

#define QUESTIONS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct reader ops; /* of this run */
static unsigned int spoilt;
static bool odd; /* an odd configuration */
static bool changed; /* data of this reply is no longer that of the zones: they do not sign it */
static uint8_t muted;
static const struct rrset *kept[64] BORROWED_FIELD; /* denials that were verified */
static size_t kept_count;
static uint8_t before; /* which sets are secure before they are judged */

static const char *const names[] = { "www.example.com.", "example.com.", "a.wild.example.com.", "x.y.wild.example.com.", "a.wildalias.example.com.", "alias.example.com.",
	"nowhere.example.com.", "away.example.com.", "leaf.empty.example.com.", "empty.example.com.", "www.tree.example.com.", "tree.example.com.", "none.example.com.",
	"www.sub.example.com.", "sub.example.com.", "www.plain.example.com.", "plain.example.com.", "www.insecure.com.", "insecure.com.", "www.island.insecure.com.",
	"www.unknown.com.", "www.digest.com.", "com.", ".", "www.org.", "org.", "a.wild.org.", "none.org.", "www.signed.org.", "signed.org.", "empty.signed.org.",
	"a.b.none.signed.org.", "a.wild.signed.org.", "www.unsigned.org.", "unsigned.org.", "none.", "*.wild.example.com.", "c.wild.example.com." };
static const uint16_t types[] = { RR_A, RR_A, RR_DS, RR_TXT, RR_DNSKEY, RR_SOA, RR_NS, RR_CNAME };

/* --- what spoils */

static const struct rrset *bent(struct tree *t, const struct rrset *set, size_t item, unsigned int bit)
{
	struct span spans[64];
	size_t n = (size_t)set->count + set->sigs;
	uint8_t *p;

	if (n == 0 || n > 64)
		return set;
	for (size_t i = 0; i < n; i++)
		spans[i] = rrset_item_(set, i);
	item %= n;
	if (spans[item].n == 0)
		return set;
	p = arena_dup(t->arena, spans[item].p, spans[item].n);
	p[bit / 8 % spans[item].n] ^= (uint8_t)(1u << bit % 8);
	if (item < set->count && !OK(rdata_check(set->type, (struct span){ p, spans[item].n })))
		return set;
	spans[item].p = p;
	return rrset_make_unique_in(t->arena, rrset_name(set), set->type, set->rclass, set->ttl, spans, set->count, set->sigs);
}

/* By the key of whoever holds island.insecure.com., in the name of the zone or in his own. */
static const struct rrset *signed_by_another(struct tree *t, const struct rrset *set, bool own_name)
{
	const struct tree_zone *evil = tree_find(t, "island.insecure.com."), *home = tree_home(t, rrset_name(set), set->type);
	struct tree_zone as = *evil;

	if (!own_name)
		as.name = home->name;
	return tree_sign(t->arena, tree_unsigned(t->arena, set), &as, TREE_GOOD);
}

/* By the zone's own key, but at another time, or as if from a wildcard, or from too deep; or beside the good signatures. */
static const struct rrset *signed_oddly(struct tree *t, const struct rrset *set, unsigned int which)
{
	static const int64_t begin[] = { -86400, -86400 * 30, 86400 * 7, 86400 * 30, -100, -86400 }, end[] = { 86400 * 7, -86400 * 7, 86400 * 30, -86400, -200, 60 };
	const struct tree_zone *home = tree_home(t, rrset_name(set), set->type);
	struct tree_how how = { TREE_NOW + (uint32_t)begin[which % 6], TREE_NOW + (uint32_t)end[which % 6], -1, (which & 0x40) != 0 };

	if (!home->is_signed || changed)
		return set;
	if ((which & 0x80) != 0)
		how.labels = (int)(which >> 8 & 7);
	return tree_sign(t->arena, (which & 0x2000) != 0 && set->sigs < 12 ? set : tree_unsigned(t->arena, set), home, how);
}

/* A set of the same type from elsewhere under this owner. */
static const struct rrset *from_elsewhere(struct tree *t, const struct rrset *set, unsigned int which)
{
	const struct tree_zone *z = &t->zone[which % t->zones];

	for (size_t i = 0; i < z->n; i++) {
		const struct rrset *other = z->sets[(i + which / 16) % z->n];

		if (other->type == set->type && z->is_signed)
			return rrset_renamed_in(t->arena, tree_sign(t->arena, other, z, TREE_GOOD), rrset_name(set));
	}
	return set;
}

static const struct rrset *spoil_set(struct tree *t, const struct rrset *set, unsigned int op, unsigned int which)
{
	changed = changed || op < 2 || (op >= 4 && op <= 6);
	switch (op) {
	case 0:
		return bent(t, set, which >> 8, which & 0x3ff);
	case 1:
		return bent(t, set, set->count, which);
	case 2:
		return tree_unsigned(t->arena, set);
	case 3:
		return signed_by_another(t, set, (which & 1) != 0);
	case 4:
		return signed_by_another(t, bent(t, set, 0, which), (which & 1) != 0);
	case 5:
		return from_elsewhere(t, set, which);
	case 6:
		return tree_unsigned(t->arena, bent(t, set, 0, which));
	default:
		return signed_oddly(t, set, which);
	}
}

static void more_denials(struct tree *t, struct tree_reply *p, unsigned int which)
{
	const struct rrset *all[128];
	size_t n = tree_denials(t, &t->zone[which % t->zones], all);

	for (size_t i = 0; i < n && p->r.authorities < 100; i++)
		if ((which >> (i % 12) & 16) != 0)
			p->authority[p->r.authorities++] = all[i];
}

/* Of the authority section; a set for a bit. */
static void keep_some(struct tree_reply *p, unsigned int mask)
{
	size_t n = 0;

	for (size_t i = 0; i < p->r.authorities; i++)
		if ((mask >> (i % 13) & 1) != 0)
			p->authority[n++] = p->authority[i];
	p->r.authorities = n;
}

/* No data, says the zone, or one above it, with some of its records. */
static void deny_from(struct tree *t, struct tree_reply *p, unsigned int which)
{
	const struct tree_zone *z = tree_home(t, p->r.final, p->r.type);

	p->r.answers -= p->r.kind == JUDGE_ANSWER;
	p->r.authorities = 0;
	for (unsigned int up = which >> 1 & 3; up > 1 && z->name.labels != 0; up--)
		z = tree_home(t, name_of(&z->name), RR_DS);
	tree_deny(t, p, z, (which & 1) != 0 ? JUDGE_NODATA : JUDGE_NXDOMAIN);
	keep_some(p, which >> 3 | 1);
}

static void spoil_reply(struct tree *t, struct tree_reply *p)
{
	changed = false;
	for (unsigned int n = read8(&ops) >> 6; n > 0 && !reader_end(&ops); n--) {
		unsigned int op = read8(&ops) & 15, which = read16(&ops);
		size_t sets = p->r.answers + p->r.authorities, at = sets != 0 ? which % sets : 0;

		spoilt++;
		if (op < 8 && sets != 0) {
			const struct rrset **set = at < p->r.answers ? &p->answer[at] : &p->authority[at - p->r.answers];

			if ((*set)->type != RR_CNAME && (*set)->type != RR_DNAME) /* else the end of the aliases were another */
				*set = spoil_set(t, *set, op, read16(&ops));
			else
				*set = spoil_set(t, *set, 1 + op % 2, read16(&ops));
		} else if (op < 10) {
			keep_some(p, which);
		} else if (op < 12) {
			more_denials(t, p, which);
		} else if (op == 12 && p->r.kind == JUDGE_NODATA) {
			p->r.kind = JUDGE_NXDOMAIN;
		} else if (op == 12 && p->r.kind == JUDGE_NXDOMAIN) {
			p->r.kind = JUDGE_NODATA;
		} else if (op == 13 && p->r.kind != JUDGE_ALIAS) {
			deny_from(t, p, which);
		} else if (op == 14 && p->r.kind == JUDGE_NXDOMAIN && p->r.answers < 30) { /* data where there is none */
			struct span address = { (const uint8_t *)"\300\0\2\143", 4 };
			struct rrset *made = rrset_make_in(t->arena, p->r.final, RR_A, CLASS_IN, 60, &address, 1, 0);

			changed = true;
			p->answer[p->r.answers++] = p->r.type == RR_A ? signed_by_another(t, made, (which & 1) != 0) : made;
			p->r.kind = JUDGE_ANSWER;
			if (p->r.type != RR_A)
				p->r.type = RR_A;
		}
	}
}

static const struct rrset *spoil_referral(struct tree *t, const struct rrset *set)
{
	unsigned int op = read8(&ops);

	if (op < 0xc0)
		return set;
	spoilt++;
	changed = false;
	return spoil_set(t, set, op & 7, read16(&ops));
}

/* --- what is odd */

static bool mute(struct name name, uint16_t type)
{
	return muted != 0 && (name.len * 7u + type) % muted == 0;
}

static void keep_denied(void *user, struct name zone, const struct rrset *rs)
{
	(void)user, (void)zone;
	if (kept_count < 64)
		kept[kept_count++] = rs;
}

/* That very set with the same signatures. */
static bool was_verified(void *user, struct name zone, const struct rrset *rs, uint32_t *ret_ttl)
{
	(void)user, (void)zone;
	for (size_t i = 0; i < kept_count; i++) {
		if (!name_equal(rrset_name(kept[i]), rrset_name(rs)) || kept[i]->type != rs->type || kept[i]->sigs != rs->sigs || !rrset_same_data(kept[i], rs))
			continue;
		if (rs->sigs > 0 && span_equal(rrset_sig(kept[i], 0), rrset_sig(rs, 0))) {
			*ret_ttl = 60;
			return true;
		}
	}
	return false;
}

/* Some sets of a good reply come as secure already, as from a cache. */
static void secure_before(struct tree *t, struct tree_reply *p, unsigned int mask)
{
	for (size_t i = 0; i < p->r.answers + p->r.authorities; i++) {
		const struct rrset **set = i < p->r.answers ? &p->answer[i] : &p->authority[i - p->r.answers];
		struct rrset *copy;

		if ((mask >> (i & 7) & 1) == 0 || (*set)->sigs == 0)
			continue;
		copy = rrset_copy_in(t->arena, *set);
		copy->security = SECURITY_SECURE;
		*set = copy;
	}
}

/* Flags that a key may have, and the DS that goes with it; the zone's data stays signed by it. */
static void spoil_key(struct tree *t, unsigned int which)
{
	static const uint8_t flags[4][2] = { { 0, 0 }, { 1, 0x80 }, { 1, 0x81 }, { 1, 0 } };
	struct tree_zone *z = &t->zone[which % t->zones];
	uint8_t *rdata;

	if (!z->is_signed)
		return;
	rdata = arena_dup(t->arena, z->dnskey.p, z->dnskey.n);
	memcpy(rdata, flags[which >> 4 & 3], 2);
	if ((which & 0x40) != 0)
		rdata[2] = 2; /* protocol */
	z->dnskey.p = rdata;
	z->tag = dnskey_tag(z->dnskey);
}

static void make_odd(struct tree *t)
{
	static const char *const anchored[8] = { ".", "com.", "example.com.", "island.insecure.com.", "org.", "sub.example.com.", "unknown.com.", "insecure.com." };
	static const char *const off[4] = { "com.", "sub.example.com.", "org.", "plain.example.com." };
	const char *anchors[9], *insecure[5];
	size_t n = 0, k = 0;
	uint8_t a = read8(&ops), b = read8(&ops), p = read8(&ops);

	odd = true;
	for (unsigned int i = 0; i < 3 && (b & 0x80) != 0; i++)
		spoil_key(t, read8(&ops));
	for (unsigned int i = 0; i < 8; i++)
		if ((a >> i & 1) != 0 && tree_find(t, anchored[i])->is_signed)
			anchors[n++] = anchored[i];
	for (unsigned int i = 0; i < 4; i++)
		if ((b >> i & 1) != 0)
			insecure[k++] = off[i];
	anchors[n] = insecure[k] = NULL;
	if ((b & 0x40) != 0)
		for (unsigned int i = 0; i < 2; i++) {
			struct name_buf name = nb(off[read8(&ops) & 3]);

			assert_ok(ntas_set(t->ntas, name_of(&name), 3600, TREE_NOW));
		}
	tree_find(t, "org.")->iterations = tree_find(t, "signed.org.")->iterations = (b & 0x20) != 0 ? 60 : (b & 0x10) != 0 ? 1 : 0;
	tree_configure(t, anchors, insecure);
	t->policy.stripped_is_bogus = (p & 1) == 0;
	t->policy.all_algorithms = (p & 2) != 0;
	t->policy.max_probes = p >> 2 & 3;
	if ((p & 0x10) != 0)
		t->policy.signatures = (struct sig_limits){ 1, 1, 1 };
	if ((p & 0x20) != 0)
		algorithm_switch_off(&t->policy.algorithms, ALG_ED25519);
	if ((p & 0x40) != 0)
		digest_switch_off(&t->policy.algorithms, DIGEST_SHA256);
	if ((p & 0x80) != 0) {
		muted = read8(&ops) & 15;
		t->mute = mute;
		t->mute_ede = (muted & 1) != 0 ? EDE_NO_REACHABLE : (muted & 2) != 0 ? EDE_BOGUS : 0;
	}
	a = read8(&ops);
	t->slice = (a & 1) != 0 ? 8 * WORK_UNIT : (a & 2) != 0 ? 200 * WORK_UNIT : 0;
	t->forget = (a & 4) != 0 && t->slice == 0;
	if ((a & 32) != 0) {
		t->denied = keep_denied;
		t->verified = was_verified;
	}
	before = (a & 64) != 0 ? read8(&ops) : 0;
	if ((a & 8) != 0)
		t->policy.denials.sets = 2;
	if ((a & 16) != 0)
		t->policy.keys.max_keys = 0;
}

/* --- what is so */

static bool zone_is_secure(struct tree *t, const struct tree_zone *z)
{
	while (z != NULL && z->is_signed && !z->no_ds && z->ds_text == NULL) {
		if (z->name.labels == 0)
			return true;
		z = tree_home(t, name_of(&z->name), RR_DS);
	}
	return false;
}

static bool is_so(struct tree *t, const struct rrset *set)
{
	struct name owner = rrset_name(set);
	const struct tree_zone *z = tree_home(t, owner, set->type);
	const struct rrset *truth = tree_exists(t, z, owner) ? tree_set(t, z, owner, set->type) : tree_expand(t, z, owner, set->type);

	if (odd ? !z->is_signed : !zone_is_secure(t, z))
		return false;
	for (unsigned int l = owner.labels; l-- > 0 && set->type == RR_CNAME && truth == NULL;)
		if (tree_set(t, z, name_suffix(owner, l), RR_DNAME) != NULL)
			return true;
	return truth != NULL && rrset_same_data(truth, set);
}

static bool is_absent(struct tree *t, struct name name, uint16_t type, bool whole)
{
	const struct tree_zone *z = tree_home(t, name, type);

	if (odd ? !z->is_signed : !zone_is_secure(t, z))
		return false;
	if (tree_exists(t, z, name))
		return !whole && tree_set(t, z, name, type) == NULL && tree_set(t, z, name, RR_CNAME) == NULL;
	return tree_expand(t, z, name, type) == NULL && tree_expand(t, z, name, RR_CNAME) == NULL && !(whole && tree_has_wildcard(t, z, name));
}

/* It may be insecure: its zone is, or it is where opt-out says nothing. */
static bool may_be_insecure(struct tree *t, struct name name, uint16_t type)
{
	const struct tree_zone *z = tree_home(t, name, type), *child;

	if (!zone_is_secure(t, z))
		return true;
	child = tree_child_at(t, z, name);
	return z->opt_out && (!tree_exists(t, z, name) || (child != NULL && tree_ds(t, child) == NULL));
}

static void die(const struct judge_reply *r, const struct judgement *v, const char *what)
{
	char text[NAME_TEXT];

	fprintf(stderr, "%s type %u, kind %d: %s: security %d, EDE %u: %s\n", name_to_text(r->name, text), r->type, (int)r->kind, what, (int)v->security, v->ede,
	    v->text != NULL ? v->text : "");
	abort();
}

static void check(struct tree *t, const struct judge_reply *r, const struct judgement *v)
{
	bool may = r->kind != JUDGE_ALIAS && may_be_insecure(t, r->final, r->type);
	bool whole = r->kind == JUDGE_NXDOMAIN && v->denial != DENIAL_PROVEN_NODATA && v->denial != DENIAL_WILDCARD_NODATA; /* judge.h: the proof counts */

	for (size_t i = 0; i < r->answers; i++) {
		const struct rrset *rs = v->answer[i].rs;

		if (rs != NULL && rs->security == SECURITY_SECURE && !is_so(t, rs))
			die(r, v, "a set that is not so is secure");
		if (v->security == SECURITY_SECURE && rs != NULL && rs->security != SECURITY_SECURE)
			die(r, v, "what is not secure is in a secure reply");
		may = may || may_be_insecure(t, rrset_name(r->answer[i]), r->answer[i]->type);
	}
	if (v->security == SECURITY_SECURE && r->kind == JUDGE_ANSWER && v->answer[r->answers - 1].rs == NULL)
		die(r, v, "an answer without data");
	if (v->security == SECURITY_SECURE && (r->kind == JUDGE_NXDOMAIN || r->kind == JUDGE_NODATA) && !is_absent(t, r->final, r->type, whole))
		die(r, v, "what is there is denied");
	if (odd)
		return;
	if (v->security == SECURITY_INSECURE && !may)
		die(r, v, "what is signed passes for insecure");
	if (v->security == SECURITY_INDETERMINATE || v->security == SECURITY_UNCHECKED)
		die(r, v, "no verdict");
	if (v->security == SECURITY_BOGUS && spoilt == 0)
		die(r, v, "nothing was spoilt");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree *t;
	unsigned int c;

	mem_fail_hold(true); /* but for the judge */
	t = tree_new();
	ops = reader_of((struct span){ data, size });
	spoilt = 0;
	c = read8(&ops);
	t->referrals = (c & 1) != 0;
	t->slice = (c & 2) != 0 ? 8 * WORK_UNIT : 0;
	tree_put(t, tree_find(t, "example.com."), "b.wild.example.com.", RR_A, "192.0.2.20");
	t->spoil = (c & 4) != 0 ? spoil_reply : NULL; /* on the way to the zone, too */
	t->spoil_referral = (c & 4) != 0 ? spoil_referral : NULL;
	odd = false;
	muted = before = 0;
	kept_count = 0;
	if ((c & 8) != 0)
		make_odd(t);
	for (unsigned int i = 0; i < QUESTIONS && (i == 0 || !reader_end(&ops)); i++) {
		struct name_buf name = nb(names[read8(&ops) % (sizeof names / sizeof *names)]);
		struct tree_reply reply;
		const struct judgement *v;

		tree_serve(t, name_of(&name), types[read8(&ops) % 8], &reply);
		secure_before(t, &reply, before);
		spoil_reply(t, &reply);
		t->depth = 0;
		v = tree_judge(t, &reply.r);
		if (v != NULL)
			check(t, &reply.r, v);
		else if (spoilt == 0 && !odd && !mem_failed())
			abort();
	}
	tree_free(t);
	mem_fail_hold(false);
	return 0;
}
