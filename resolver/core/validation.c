#include "resolver/core/validation.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "resolver/core/anchor_sources.h"

void validation_unref(struct validation *v)
{
	if (v == NULL || atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1)
		return;
	anchors_free(MOVE(v->anchors));
	ntas_free(MOVE(v->ntas));
	mem_free(v);
}

struct validation *validation_ref(const struct validation *v)
{
	/* the count is not part of what is immutable */
	struct validation *counted = (struct validation *)(uintptr_t)v;

	atomic_fetch_add_explicit(&counted->refs, 1, memory_order_relaxed);
	return counted;
}

/* Whether a word stands in a text of words. */
static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	while (*text != '\0') {
		size_t k = strcspn(text, " \t");

		if (k == n && memcmp(text, word, n) == 0)
			return true;
		text += k;
		text += strspn(text, " \t");
	}
	return false;
}

static uint32_t number(const struct conf_clause *c, enum conf_opt o)
{
	int64_t v = conf_int(c, o);

	return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

/* "KEYSIZE ITERATIONS KEYSIZE ITERATIONS ...": NSEC3 hashes cost the same whatever keys the zone has, so the highest number counts. */
static unsigned int iterations(const char *text)
{
	unsigned long most = 0;
	bool second = false;

	while (*text != '\0') {
		char *end;
		unsigned long n = strtoul(text, &end, 10);

		if (end == text)
			break;
		if (second && n > most)
			most = n;
		second = !second;
		text = end + strspn(end, " \t");
	}
	return most > UINT16_MAX ? UINT16_MAX : (unsigned int)most;
}

/* "", 0: the clock; -1: dates do not count. */
static void read_date(const struct conf_clause *c, struct val_policy *p)
{
	const char *text = conf_text(c, OPT_VAL_OVERRIDE_DATE);
	int64_t when;

	if (text == NULL || *text == '\0' || strcmp(text, "0") == 0)
		return;
	if (strcmp(text, "-1") == 0) {
		p->ignore_dates = true;
	} else if (OK(clock_parse(text, &when)) && when != 0) {
		p->fixed_date = true;
		p->date = (uint32_t)(uint64_t)when; /* times of signatures are modulo 2^32 */
	}
}

static void read_policy(const struct conf_clause *c, struct val_policy *p)
{
	const char *text = conf_text(c, OPT_VAL_NSEC3_KEYSIZE_ITERATIONS);
	uint32_t attempts = number(c, OPT_VAL_VALIDATION_ATTEMPTS);

	for (size_t i = 0; i < conf_count(c, OPT_DISABLE_DNSSEC_ALGORITHM); i++)
		algorithm_switch_off(&p->algorithms, (uint8_t)conf_word_int(c, OPT_DISABLE_DNSSEC_ALGORITHM, i, 0));
	for (size_t i = 0; i < conf_count(c, OPT_DISABLE_DS_DIGEST); i++)
		digest_switch_off(&p->algorithms, (uint8_t)conf_word_int(c, OPT_DISABLE_DS_DIGEST, i, 0));
	p->keys = KEY_LIMITS;
	p->signatures = SIG_LIMITS;
	if (attempts < p->signatures.max_signatures)
		p->signatures.max_signatures = (uint16_t)attempts;
	p->denials = DENIAL_LIMITS;
	if (text != NULL)
		p->denials.iterations = iterations(text);
	p->skew_min = number(c, OPT_VAL_SIG_SKEW_MIN);
	p->skew_max = number(c, OPT_VAL_SIG_SKEW_MAX);
	read_date(c, p);
	p->stripped_is_bogus = conf_bool(c, OPT_HARDEN_DNSSEC_STRIPPED);
	p->all_algorithms = conf_bool(c, OPT_HARDEN_ALGO_DOWNGRADE);
	p->max_probes = VAL_MAX_PROBES;
}

static void read_switches(const struct conf_clause *c, struct validation *v)
{
	v->max_restart = number(c, OPT_VAL_MAX_RESTART);
	v->bogus_max_sec = number(c, OPT_VAL_BOGUS_TTL);
	v->hash_attempts = number(c, OPT_VAL_HASH_ATTEMPTS);
	v->work_slice = VALIDATION_WORK_SLICE;
	v->lame_check = !conf_bool(c, OPT_DISABLE_DNSSEC_LAME_CHECK);
	v->permissive = conf_bool(c, OPT_VAL_PERMISSIVE_MODE);
	v->clean_additional = conf_bool(c, OPT_VAL_CLEAN_ADDITIONAL);
	v->aggressive = conf_bool(c, OPT_AGGRESSIVE_NSEC);
	v->prefetch_keys = conf_bool(c, OPT_PREFETCH_KEY);
	v->sentinel = conf_bool(c, OPT_ROOT_KEY_SENTINEL);
	v->signaling = conf_bool(c, OPT_TRUST_ANCHOR_SIGNALING);
	v->log_level = (uint8_t)conf_int(c, OPT_VAL_LOG_LEVEL);
}

static bool any_anchor(const struct anchors *a)
{
	for (size_t i = 0; i < anchors_zones(a); i++) {
		if (anchors_zone_at(a, i).kind == ANCHOR_KEYS)
			return true;
	}
	return false;
}

RESULT validation_make_over(const struct conf *c, const struct anchor_overlay *o, struct ntas *ntas, struct strbuf *report, struct validation **ret)
{
	AUTO(ntas_free) struct ntas *negative = ntas;
	AUTO(validation_unref) struct validation *v = NULL;
	const struct conf_clause *s = conf_server(c);
	const char *modules = conf_text(s, OPT_MODULE_CONFIG);

	*ret = NULL;
	if (modules != NULL && !has_word(modules, "validator"))
		return DONE;
	v = mem_alloc(sizeof *v);
	if (v == NULL)
		return FAIL(ERR_NOMEM);
	atomic_init(&v->refs, 1);
	TRY(anchor_sources_read(c, o, report, &v->anchors));
	if (!any_anchor(v->anchors))
		return DONE;
	v->ntas = negative != NULL ? MOVE(negative) : ntas_new(NTA_MAX);
	if (v->ntas == NULL)
		return FAIL(ERR_NOMEM);
	read_policy(s, &v->policy);
	read_switches(s, v);
	*ret = MOVE(v);
	return DONE;
}

RESULT validation_make(const struct conf *c, struct strbuf *report, struct validation **ret)
{
	struct anchor_overlay o = { .wall = clock_read().wall_sec };

	return validation_make_over(c, &o, NULL, report, ret);
}
