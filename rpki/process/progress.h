/*
 * progress.h: how far a run is: on a terminal one line that is drawn again, otherwise a log line now and then. Told by the events of rpki/cycle.h. The line ends with a carriage return,
 * so that a line of the log takes its place.
 */
#ifndef RPKI_PROCESS_PROGRESS_H
#define RPKI_PROCESS_PROGRESS_H

#include "base/own.h"

#define PROGRESS_DRAW_MS 200u    /* between two drawings on a terminal */
#define PROGRESS_LOG_MS 30000u   /* between two lines of a log */
#define PROGRESS_TEXT 160u

struct progress {
	bool terminal;
	bool drawn;                           /* something stands on the terminal */
	uint64_t begun_ms, told_ms;           /* of a clock that only goes forward */
	uint64_t done, failed, wanted;        /* repositories; wanted: that are known of so far */
	uint64_t objects, octets;             /* that came */
};

/* Of a run that begins at now_ms. */
void progress_begin(struct progress *p, bool terminal, uint64_t now_ms) NONNULL;
/* A repository is done. */
void progress_note(struct progress *p, bool failed, uint64_t objects, uint64_t octets, uint64_t wanted) NONNULL;
/* It is time to tell again. */
bool progress_is_due(const struct progress *p, uint64_t now_ms) NONNULL;
/* "12 of 40 repositories, 1 failed, 5120 objects, 850/s, 7 s", and this moment is noted. */
const char *progress_text(struct progress *p, uint64_t now_ms, char room[PROGRESS_TEXT]) BORROWED NONNULL;

#endif
