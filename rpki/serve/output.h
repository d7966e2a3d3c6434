/*
 * output.h: a table as text, in the formats of Routinator and rpki-client, octet for octet. Rendered in pieces, so that a table of a million entries needs no buffer of its
 * size: for files, and for whoever sends it over a network.
 */
#ifndef RPKI_SERVE_OUTPUT_H
#define RPKI_SERVE_OUTPUT_H

#include "base/strbuf.h"
#include "conf/conf.h"
#include "rpki/routes/table.h"

enum output_format {
	OUTPUT_CSV,
	OUTPUT_CSVCOMPAT,
	OUTPUT_CSVEXT,
	OUTPUT_JSON,
	OUTPUT_JSONEXT,
	OUTPUT_OPENBGPD,
	OUTPUT_BIRD1,
	OUTPUT_BIRD2,
	OUTPUT_RPSL,
	OUTPUT_SLURM,
	OUTPUT_SLURM2,
	OUTPUT_SUMMARY,
	OUTPUT_RPKI_CLIENT, /* its json */
	OUTPUT_FORMATS
};

/* Of one trust anchor, or in all: a block of the summary. */
struct output_tally {
	const char *name BORROWED_FIELD;
	uint64_t roas, vrps, vrps_final, router_certs, router_keys, router_keys_final, aspas, aspas_final;
};

/* A member of the metadata of rpki-client's json: text, a list of texts, or a number, whichever is there first. */
struct output_member {
	const char *name BORROWED_FIELD;
	const char *text BORROWED_FIELD;
	const char *const *list BORROWED_FIELD;
	size_t n; /* of list */
	int64_t number;
};

/* A certification authority without usable data, as rpki-client's json lists them. */
struct output_nonfunctional {
	const char *location BORROWED_FIELD;
	const char *ta BORROWED_FIELD;
	const char *ca_repository BORROWED_FIELD;
	const char *manifest BORROWED_FIELD;
	const char *ski BORROWED_FIELD;
};

/* What a table does not say. Everything may be zero. */
struct output_info {
	int64_t generated_sec;
	bool exclude[PAYLOAD_KINDS];
	const struct output_tally *tallies BORROWED_FIELD; /* of the trust anchors */
	size_t ntallies;
	struct output_tally total; /* its name does not count */
	const struct output_member *members BORROWED_FIELD;
	size_t nmembers;
	const struct output_nonfunctional *nonfunctional BORROWED_FIELD;
	size_t nnonfunctional;
};

struct output;

void output_free(struct output *o) TAKES(1);
/* t and info (with what it points at) outlive it. ERR_NOMEM. */
RESULT output_new(enum output_format f, const struct payload_table *t, const struct output_info *info, struct output **ret_output) NONNULL;
DEFINE_AUTO(struct output, output_free)
/* Appends to out until it has at least `want` octets, or all is said. True: there is more. Errors are out's. */
bool output_more(struct output *o, struct strbuf *out, size_t want) NONNULL;

/* The whole of it as a file, replaced in one step. */
RESULT output_write_file(enum output_format f, const struct payload_table *t, const struct output_info *info, const char *path) NONNULL;
/* The option of rpki: that names the file of a format. */
enum conf_opt output_option(enum output_format f);

#endif
