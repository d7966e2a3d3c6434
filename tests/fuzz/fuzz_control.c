/* Control protocol: octets in pieces become lines, a line becomes words; and what load_cache reads. The first octet says how long the pieces are. */
#include <stdlib.h>
#include <string.h>

#include "base/epoch.h"
#include "base/hash.h"
#include "resolver/cache/rrcache.h"
#include "resolver/control/loading.h"
#include "resolver/control/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(struct span line)
{
	struct request_words w;
	const char *problem;

	if (!OK(request_words_read(line, &w, &problem)))
		return;
	if (w.count == 0 || w.count > REQUEST_WORDS)
		abort();
	for (size_t i = 0; i < w.count; i++) {
		/* Each word is where its rest begins. */
		if (strncmp(w.word[i], w.rest[i], strlen(w.word[i])) != 0)
			abort();
	}
	request_words_done(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hash_key key = { { 1, 2 } };
	const struct rrcache_limits limits = { .octets = 1u << 20, .max_ttl = 86400, .max_negative_ttl = 3600 };
	const struct now now = { .mono_ns = UINT64_C(1000000000000) };
	AUTO(epoch_free) struct epoch *e = epoch_new();
	AUTO(rrcache_free) struct rrcache *c = rrcache_new(&limits, &key);
	struct request_lines l;
	struct span line;
	size_t piece;

	if (size == 0 || e == NULL || c == NULL || !OK(request_lines_init(&l)))
		return 0;
	piece = data[0] + 1u;
	{
		AUTO(epoch_leave) struct epoch_member *m = epoch_join(e);
		AUTO(loading_free) struct loading *load = m == NULL ? NULL : loading_new(c, m);

		if (load != NULL) {
			epoch_online(m);
			for (size_t at = 1; at < size; at += piece) {
				if (!OK(request_lines_add(&l, span_of(data + at, size - at < piece ? size - at : piece))))
					break;
				while (request_lines_next(&l, &line)) {
					check_words(line);
					(void)!OK(loading_line(load, line, &now));
				}
			}
			(void)loading_end(load, &now);
			epoch_quiesce(m);
			epoch_offline(m);
		}
		request_lines_done(&l);
		rrcache_free(MOVE(c));
	}
	return 0;
}
