/*
 * fetch_service.h: the other end of fetcher_link.h: does for the engine, over a link, what a fetcher of this process can do. When the engine does not keep up, transfers rest.
 */
#ifndef RPKI_PROCESS_FETCH_SERVICE_H
#define RPKI_PROCESS_FETCH_SERVICE_H

#include "rpki/fetch/fetcher.h"

struct fetch_service;

struct fetch_service_events {
	const struct loop_type *type BORROWED_FIELD;
	uint64_t who;
	/* Once: the engine is gone (ERR_CLOSED), or is not what it should be. Nothing is under way any more. */
	void (*ended)(struct loop *l, void *object, enum err e);
};

void fetch_service_free(struct fetch_service *s) TAKES(1); /* cancels what is under way */
/* Takes fd, also when it fails; f outlives it. ERR_NOMEM, ERR_SYSTEM. */
RESULT fetch_service_new(struct loop *l, struct fetcher *f, int fd, const struct fetch_service_events *ev, struct fetch_service **ret) NONNULL;
DEFINE_AUTO(struct fetch_service, fetch_service_free)

#endif
