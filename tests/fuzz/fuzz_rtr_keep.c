/*
 * A file that claims to be what the RTR service kept. Images are read before their sums are compared, so what is in them is looked at also where it was changed. What is accepted
 * is served whole, in all versions, from each serial.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rpki/serve/rtr_keep.h"
#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW 1000
#define SERIALS 4u

static const struct history_limits limits = { SERIALS, 1u << 20 };

static struct rtr_feed *new_feed(void) OWNED_BY(rtr_feed_free);
static struct rtr_feed *new_feed(void)
{
	struct rtr_feed_options o = { .timers = RTR_TIMERS_USUAL, .history = limits };
	struct rtr_state ids = { .session = { 1, 2, 3 }, .serial = 1 };

	return rtr_feed_new(&o, &ids);
}

/* False: memory ran out, or what was said before does not hold. */
static bool serves(struct rtr_feed *f)
{
	struct rtr_state s = rtr_feed_state(f);

	if (rtr_feed_table(f) == NULL || s.session[0] == s.session[1])
		return false;
	for (uint8_t v = 0; v < RTR_VERSIONS; v++) {
		for (uint32_t back = 0; back <= SERIALS + 1; back++) {
			AUTO(rtr_image_unref) struct rtr_image *i = NULL, *full = NULL;
			struct result r = rtr_feed_since(f, v, s.serial - back, &i);

			if (!OK(r) && r.e != ERR_NOTFOUND)
				return false;
			if (!OK(rtr_feed_full(f, v, &full)))
				return false;
		}
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(rtr_feed_free) struct rtr_feed *f = MINE(new_feed());
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct result r = FAIL(ERR_SYSTEM);
	int64_t at = 0;

	if (f != NULL && fd >= 0 && (size == 0 || write(fd, data, size) == (ssize_t)size))
		r = rtr_keep_read_file(fd, f, &limits, NOW, 100, &at);
	if (fd >= 0)
		(void)close(fd);
	if (!OK(r))
		return 0;
	HOLDS(serves(f));
	return 0;
}
