/*
 * defaults.c: names that the servers of the Internet cannot answer well: localhost and its reverse names (RFC 6761), the special top names (RFC 6761, RFC 7686,
 * RFC 8375, RFC 9476), and the empty reverse zones of private and reserved addresses (RFC 6303, RFC 7793).
 */
#include <stdio.h>

#include "resolver/local/zones.h"

#define DEFAULT_TTL 10800

static RESULT text_rr(struct local_zones *z, const char *owner, const char *rest)
{
	char line[512];
	const char *msg;
	int n = snprintf(line, sizeof line, "%s %d IN %s", owner, DEFAULT_TTL, rest);

	if (n < 0 || (size_t)n >= sizeof line)
		return FAIL(ERR_SPACE);
	return local_add_data(z, line, &msg);
}

/* A zone with NS and SOA, unless the operator named it. */
static RESULT add(struct local_zones *z, const char *zone, enum local_type type, bool *ret_added)
{
	struct name_buf name;

	*ret_added = false;
	TRY(name_from_text(zone, NULL, &name));
	if (nametable_get(&z->zones, name_of(&name), CLASS_IN) != NULL)
		return DONE;
	TRY(local_add_zone(z, name_of(&name), CLASS_IN, type));
	TRY(text_rr(z, zone, "NS localhost."));
	TRY(text_rr(z, zone, "SOA localhost. nobody.invalid. 1 3600 1200 604800 10800"));
	*ret_added = true;
	return DONE;
}

static RESULT add_empty(struct local_zones *z, const char *zone)
{
	bool added;

	return add(z, zone, LOCAL_STATIC, &added);
}

static RESULT add_localhost(struct local_zones *z)
{
	static const char one6[] = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.";
	bool added;

	TRY(add(z, "localhost.", LOCAL_REDIRECT, &added));
	if (added) {
		TRY(text_rr(z, "localhost.", "A 127.0.0.1"));
		TRY(text_rr(z, "localhost.", "AAAA ::1"));
	}
	TRY(add(z, "127.in-addr.arpa.", LOCAL_STATIC, &added));
	if (added)
		TRY(text_rr(z, "1.0.0.127.in-addr.arpa.", "PTR localhost."));
	TRY(add(z, one6, LOCAL_STATIC, &added));
	if (added)
		TRY(text_rr(z, one6, "PTR localhost."));
	return DONE;
}

/* zone names FORMAT with every number from..to */
static RESULT add_range(struct local_zones *z, const char *rest, unsigned int from, unsigned int to)
{
	char zone[64];

	for (unsigned int i = from; i <= to; i++) {
		if (snprintf(zone, sizeof zone, "%u.%s", i, rest) >= (int)sizeof zone)
			return FAIL(ERR_SPACE);
		TRY(add_empty(z, zone));
	}
	return DONE;
}

RESULT local_add_defaults(struct local_zones *z, bool lan)
{
	static const char *const special[] = {
		"home.arpa.", "onion.", "test.", "invalid.", "alt.", "resolver.arpa.", "service.arpa.",
		"0.in-addr.arpa.", "2.0.192.in-addr.arpa.", "100.51.198.in-addr.arpa.", "113.0.203.in-addr.arpa.", "255.255.255.255.in-addr.arpa.",
		"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa.",
	};
	static const char *const private_use[] = {
		"10.in-addr.arpa.", "168.192.in-addr.arpa.", "254.169.in-addr.arpa.", "d.f.ip6.arpa.", "8.e.f.ip6.arpa.", "9.e.f.ip6.arpa.",
		"a.e.f.ip6.arpa.", "b.e.f.ip6.arpa.",
	};

	TRY(add_localhost(z));
	for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
		TRY(add_empty(z, special[i]));
	if (!lan)
		return DONE;
	for (size_t i = 0; i < sizeof private_use / sizeof private_use[0]; i++)
		TRY(add_empty(z, private_use[i]));
	TRY(add_range(z, "172.in-addr.arpa.", 16, 31));
	return add_range(z, "100.in-addr.arpa.", 64, 127);
}
