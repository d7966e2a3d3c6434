#include "resolver/core/exposure.h"

enum route_guard route_guard_of(enum verdict_state s)
{
	switch (s) {
	case VERDICT_VALID:
	case VERDICT_COVERED:
		return GUARD_COVERED;
	case VERDICT_NOT_FOUND:
	case VERDICT_UNCOVERED:
		return GUARD_UNCOVERED;
	case VERDICT_INVALID_ORIGIN:
	case VERDICT_INVALID_LENGTH:
	case VERDICT_AS0:
		return GUARD_INVALID;
	case VERDICT_UNKNOWN:
	case VERDICT_STATES:
		break;
	}
	return GUARD_UNKNOWN;
}

const char *route_guard_text(enum route_guard g)
{
	static const char *const texts[ROUTE_GUARDS] = { [GUARD_UNKNOWN] = "unknown", [GUARD_COVERED] = "covered", [GUARD_UNCOVERED] = "uncovered", [GUARD_INVALID] = "invalid" };

	return g < ROUTE_GUARDS ? texts[g] : "unknown";
}

enum exposure exposure_of(const struct guard_counts *c, bool is_signed)
{
	if (guard_counts_open(c) == 0)
		return EXPOSURE_NONE;
	if (c->n[GUARD_INVALID] > 0)
		return is_signed ? EXPOSURE_SIGNED_INVALID : EXPOSURE_UNSIGNED_INVALID;
	return is_signed ? EXPOSURE_SIGNED : EXPOSURE_UNSIGNED;
}

const char *exposure_text(enum exposure e)
{
	switch (e) {
	case EXPOSURE_SIGNED:
		return "signed but hijackable";
	case EXPOSURE_SIGNED_INVALID:
		return "signed with an invalid route";
	case EXPOSURE_UNSIGNED:
		return "unsigned and uncovered";
	case EXPOSURE_UNSIGNED_INVALID:
		return "unsigned with an invalid route";
	case EXPOSURE_NONE:
	case EXPOSURES:
		break;
	}
	return NULL;
}
