/* core_lines.h: for the tests of resolver/core: what the servers of the root, com. and a few zones below it say. */
#ifndef TESTS_UNIT_RESOLVER_CORE_LINES_H
#define TESTS_UNIT_RESOLVER_CORE_LINES_H

#include "core_world.h"

#define QMIN "server:\n\tqname-minimisation: yes\n\ttarget-fetch-policy: \"0 0 0 0 0\"\n"
#define ROOT_LINES \
	ROOT_PRIMING, \
	{ ROOT, ".com.", "*", "ns: com. 172800 NS a.gtld.net.; ar: a.gtld.net. 172800 A 192.5.6.30" }, \
	{ ROOT, ".net.", "*", "ns: net. 172800 NS a.gtld.net.; ar: a.gtld.net. 172800 A 192.5.6.30" }
#define COM "192.5.6.30"

static const struct line plain[] = {
	ROOT_LINES,
	{ COM, ".example.com.", "*", "ns: example.com. 172800 NS ns1.example.com.; ar: ns1.example.com. 172800 A 1.2.3.4" },
	{ COM, ".nowhere.com.", "*", "AA; NXDOMAIN; ns: com. 900 SOA a. b. 1 2 3 4 600" },
	{ "1.2.3.4", "www.example.com.", "A", "AA; www.example.com. 300 A 10.20.30.40; ns: example.com. NS ns1.example.com.; ar: ns1.example.com. A 6.6.6.6" },
	{ "1.2.3.4", "www.example.com.", "*", "AA; ns: example.com. 900 SOA a. b. 1 2 3 4 60" },
	{ "1.2.3.4", "alias.example.com.", "A", "AA; alias.example.com. CNAME www.example.com.; www.example.com. 300 A 10.20.30.40" },
	{ "1.2.3.4", "out.example.com.", "A", "AA; out.example.com. CNAME www.other.com.; www.other.com. A 6.6.6.6" },
	{ "1.2.3.4", ".example.com.", "*", "AA; NXDOMAIN; ns: example.com. 900 SOA a. b. 1 2 3 4 60" },
	{ COM, ".other.com.", "*", "ns: other.com. NS ns.other.com.; ar: ns.other.com. A 1.2.3.5" },
	{ "1.2.3.5", "www.other.com.", "A", "AA; www.other.com. A 10.0.0.5" },
	{ 0 },
};

#endif
