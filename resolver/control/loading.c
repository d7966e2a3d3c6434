#include "resolver/control/loading.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "dns/zonefile.h"
#include "resolver/cache/rrcache.h"

#define SETS_MAX 64  /* RRsets of a bundle */
#define RRS_MAX 4096 /* RRs of an RRset, signatures among them */

static const char *const kind_text[BUNDLE_KINDS] = { "data", "delegation", "nodata", "nxdomain", "failure" };

struct loading {
	struct rrcache *cache PARENT_FIELD;
	struct epoch_member *member PARENT_FIELD;
	struct arena *arena OWNED_FIELD; /* of the bundle being read */
	bool open;                       /* a bundle is being read and is good so far */
	struct name_buf name;
	struct bundle_key key;
	uint32_t ttl;
	const struct rrset *sets[SETS_MAX] ARENA_FIELD;
	size_t set_count;
	bool set_open;
	uint16_t type;                   /* of the set */
	uint8_t rank;
	struct name owner;
	uint32_t set_ttl;
	struct span rdata[RRS_MAX], sigs[RRS_MAX];
	size_t rr_count, sig_count;
	uint64_t loaded;
};

void loading_print(const struct bundle *b, const struct now *now, struct strbuf *out)
{
	const struct bundle_info *i = bundle_info(b);
	struct bundle_key k = bundle_key(b);
	uint32_t left = (int32_t)(i->expires_sec - now_sec(now)) > 0 ? i->expires_sec - now_sec(now) : 0;
	char name[NAME_TEXT], type[RRTYPE_TEXT], rclass[RRTYPE_TEXT];

	if (k.kind == BUNDLE_FAILURE || left == 0)
		return;
	strbuf_printf(out, ";bundle %s %s %s %u %s\n", kind_text[k.kind], rrtype_text(k.type, type), rrclass_text(k.rclass, rclass), left,
	    name_to_text(k.name, name));
	for (size_t s = 0; s < bundle_count(b); s++) {
		strbuf_printf(out, ";rrset %s %u\n", rrtype_text(bundle_set(b, s)->type, type), bundle_set(b, s)->rank);
		rrset_print(bundle_set(b, s), left, out);
	}
}

void loading_free(struct loading *l)
{
	if (l == NULL)
		return;
	arena_free(MOVE(l->arena));
	mem_free(l);
}

struct loading *loading_new(struct rrcache *c, struct epoch_member *m)
{
	AUTO(loading_free) struct loading *l = (struct loading *)mem_alloc(sizeof *l);

	if (l == NULL || (l->arena = arena_new(1u << 22)) == NULL)
		return NULL;
	l->cache = c;
	l->member = m;
	return MOVE(l);
}

/* The RRs read so far become a set of the bundle. */
static RESULT end_set(struct loading *l)
{
	struct rrset *rs;

	if (!l->set_open)
		return DONE;
	l->set_open = false;
	if (l->rr_count + l->sig_count == 0 || l->set_count == SETS_MAX)
		return FAIL(ERR_FORMAT);
	if (l->rr_count + l->sig_count > RRS_MAX)
		return FAIL(ERR_LIMIT);
	for (size_t i = 0; i < l->sig_count; i++)
		l->rdata[l->rr_count + i] = l->sigs[i];
	rs = rrset_make_in(l->arena, l->owner, l->type, l->key.rclass, l->set_ttl, l->rdata, l->rr_count, l->sig_count);
	if (rs == NULL)
		return FAIL(ERR_NOMEM);
	rs->rank = l->rank;
	rs->security = SECURITY_UNCHECKED;
	l->sets[l->set_count++] = rs;
	return DONE;
}

static RESULT end_bundle(struct loading *l, const struct now *now)
{
	struct result r = DONE;

	if (l->open) {
		r = end_set(l);
		if (OK(r) && OK(rrcache_put(l->cache, l->member, &l->key, l->sets, l->set_count, l->ttl, now)))
			l->loaded++;
	}
	l->open = l->set_open = false;
	l->set_count = 0;
	arena_reset(l->arena);
	return r;
}

/* Word by word: the next one of line, cut off. */
static bool next_word(struct span *line, char word[NAME_TEXT])
{
	size_t n = 0;

	while (line->n > 0 && line->p[0] == ' ')
		*line = span_of(line->p + 1, line->n - 1);
	while (n < line->n && line->p[n] != ' ')
		n++;
	if (n == 0 || n >= NAME_TEXT || memchr(line->p, 0, n) != NULL)
		return false;
	memcpy(word, line->p, n);
	word[n] = '\0';
	*line = span_of(line->p + n, line->n - n);
	return true;
}

static bool next_number(struct span *line, uint32_t max, uint32_t *ret)
{
	char word[NAME_TEXT], *end;
	unsigned long n;

	if (!next_word(line, word))
		return false;
	n = strtoul(word, &end, 10);
	*ret = (uint32_t)n;
	return *end == '\0' && word[0] != '-' && n <= max;
}

static RESULT begin_bundle(struct loading *l, struct span line)
{
	char word[NAME_TEXT];
	unsigned int kind = 0;

	if (!next_word(&line, word))
		return FAIL(ERR_FORMAT);
	while (kind < BUNDLE_FAILURE && strcmp(word, kind_text[kind]) != 0)
		kind++;
	if (kind == BUNDLE_FAILURE || !next_word(&line, word))
		return FAIL(ERR_FORMAT);
	l->key.kind = (uint8_t)kind;
	TRY(rrtype_parse(word, &l->key.type));
	if (!next_word(&line, word))
		return FAIL(ERR_FORMAT);
	TRY(rrclass_parse(word, &l->key.rclass));
	if (!next_number(&line, INT32_MAX, &l->ttl) || !next_word(&line, word))
		return FAIL(ERR_FORMAT);
	TRY(name_from_text(word, NULL, &l->name));
	l->key.name = name_of(&l->name);
	l->open = true;
	return DONE;
}

static RESULT begin_set(struct loading *l, struct span line)
{
	char word[NAME_TEXT];
	uint32_t rank;

	TRY(end_set(l));
	if (!next_word(&line, word))
		return FAIL(ERR_FORMAT);
	TRY(rrtype_parse(word, &l->type));
	if (!next_number(&line, RANK_ANSWER_AUTH, &rank))
		return FAIL(ERR_FORMAT);
	l->rank = (uint8_t)rank;
	l->rr_count = l->sig_count = 0;
	l->set_ttl = l->ttl;
	l->set_open = true;
	return DONE;
}

static RESULT add_rr(struct loading *l, struct span line)
{
	AUTO_CHARS char *text = mem_strndup((const char *)line.p, line.n);
	uint8_t room[UINT16_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct name_buf owner;
	struct zone_rr rr;
	const char *msg;
	struct span copy;

	if (text == NULL)
		return FAIL(ERR_NOMEM);
	if (!l->set_open)
		return FAIL(ERR_FORMAT);
	TRY(zone_read_rr(text, name_root, l->ttl, &owner, &rr, &w, &msg));
	if (rr.type != l->type && rr.type != RR_RRSIG)
		return FAIL(ERR_FORMAT);
	if (l->rr_count + l->sig_count == 0)
		l->owner = name_dup_in(l->arena, name_of(&owner));
	copy = span_of(arena_dup(l->arena, rr.rdata.p, rr.rdata.n), rr.rdata.n);
	if (l->owner.wire == NULL || copy.p == NULL)
		return FAIL(ERR_NOMEM);
	if (!name_equal(l->owner, name_of(&owner)))
		return FAIL(ERR_FORMAT);
	if (rr.type == l->type && l->rr_count < RRS_MAX)
		l->rdata[l->rr_count++] = copy;
	else if (rr.type != l->type && l->sig_count < RRS_MAX)
		l->sigs[l->sig_count++] = copy;
	else
		return FAIL(ERR_LIMIT);
	return DONE;
}

static bool starts(struct span line, const char *with, struct span *ret_rest)
{
	size_t n = strlen(with);

	if (line.n < n || memcmp(line.p, with, n) != 0)
		return false;
	*ret_rest = span_of(line.p + n, line.n - n);
	return true;
}

static RESULT read_line(struct loading *l, struct span line, const struct now *now)
{
	struct span rest;

	if (starts(line, ";bundle ", &rest)) {
		struct result r = end_bundle(l, now);

		TRY(begin_bundle(l, rest));
		return r;
	}
	if (line.n == 0 || starts(line, "START_", &rest) || starts(line, "END_", &rest) || starts(line, "EOF", &rest))
		return DONE;
	if (!l->open)
		return DONE; /* of a bundle that was found wrong */
	if (starts(line, ";rrset ", &rest))
		return begin_set(l, rest);
	return line.p[0] == ';' ? DONE : add_rr(l, line);
}

RESULT loading_line(struct loading *l, struct span line, const struct now *now)
{
	struct result r = read_line(l, line, now);

	if (!OK(r))
		l->open = false;
	return r;
}

uint64_t loading_end(struct loading *l, const struct now *now)
{
	(void)!OK(end_bundle(l, now));
	return l->loaded;
}
