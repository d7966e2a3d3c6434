#include "resolver/interfaces.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool endpoint_of(const struct sockaddr *sa, uint16_t port, struct endpoint *ret)
{
	struct endpoint e = { { ADDR_NONE, { 0 } }, port, 0 };

	if (sa == NULL)
		return false;
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof in);
		e.a.family = ADDR_V4;
		memcpy(e.a.b, &in.sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof in6);
		e.a.family = ADDR_V6;
		memcpy(e.a.b, &in6.sin6_addr, 16);
		e.scope = in6.sin6_scope_id;
	} else {
		return false;
	}
	*ret = e;
	return true;
}

RESULT interfaces_addresses(const char *text, uint16_t default_port, interface_address_fn *fn, void *user)
{
	const char *at = strchr(text, '@');
	size_t name_len = at != NULL ? (size_t)(at - text) : strlen(text);
	unsigned long port = at != NULL ? strtoul(at + 1, NULL, 10) : default_port;
	struct ifaddrs *all, *i;
	struct result r = DONE;
	bool found = false;

	if (name_len == 0 || name_len >= IF_NAMESIZE || port > UINT16_MAX)
		return FAIL(ERR_NOTFOUND);
	if (getifaddrs(&all) != 0)
		return FAIL(ERR_SYSTEM);
	for (i = all; i != NULL && OK(r); i = i->ifa_next) {
		struct endpoint e;

		if (strlen(i->ifa_name) != name_len || memcmp(i->ifa_name, text, name_len) != 0 ||
		    !endpoint_of(i->ifa_addr, (uint16_t)port, &e))
			continue;
		found = true;
		r = fn(user, &e);
	}
	freeifaddrs(all);
	return !OK(r) || found ? r : FAIL(ERR_NOTFOUND);
}

void interfaces_host_name(char *to, size_t size)
{
	if (gethostname(to, size) != 0 || to[0] == '\0')
		(void)snprintf(to, size, "localhost");
	to[size - 1] = '\0';
}
