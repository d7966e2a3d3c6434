/*
 * commands.h: the commands of cairn-rpki beside the daemon, each one call with main()'s arguments from the command's own name on. What they find goes to standard output, what is wrong to
 * standard error; they return the exit status: 2 for a mistake in the arguments, a file or the configuration.
 */
#ifndef RPKI_COMMANDS_COMMANDS_H
#define RPKI_COMMANDS_COMMANDS_H

#include "base/strbuf.h"

struct conf;

typedef int command_fn(int argc, char **argv);
struct command {
	const char *name SHARED_FIELD;
	command_fn *run;
	const char *usage SHARED_FIELD; /* several lines */
};
/* NULL: no command has this name. */
const struct command *command_find(const char *name) BORROWED NONNULL;
/* What all commands are, a line each. */
const char *commands_usage(void) BORROWED;

/* 0: every object is valid, 1: one is not. */
int command_inspect(int argc, char **argv);
/* 0: every route was judged. */
int command_validate(int argc, char **argv);
/* 0: there is a recent table, 1: there is not. */
int command_status(int argc, char **argv);
/* 0: both are the same, 1: they differ. */
int command_diff(int argc, char **argv);

/* Inside. */
#define COMMAND_ERROR 2
#define COMMAND_TEXT_MAX ((size_t)1 << 30) /* octets of output in memory at once */
/* "cairn-rpki NAME: ..."; returns COMMAND_ERROR. */
int command_fail(const char *name, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The usage of a command to standard error; returns COMMAND_ERROR. */
int command_usage(const char *name) NONNULL;
/* Lines that a reader has collected, as they are; returns COMMAND_ERROR. */
int command_report(const char *name, const struct strbuf *why, struct result r) NONNULL;
/* Writes to standard output, and empties. False: it cannot be written. */
bool command_print(struct strbuf *out) NONNULL;
/* The configuration; what is wrong goes to standard error. */
RESULT command_conf(const char *name, const char *path, struct conf **ret) NONNULL;
/* The configuration's path when -c does not say. */
const char *command_conf_path(void) BORROWED;

#endif
