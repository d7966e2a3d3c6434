/*
 * engine.h: one run of the relying party: trust anchor locators are read, objects validated, and a table of payloads comes out. Called by the daemon between two fetches, or once.
 */
#ifndef RPKI_ENGINE_H
#define RPKI_ENGINE_H

#include "rpki/validate/unsafe.h"
#include "rpki/validate/validate.h"

struct payload_table;
struct strbuf;

/* Trust anchor locators by name, in the order of their names. */
struct locators;
void locators_free(struct locators *l) TAKES(1);
DEFINE_AUTO(struct locators, locators_free)
/* All files of the folder (NULL or "": none) that end in ".tal", and these files. What cannot be read is an error, and in `why` with its name. ERR_SYSTEM, ERR_NOTFOUND, ERR_LIMIT,
 * ERR_EXISTS: two of one name; ERR_NOMEM. */
RESULT locators_load(const char *folder, const char *const *files, size_t n, struct strbuf *why, struct locators **ret) __attribute__((nonnull(4, 5)));
size_t locators_count(const struct locators *l) NONNULL;
const struct anchor_locator *locators_list(const struct locators *l) BORROWED NONNULL;

struct engine_options {
	int64_t now;
	unsigned int threads;
	struct validate_limits limits;
	const struct objects *objects BORROWED_FIELD;
	struct objects_keeper *keeper BORROWED_FIELD; /* may be NULL */
	const struct locators *locators BORROWED_FIELD;
	enum unsafe_policy unsafe;
	uint32_t unsafe_ranges;        /* as of unsafe_new() */
	uint64_t generation;           /* of the table */
	struct strbuf *refused BORROWED_FIELD; /* gets a line for each object that was refused; may be NULL */
};
/* ret_anchors: one for each locator. *ret_table is the caller's, and so is *ret_unsafe: what is unsafe of what was found, or NULL; ret_unsafe may be NULL. ERR_NOMEM, ERR_SYSTEM. */
RESULT engine_run(const struct engine_options *o, struct anchor_result *ret_anchors, struct payload_table **ret_table, struct payload_table **ret_unsafe)
    __attribute__((nonnull(1, 2, 3)));
/* A line for each trust anchor, and a warning for each that was not usable. */
void engine_report(const struct locators *l, const struct anchor_result *anchors, struct strbuf *out) NONNULL;

#endif
