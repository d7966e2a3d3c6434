/* A database of autonomous systems: what it tells are sound prefixes, each once, as many as it says, in time that its size bounds; and a file of them
 * comes to the same, and says so. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "rpki/routes/announced.h"
#include "rpki/routes/asn_db.h"
#include "tests/fuzz/heard_routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NETWORKS 10000u

/* The same octets from a file, of which there may be this many. */
static void load(struct span octets, size_t most, struct result heard, uint64_t n)
{
	const struct asn_db_limits limits = { .octets = most, .networks = NETWORKS };
	AUTO(announced_unref) struct announced *empty = announced_new();
	AUTO(announced_edit_free) struct announced_edit *e = empty != NULL ? announced_edit_new(empty) : NULL;
	AUTO(strbuf_free) struct strbuf *what = strbuf_new(1000);
	char path[40];
	int fd = memfd_create("database", MFD_CLOEXEC);
	struct result r;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	CHECK(fd >= 0 && write(fd, octets.p, octets.n) == (ssize_t)octets.n);
	if (e != NULL && what != NULL) {
		r = asn_db_load(path, &limits, e, 1, what);
		CHECK(strbuf_len(what) > 0);
		CHECK(octets.n > most ? r.e == ERR_LIMIT : r.e == heard.e && (!OK(r) || announced_edit_count(e) == n));
		r = asn_db_load("/proc/self/fd/none", &limits, e, 1, what);
		CHECK(r.e == ERR_NOTFOUND || r.e == ERR_SYSTEM);
	}
	(void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct asn_db_limits limits = { .octets = 1u << 20, .networks = NETWORKS };
	AUTO(announced_unref) struct announced *empty = announced_new();
	AUTO(announced_edit_free) struct announced_edit *e = empty != NULL ? announced_edit_new(empty) : NULL;
	struct heard h = { .sink = { hear }, .e = e };
	struct source_counts c;
	struct result r;

	if (e == NULL)
		return 0;
	r = asn_db_read(span_of(data, size), &limits, &h.sink, &c);
	CHECK(!OK(r) || (h.n > 0 && h.n == c.routes));
	CHECK(h.n <= limits.networks);
	CHECK(announced_edit_count(e) == h.n || !OK(r)); /* a network stands at one place of a tree */
	load(span_of(data, size), 1u << 20, r, h.n);
	load(span_of(data, size), 600, r, h.n);
	return 0;
}
