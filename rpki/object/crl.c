#include "rpki/object/crl.h"

#include <stdlib.h>

#include "base/arena.h"
#include "rpki/object/cert.h"
#include "rpki/object/oid.h"

struct reading {
	struct crl *crl PARENT_FIELD;
	struct report *rep PARENT_FIELD;
	struct arena *a PARENT_FIELD;
	bool nomem;
};

static int compare_serials(struct span a, struct span b)
{
	return a.n != b.n ? (a.n < b.n ? -1 : 1) : memcmp(a.p, b.p, a.n);
}

static int compare(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return compare_serials(*x, *y);
}

static bool check_serial(const struct reading *g, struct span serial)
{
	switch (serial_fault(serial)) {
	case SERIAL_GOOD:
		break;
	case SERIAL_NEGATIVE:
	case SERIAL_ZERO:
		BROKEN(g->rep, CRL_ENTRY_SERIAL);
		break;
	case SERIAL_LONG:
		BROKEN(g->rep, CRL_ENTRY_SERIAL_LENGTH);
		break;
	}
	return true;
}

static bool read_entry(const struct reading *g, struct reader *list, struct span *ret_serial)
{
	struct reader in = der_enter(list, DER_SEQUENCE);
	struct span serial = der_integer(&in), time;
	uint8_t tag;
	int64_t when;

	time = der_any(&in, &tag);
	if (!reader_ok(&in))
		UNREADABLE(g->rep, CRL_DER);
	if (!der_time_value(tag, time, &when))
		BROKEN(g->rep, CRL_ENTRY_DATE);
	if (!reader_end(&in))
		BROKEN(g->rep, CRL_ENTRY_EXTENSION);
	*ret_serial = serial;
	return check_serial(g, serial);
}

static bool read_entries(struct reading *g, struct span contents)
{
	struct reader count = reader_of(contents), r = reader_of(contents);
	struct span *out;
	size_t most = 0, n = 0;
	bool sorted = true;

	while (!reader_end(&count) && most <= CRL_MAX_ENTRIES) {
		der_whole(&count, DER_SEQUENCE);
		most++;
	}
	if (most > CRL_MAX_ENTRIES)
		UNREADABLE(g->rep, CRL_LIMIT);
	out = arena_alloc_array(g->a, most + 1, sizeof *out);
	if (out == NULL) {
		g->nomem = true;
		return false;
	}
	if (most == 0)
		BROKEN(g->rep, CRL_EMPTY_LIST);
	while (!reader_end(&r) && n < most) {
		if (!read_entry(g, &r, &out[n]))
			return false;
		sorted = sorted && (n == 0 || compare_serials(out[n - 1], out[n]) <= 0);
		n++;
	}
	if (!sorted)
		qsort(out, n, sizeof *out, compare);
	g->crl->revoked = out;
	g->crl->revoked_count = n;
	return true;
}

static bool read_number(const struct reading *g, struct span value)
{
	struct reader r = reader_of(value);
	struct span number = der_integer(&r);

	if (!reader_ok(&r) || !reader_end(&r) || der_negative(number) || number.n > 20) {
		BROKEN(g->rep, CRL_NUMBER_FORM);
		return true;
	}
	g->crl->number = number;
	return true;
}

static bool read_extension(const struct reading *g, const struct extension *x, bool *seen_aki, bool *seen_number)
{
	char room[DER_OID_TEXT];
	bool ce = x->oid.n == 3 && memcmp(x->oid.p, OID_CE, 2) == 0;
	bool aki = ce && x->oid.p[2] == CE_AKI, number = ce && x->oid.p[2] == CE_CRL_NUMBER;

	if (!aki && !number) {
		BROKEN_AT(g->rep, CRL_EXTENSION, "%s", der_oid_text(x->oid, room));
		return true;
	}
	if (aki ? *seen_aki : *seen_number) {
		BROKEN(g->rep, CRL_EXTENSION_TWICE);
		return true;
	}
	*(aki ? seen_aki : seen_number) = true;
	if (x->critical)
		BROKEN(g->rep, CRL_EXTENSION_CRITICAL);
	if (number)
		return read_number(g, x->value);
	if (!aki_read(x->value, &g->crl->aki))
		BROKEN(g->rep, CRL_AKI_FORM);
	return true;
}

static bool read_extensions(const struct reading *g, struct reader *tbs)
{
	struct reader outer, list;
	bool aki = false, number = false;

	if (!reader_end(tbs)) {
		outer = der_enter(tbs, DER_CONSTRUCTED);
		list = der_enter(&outer, DER_SEQUENCE);
		while (!reader_end(&list)) {
			struct extension x;

			if (!extension_next(&list, &x))
				break;
			if (!read_extension(g, &x, &aki, &number))
				return false;
		}
		der_leave(&outer, &list);
		der_leave(tbs, &outer);
		if (!reader_ok(tbs) || !reader_end(tbs))
			UNREADABLE(g->rep, CRL_DER);
	}
	if (!aki)
		BROKEN(g->rep, CRL_AKI_ABSENT);
	if (!number)
		BROKEN(g->rep, CRL_NUMBER_ABSENT);
	return true;
}

static bool is_time(uint8_t tag) { return tag == DER_UTC_TIME || tag == DER_GENERALIZED_TIME; }

static bool read_times(const struct reading *g, struct reader *tbs)
{
	uint8_t tag;
	struct span s = der_any(tbs, &tag);

	if (!reader_ok(tbs))
		UNREADABLE(g->rep, CRL_DER);
	if (!der_time_value(tag, s, &g->crl->this_update))
		BROKEN(g->rep, CRL_THIS_UPDATE_FORM);
	if (!is_time(der_peek(tbs))) {
		BROKEN(g->rep, CRL_NEXT_UPDATE_ABSENT);
		return true;
	}
	s = der_any(tbs, &tag);
	if (!reader_ok(tbs))
		UNREADABLE(g->rep, CRL_DER);
	if (!der_time_value(tag, s, &g->crl->next_update))
		BROKEN(g->rep, CRL_NEXT_UPDATE_FORM);
	if (g->crl->this_update > g->crl->next_update)
		BROKEN(g->rep, CRL_UPDATES_CROSSED);
	return true;
}

static bool read_version(const struct reading *g, struct reader *tbs)
{
	uint64_t version;

	if (der_peek(tbs) != DER_INTEGER)
		BROKEN(g->rep, CRL_VERSION);
	else if (!der_small(der_integer(tbs), UINT64_MAX, &version) || version != 1)
		BROKEN(g->rep, CRL_VERSION);
	return true;
}

static bool read_tbs(struct reading *g, const struct signed_parts *parts)
{
	struct reader outer = reader_of(parts->tbs), tbs = der_enter(&outer, DER_SEQUENCE);
	struct span algorithm;

	if (!read_version(g, &tbs))
		return false;
	algorithm = der_whole(&tbs, DER_SEQUENCE);
	g->crl->issuer = der_whole(&tbs, DER_SEQUENCE);
	if (!reader_ok(&tbs))
		UNREADABLE(g->rep, CRL_DER);
	if (!algorithm_is_sha256_with_rsa(algorithm) || !algorithm_is_sha256_with_rsa(parts->algorithm))
		BROKEN(g->rep, CRL_ALGORITHM);
	if (!span_equal(algorithm, parts->algorithm))
		BROKEN(g->rep, CRL_ALGORITHMS);
	if (!name_is_good(g->crl->issuer))
		BROKEN(g->rep, CRL_ISSUER);
	if (!read_times(g, &tbs))
		return false;
	if (der_peek(&tbs) == DER_SEQUENCE && !read_entries(g, der_get(&tbs, DER_SEQUENCE)))
		return false;
	if (!reader_ok(&tbs))
		UNREADABLE(g->rep, CRL_DER);
	return read_extensions(g, &tbs);
}

RESULT crl_read(struct span whole, struct arena *a, struct report *rep, struct crl *ret)
{
	struct reading g = { .crl = ret, .rep = rep, .a = a };
	struct signed_parts parts;
	size_t before = rep->count;

	*ret = (struct crl){ .whole = whole };
	if (!signed_parts_read(whole, &parts)) {
		report_broken(rep, RULE_CRL_DER);
		return FAIL(ERR_FORMAT);
	}
	ret->tbs = parts.tbs;
	ret->signature = parts.signature;
	if (!read_tbs(&g, &parts))
		return FAIL(g.nomem ? ERR_NOMEM : ERR_FORMAT);
	return rep->count != before ? FAIL(ERR_FORMAT) : DONE;
}

static bool check(const struct crl *crl, const struct cert *issuer, const struct public_key *key, int64_t now, struct report *rep)
{
	uint8_t digest[32];

	if (now < crl->this_update)
		BROKEN(rep, CRL_IN_FUTURE);
	if (now > crl->next_update)
		BROKEN(rep, CRL_STALE);
	if (!name_equal(crl->issuer, issuer->subject))
		BROKEN(rep, CRL_ISSUER_MISMATCH);
	if (crl->aki.n == 20 && !span_equal(crl->aki, issuer->ski))
		BROKEN(rep, CRL_AKI_MISMATCH);
	sha256_of(crl->tbs, digest);
	if (!public_key_verify(key, digest, crl->signature))
		BROKEN(rep, CRL_SIGNATURE);
	return true;
}

RESULT crl_check(const struct crl *crl, const struct cert *issuer, const struct public_key *key, int64_t now, struct report *rep)
{
	size_t before = rep->count;

	return check(crl, issuer, key, now, rep) && rep->count == before ? DONE : FAIL(ERR_FORMAT);
}

bool crl_has(const struct crl *crl, struct span serial)
{
	size_t from = 0, to = crl->revoked_count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (compare_serials(crl->revoked[middle], serial) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from < crl->revoked_count && compare_serials(crl->revoked[from], serial) == 0;
}
