/* scenes.h: what the resolver does with the system, as calls.c makes it fail. */
#ifndef TESTS_FAILING_SCENES_H
#define TESTS_FAILING_SCENES_H

#include <stddef.h>

#include "base/own.h"
#include "tests/failing/calls.h"

/* A folder of the run's own, and what the scenario knows of its run. */
struct place {
	char dir[64];
	char file[128];      /* the file that it is about */
	char wrong[600];     /* the first thing that is wrong; empty: nothing */
	char address[32];    /* of loopback: nobody else's */
	bool done;           /* what was to be done was said to be done */
	bool said;           /* it was said why not */
	int error;           /* that the call gave, or is to give */
	int status;
	char log[65536];
};

struct scene {
	const char *name BORROWED_FIELD;
	void (*prepare)(struct place *p); /* nothing fails */
	void (*act)(struct place *p);     /* the call fails */
	void (*judge)(struct place *p);   /* nothing fails */
	bool plant;                       /* something is wrong on purpose, and must be found */
};
extern const struct scene scenes[]; /* ends with a name that is NULL */

void wrong(struct place *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
void place_make(struct place *p) NONNULL;
void place_remove(struct place *p) NONNULL;

/* daemon.c */
void daemon_prepare(struct place *p) NONNULL;
void daemon_act(struct place *p) NONNULL;
void daemon_judge(struct place *p) NONNULL;

#endif
