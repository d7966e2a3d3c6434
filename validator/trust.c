#include "validator/trust.h"

#include <string.h>

#include "base/mem.h"

#define TRUST_KEY_OCTETS 1500 /* what libcrypto keeps for one public key, about */

const char *trust_state_text(enum trust_state s)
{
	switch (s) {
	case TRUST_NONE:
		return "no trust anchor";
	case TRUST_INSECURE:
		return "insecure";
	case TRUST_NO_CUT:
		return "no zone";
	case TRUST_NO_NAME:
		return "no such name";
	case TRUST_DS:
		return "DS known";
	case TRUST_KEYS:
		return "keys known";
	}
	return "?";
}

/* The last reference is gone: nobody else can see it. */
static void trust_free(struct trust *t) TAKES(1);
static void trust_free(struct trust *t)
{
	if (t == NULL)
		return;
	keyset_free(MOVE(t->keys));
	rrset_free(MOVE(t->ds));
	mem_free(MOVE(t->text));
	mem_free(t);
}

void trust_unref(struct trust *t)
{
	if (t != NULL && atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) == 1)
		trust_free(MOVE(t));
}

struct trust *trust_ref(const struct trust *t)
{
	struct trust *counted = (struct trust *)(uintptr_t)t; /* the count is the only part that changes */

	atomic_fetch_add_explicit(&counted->refs, 1, memory_order_relaxed);
	return counted;
}

struct trust *trust_new(enum trust_state s, struct name zone, uint32_t ttl, struct keyset *keys, const struct rrset *ds, uint16_t ede, const char *text)
{
	AUTO(keyset_free) struct keyset *kept = MOVE(keys);
	AUTO(trust_unref) struct trust *t = mem_alloc(sizeof *t);

	if (t == NULL)
		return NULL;
	atomic_init(&t->refs, 1);
	t->state = s;
	t->ttl = ttl;
	t->ede = ede;
	name_copy(&t->zone, zone);
	name_lower(&t->zone);
	t->keys = MOVE(kept);
	if (ds != NULL) {
		t->ds = rrset_copy(ds);
		if (t->ds == NULL)
			return NULL;
		if (ttl < t->ds->ttl)
			t->ds->ttl = ttl; /* what is left of its signature */
	}
	if (text != NULL) {
		t->text = mem_strdup(text);
		if (t->text == NULL)
			return NULL;
	}
	return MOVE(t);
}

size_t trust_octets(const struct trust *t)
{
	size_t octets = sizeof *t;

	if (t->keys != NULL)
		octets += keyset_count(t->keys) * TRUST_KEY_OCTETS;
	if (t->ds != NULL)
		octets += t->ds->octets;
	if (t->text != NULL)
		octets += strlen(t->text) + 1;
	return octets;
}
