/*
 * run_log.h: what the log said of one run, kept for those who ask afterwards (the path /log, `cairnctl --rpki log`): a line each, "[WARN] text", up to a limit of octets. What does not
 * fit is counted. Texts come from strangers' repositories: what is not printable ASCII in them becomes '?'.
 */
#ifndef RPKI_RUN_LOG_H
#define RPKI_RUN_LOG_H

#include "base/log.h"
#include "base/mem.h"

struct run_log;

void run_log_free(struct run_log *x) TAKES(1);
struct run_log *run_log_new(size_t max_octets) OWNED_BY(run_log_free); /* 0: nothing is kept. NULL: out of memory */
DEFINE_AUTO(struct run_log, run_log_free)
void run_log_clear(struct run_log *x) NONNULL;

/* Both log what they keep. The level decides about the log alone: what is kept does not depend on how much is logged. */
void run_log_say(struct run_log *x, enum log_level level, const char *fmt, ...) NONNULL PRINTF_LIKE(3, 4);
void run_log_lines(struct run_log *x, enum log_level level, const char *prefix, const char *text) NONNULL; /* each line of the text by itself */

/* All of it, and last how many lines were left out, if any. Until the next change. */
const char *run_log_text(struct run_log *x) BORROWED NONNULL;
uint64_t run_log_left_out(const struct run_log *x) NONNULL;

#endif
