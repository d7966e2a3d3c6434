#include "rpki/process/progress.h"

#include <inttypes.h>
#include <stdio.h>

void progress_begin(struct progress *p, bool terminal, uint64_t now_ms)
{
	*p = (struct progress){ .terminal = terminal, .begun_ms = now_ms, .told_ms = now_ms };
}

void progress_note(struct progress *p, bool failed, uint64_t objects, uint64_t octets, uint64_t wanted)
{
	p->done++;
	p->failed += failed;
	p->objects += objects;
	p->octets += octets;
	p->wanted = wanted > p->done ? wanted : p->done;
}

bool progress_is_due(const struct progress *p, uint64_t now_ms)
{
	return now_ms - p->told_ms >= (p->terminal ? PROGRESS_DRAW_MS : PROGRESS_LOG_MS);
}

const char *progress_text(struct progress *p, uint64_t now_ms, char room[PROGRESS_TEXT])
{
	uint64_t ms = now_ms - p->begun_ms;
	uint64_t rate = ms > 0 ? p->objects * 1000 / ms : 0;

	(void)snprintf(room, PROGRESS_TEXT, "%" PRIu64 " of %" PRIu64 " repositories, %" PRIu64 " failed, %" PRIu64 " objects, %" PRIu64 "/s, %" PRIu64 " s", p->done, p->wanted,
		p->failed, p->objects, rate, ms / 1000);
	p->told_ms = now_ms;
	p->drawn = p->drawn || p->terminal;
	return room;
}
