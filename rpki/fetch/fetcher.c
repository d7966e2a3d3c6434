#include "rpki/fetch/fetcher.h"

void fetcher_free(struct fetcher *f)
{
	if (f != NULL)
		f->ops->free(f);
}

RESULT fetcher_get(struct fetcher *f, const struct fetch_get *q, const struct fetch_events *ev, fetch_h *ret)
{
	return f->ops->get(f, q, ev, ret);
}

RESULT fetcher_rsync(struct fetcher *f, const struct fetch_rsync *q, const struct fetch_events *ev, fetch_h *ret)
{
	return f->ops->rsync(f, q, ev, ret);
}

void fetcher_pause(struct fetcher *f, fetch_h h, bool paused)
{
	f->ops->pause(f, h, paused);
}

void fetcher_cancel(struct fetcher *f, fetch_h h)
{
	f->ops->cancel(f, h);
}

struct fetch_counts fetcher_counts(const struct fetcher *f)
{
	return f->ops->counts(f);
}

char *fetch_folder_path(const char *dir, const uint8_t folder[FETCH_FOLDER])
{
	char hex[2 * FETCH_FOLDER + 1];

	for (size_t i = 0; i < FETCH_FOLDER; i++) {
		hex[2 * i] = "0123456789abcdef"[folder[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[folder[i] & 15];
	}
	hex[2 * FETCH_FOLDER] = '\0';
	return mem_printf("%s/%s" FETCH_TREE, dir, hex);
}
