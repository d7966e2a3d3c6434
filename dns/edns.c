#include "dns/edns.h"

const char *ede_text(uint16_t code)
{
	static const char *const text[] = {
		[EDE_OTHER] = "Other Error",
		[EDE_UNSUPPORTED_DNSKEY] = "Unsupported DNSKEY Algorithm",
		[EDE_UNSUPPORTED_DS] = "Unsupported DS Digest Type",
		[EDE_STALE] = "Stale Answer",
		[EDE_FORGED] = "Forged Answer",
		[EDE_INDETERMINATE] = "DNSSEC Indeterminate",
		[EDE_BOGUS] = "DNSSEC Bogus",
		[EDE_SIG_EXPIRED] = "Signature Expired",
		[EDE_SIG_NOT_YET] = "Signature Not Yet Valid",
		[EDE_DNSKEY_MISSING] = "DNSKEY Missing",
		[EDE_RRSIGS_MISSING] = "RRSIGs Missing",
		[EDE_NO_ZONE_KEY] = "No Zone Key Bit Set",
		[EDE_NSEC_MISSING] = "NSEC Missing",
		[EDE_CACHED_ERROR] = "Cached Error",
		[EDE_NOT_READY] = "Not Ready",
		[EDE_BLOCKED] = "Blocked",
		[EDE_CENSORED] = "Censored",
		[EDE_FILTERED] = "Filtered",
		[EDE_PROHIBITED] = "Prohibited",
		[EDE_STALE_NXDOMAIN] = "Stale NXDOMAIN Answer",
		[EDE_NOT_AUTHORITATIVE] = "Not Authoritative",
		[EDE_NOT_SUPPORTED] = "Not Supported",
		[EDE_NO_REACHABLE] = "No Reachable Authority",
		[EDE_NETWORK] = "Network Error",
		[EDE_INVALID_DATA] = "Invalid Data",
		[EDE_SIG_BEFORE_INCEPTION] = "Signature Expired before Valid",
		[EDE_TOO_EARLY] = "Too Early",
		[EDE_NSEC3_ITERATIONS] = "Unsupported NSEC3 Iterations Value",
		[EDE_POLICY] = "Unable to conform to policy",
		[EDE_SYNTHESIZED] = "Synthesized",
		[EDE_INVALID_QTYPE] = "Invalid Query Type",
		[EDE_NEGATIVE_ANCHOR] = "Negative Trust Anchor",
	};

	return code < sizeof text / sizeof text[0] && text[code] != NULL ? text[code] : "";
}

bool edns_next_option(struct reader *options, uint16_t *ret_code, struct span *ret_data)
{
	uint16_t code;
	struct span data;

	if (reader_end(options))
		return false;
	code = read16(options);
	data = read_span(options, read16(options));
	if (!reader_ok(options))
		return false;
	*ret_code = code;
	*ret_data = data;
	return true;
}

RESULT edns_check_options(struct span options, unsigned int max_options)
{
	struct reader r = reader_of(options);
	unsigned int count = 0;

	while (!reader_end(&r)) {
		if (max_options != 0 && count++ == max_options)
			return FAIL(ERR_LIMIT);
		read_skip(&r, 2);
		read_skip(&r, read16(&r));
	}
	return reader_ok(&r) ? DONE : FAIL(ERR_FORMAT);
}
