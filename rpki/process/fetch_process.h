/* fetch_process.h: the processes that have the network: one for HTTPS, one that runs rsync. Each does for the engine what it asks for (fetch_service.h), and knows nothing of the RPKI. */
#ifndef RPKI_PROCESS_FETCH_PROCESS_H
#define RPKI_PROCESS_FETCH_PROCESS_H

#include "rpki/process/monitor.h"

/* ctx: struct setup. The descriptor that goes along last is the link to the engine. The exit status. */
int fetch_process_https(void *ctx, int control, const struct monitor_along *along);
int fetch_process_rsync(void *ctx, int control, const struct monitor_along *along);

#endif
