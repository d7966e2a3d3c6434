/*
 * chain_text.c: why, in words that name zone, key tag and record; each of bounded length.
 */
#include "validator/chain_inside.h"

#include <stdio.h>
#include <time.h>

#include "base/arena.h"
#include "dns/rrtype.h"

#define TEXT_NAME_MAX 160 /* octets of a name */

/* As in a sentence: no final dot, cut when it is long. */
const char *chain_words(char room[NAME_TEXT], struct name n)
{
	size_t len = strlen(name_to_text(n, room));

	if (len > 1 && room[len - 1] == '.')
		room[--len] = '\0';
	if (len > TEXT_NAME_MAX)
		memcpy(room + TEXT_NAME_MAX - 3, "...", 4);
	return room;
}

const char *chain_name_text(struct arena *a, struct name n)
{
	char room[NAME_TEXT];

	return arena_strdup(a, chain_words(room, n));
}

/* "www.example.com A" */
const char *chain_set_words(char room[NAME_TEXT + RRTYPE_TEXT + 1], struct name owner, uint16_t type)
{
	char t[RRTYPE_TEXT];
	size_t len = strlen(chain_words(room, owner));

	snprintf(room + len, RRTYPE_TEXT + 1, " %s", rrtype_text(type, t));
	return room;
}

/* A point in time near now, which the 32 bits of a signature leave open (RFC 4034 section 3.1.5). */
static void time_words(char room[32], uint32_t when, const struct chain_env *e)
{
	time_t t = (time_t)(e->wall + (int32_t)(when - (uint32_t)e->wall));
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(room, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(room, 32, "%lu", (unsigned long)when);
}

const char *chain_signature_text(struct chain_env *e, const struct rrset *set, struct name zone, const struct sig_report *r)
{
	char z[NAME_TEXT], s[NAME_TEXT + RRTYPE_TEXT + 1], when[32];
	struct rrsig sig;
	bool have = r->index < set->sigs && OK(rrsig_parse(rrset_sig(set, r->index), &sig));
	const char *what = sig_verdict_text(r->verdict);

	chain_words(z, zone);
	chain_set_words(s, rrset_name(set), set->type);
	switch (r->verdict) {
	case SIG_MISSING:
		return arena_printf(e->arena, "%s has no signature, in the signed zone %s", s, z);
	case SIG_EXPIRED:
		time_words(when, have ? sig.expiration : 0, e);
		return arena_printf(e->arena, "signature of %s by %s (tag %u, algorithm %u) expired on %s", s, z, r->tag, r->algorithm, when);
	case SIG_NOT_YET:
		time_words(when, have ? sig.inception : 0, e);
		return arena_printf(e->arena, "signature of %s by %s (tag %u, algorithm %u) is not valid before %s", s, z, r->tag, r->algorithm, when);
	case SIG_NO_KEY:
		return arena_printf(e->arena, "signature of %s by %s: no key has its tag %u and algorithm %u", s, z, r->tag, r->algorithm);
	case SIG_KEY_FAULT:
		return arena_printf(e->arena, "signature of %s by %s: its key (tag %u, algorithm %u) cannot be used: %s", s, z, r->tag, r->algorithm,
		    key_fault_text(r->fault));
	case SIG_FORMAT:
	case SIG_SIGNER:
	case SIG_LABELS:
		return arena_printf(e->arena, "%s in the signed zone %s: %s", s, z, what);
	case SIG_ALGORITHM:
	case SIG_DATES:
	case SIG_BAD:
	case SIG_GOOD:
		break;
	}
	return arena_printf(e->arena, "signature of %s by %s (tag %u, algorithm %u): %s%s", s, z, r->tag, r->algorithm, what,
	    r->limited ? "; others were left untried" : "");
}

const char *chain_insecure_text(struct chain_env *e, struct name name, struct name zone, enum denial why)
{
	char n[NAME_TEXT], z[NAME_TEXT];

	chain_words(n, name);
	chain_words(z, zone);
	if (why == DENIAL_ITERATIONS_INSECURE)
		return arena_printf(e->arena, "%s denies with more NSEC3 iterations than are followed: nothing is proven about %s", z, n);
	if (why == DENIAL_INSECURE_OPTOUT)
		return arena_printf(e->arena, "%s is in an opt-out span of %s", n, z);
	return arena_printf(e->arena, "%s proves that there is no DS RRset at %s", z, n);
}
