/*
 * serve_process.h: the process that routers and others talk to. It has the listening sockets from the monitor, and its data from the engine, as sealed memory files by way of the
 * monitor. What it must keep for routers to go on after a restart is in a folder of its own in cache-dir:.
 */
#ifndef RPKI_PROCESS_SERVE_PROCESS_H
#define RPKI_PROCESS_SERVE_PROCESS_H

#include "rpki/process/monitor.h"

/* ctx: struct setup. The exit status. */
int serve_process(void *ctx, int control, const struct monitor_along *along);

#endif
