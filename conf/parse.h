/*
 * parse.h: reads the text of a configuration, as Unbound does: clauses, options, values that may stand on later lines, comments,
 * include: and include-toplevel:. Every mistake is reported and reading goes on behind it: with the next line, or the next known
 * keyword on the same line. Files come through struct conf_files, so that tests and the fuzzer can do without a disk.
 *
 *   include: NAME           the file's text stands here. NAME may have the wildcards of glob(7); no match is no mistake. A relative
 * name is below directory:, when that stood before, else below the directory the program was started in. include-toplevel: NAME the
 * same, but closes the clause before and behind it.
 */
#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include "base/cursor.h"
#include "conf/conf.h"

#define PARSE_DEPTH 64u                 /* files that include each other */
#define PARSE_FILES 10000u              /* included files in all */
#define PARSE_FILE_OCTETS (256u << 20)  /* of one file */
#define PARSE_TOTAL_OCTETS (1024u << 20)
#define PARSE_WORD_OCTETS 65535u        /* of one word of a value */
#define PARSE_GUESSES 100u              /* unknown options for which the nearest spelling is looked for: that is slow */

struct conf_names {
	char **v OWNED_FIELD;
	size_t n, room;
};
void conf_names_done(struct conf_names *n) NONNULL;
RESULT conf_names_add(struct conf_names *n, const char *name) NONNULL;

struct conf_files {
	void *ctx BORROWED_FIELD;
	/* ERR_SYSTEM with errno, ERR_NOTFOUND, ERR_LIMIT, ERR_NOMEM */
	RESULT (*read)(void *ctx, const char *path, size_t max, char **ret_text, size_t *ret_n);
	/* The names that match a pattern, in order. */
	RESULT (*match)(void *ctx, const char *pattern, struct conf_names *names);
};

/* As conf_load_text. ERR_FORMAT: there were errors, all reported. *ret_counts is written in any case. */
RESULT conf_parse(struct span text, const char *origin, const struct conf_files *files, struct strbuf *report,
    struct conf_counts *ret_counts, struct conf **ret) __attribute__((nonnull(2, 3, 5, 6)));
/* The same, but *ret is given on ERR_FORMAT too: what could be read, for further checks. Never to be worked by. */
RESULT conf_parse_partly(struct span text, const char *origin, const struct conf_files *files, struct strbuf *report,
    struct conf_counts *ret_counts, struct conf **ret) __attribute__((nonnull(2, 3, 5, 6)));
/* As conf_with_option. */
RESULT conf_parse_option(const struct conf *c, const char *name, const char *value, struct strbuf *report, struct conf **ret)
    __attribute__((nonnull(1, 2, 3, 5)));

#endif
