/*
 * engine_process.h: the process that looks into what was fetched: store, validation, local exceptions, output files. It has no network; it asks the fetching processes over links. Each
 * table that it makes goes to the monitor as a sealed memory file.
 */
#ifndef RPKI_PROCESS_ENGINE_PROCESS_H
#define RPKI_PROCESS_ENGINE_PROCESS_H

#include "rpki/process/monitor.h"

/* ctx: struct setup. The exit status: with --once that of the program; else 2 when the configuration's files are wrong, 1 when something else failed. */
int engine_process(void *ctx, int control, const struct monitor_along *along);

#endif
