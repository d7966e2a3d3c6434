#include "rpki/object/rsc.h"

#include "rpki/object/oid.h"

bool rsc_next(struct reader *walk, struct span *ret_name, struct span *ret_hash)
{
	struct reader in;

	if (reader_end(walk))
		return false;
	in = der_enter(walk, DER_SEQUENCE);
	*ret_name = (struct span){ NULL, 0 };
	if (der_peek(&in) == DER_IA5_STRING)
		*ret_name = der_get(&in, DER_IA5_STRING);
	*ret_hash = der_get(&in, DER_OCTET_STRING);
	der_leave(walk, &in);
	return reader_ok(walk);
}

/* PortableFilename (section 4.4.1). */
static bool name_is_portable(struct span name)
{
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
			return false;
	}
	return true;
}

static bool read_files(struct report *rep, struct rsc *rsc)
{
	struct reader r = rsc_begin(rsc);
	struct span name, hash;

	if (reader_end(&r))
		BROKEN(rep, RSC_EMPTY);
	while (rsc_next(&r, &name, &hash)) {
		rsc->count++;
		if (!name_is_portable(name))
			BROKEN(rep, RSC_NAME);
		if (hash.n != 32)
			BROKEN(rep, RSC_HASH);
	}
	if (!reader_ok(&r))
		UNREADABLE(rep, RSC_DER);
	return true;
}

static bool read_resources(struct reader *r, struct arena *a, struct report *rep, struct rsc *rsc, bool *nomem)
{
	struct reader in = der_enter(r, DER_SEQUENCE);

	if (!reader_ok(r))
		UNREADABLE(rep, RSC_DER);
	if (reader_end(&in))
		BROKEN(rep, RSC_NO_RESOURCES);
	if (der_peek(&in) == DER_CONSTRUCTED && !resources_read_as_list(der_get(&in, DER_CONSTRUCTED), a, rep, &rsc->resources, nomem))
		return false;
	if (der_peek(&in) == DER_CONSTRUCTED + 1 && !resources_read_ip_list(der_get(&in, DER_CONSTRUCTED + 1), a, rep, &rsc->resources, nomem))
		return false;
	if (!reader_ok(&in) || !reader_end(&in))
		UNREADABLE(rep, RSC_DER);
	return true;
}

static bool read_all(const struct cms *cms, struct arena *a, struct report *rep, struct rsc *rsc, bool *nomem)
{
	struct reader outer = reader_of(cms->content), r = der_enter(&outer, DER_SEQUENCE), algorithm;

	if (!reader_ok(&outer) || !reader_end(&outer))
		UNREADABLE(rep, RSC_DER);
	if (der_peek(&r) == DER_CONSTRUCTED) {
		BROKEN(rep, RSC_VERSION);
		der_whole_any(&r);
	}
	if (!read_resources(&r, a, rep, rsc, nomem))
		return false;
	algorithm = der_enter(&r, DER_SEQUENCE);
	if (!OID_IS(der_get(&algorithm, DER_OID), OID_SHA256))
		BROKEN(rep, RSC_ALGORITHM);
	rsc->files = der_get(&r, DER_SEQUENCE);
	if (!reader_ok(&r) || !reader_end(&r))
		UNREADABLE(rep, RSC_DER);
	return read_files(rep, rsc);
}

RESULT rsc_read(const struct cms *cms, struct arena *a, struct report *rep, struct rsc *ret)
{
	size_t before = rep->count;
	bool nomem = false;

	*ret = (struct rsc){ .count = 0 };
	if (!read_all(cms, a, rep, ret, &nomem))
		return FAIL(nomem ? ERR_NOMEM : ERR_FORMAT);
	return rep->count != before ? FAIL(ERR_FORMAT) : DONE;
}

static bool check(const struct rsc *rsc, const struct cert *ee, const struct resources *effective, struct report *rep)
{
	struct resources ignored;
	const char *kind;

	if (ee->claimed.ip4 == CLAIM_INHERIT || ee->claimed.ip6 == CLAIM_INHERIT || ee->claimed.as == CLAIM_INHERIT)
		BROKEN(rep, RSC_INHERIT);
	if (!resources_effective(&rsc->resources, effective, &ignored, &kind))
		BROKEN_AT(rep, RSC_CONTAINED, "%s", kind);
	return true;
}

RESULT rsc_check(const struct rsc *rsc, const struct cert *ee, const struct resources *effective, struct report *rep)
{
	size_t before = rep->count;

	return check(rsc, ee, effective, rep) && rep->count == before ? DONE : FAIL(ERR_FORMAT);
}
