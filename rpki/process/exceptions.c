#include "rpki/process/exceptions.h"

#include <errno.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#define REPORT_OCTETS (64u * 1024)
#define SLURM_OCTETS ((size_t)1 << 30) /* of a file with exceptions */

struct exceptions {
	const struct conf_clause *rpki SHARED_FIELD;
	struct slurm *slurm OWNED_FIELD;
	struct file_seen *seen OWNED_FIELD; /* of each file */
	size_t nseen;
};

/* Notes how the files look now. True when one of them looks different than before. */
bool exceptions_changed(struct exceptions *x)
{
	const struct conf_clause *rpki = x->rpki;
	size_t n = conf_count(rpki, OPT_RPKI_SLURM);
	bool changed = n != x->nseen;

	if (changed) {
		void *p = x->seen;
		struct result r = mem_resize(&p, x->nseen, n, sizeof *x->seen);

		x->seen = (struct file_seen *)p;
		if (!OK(r))
			return false; /* another time */
		x->nseen = n;
	}
	for (size_t i = 0; i < n; i++) {
		struct file_seen now = file_look(conf_item(rpki, OPT_RPKI_SLURM, i));

		changed |= !file_same(&now, &x->seen[i]);
		x->seen[i] = now;
	}
	return changed;
}

static RESULT read_file(const char *path, char **ret_text, size_t *ret_n)
{
	struct result r = file_read_all(path, SLURM_OCTETS, ret_text, ret_n);

	if (!OK(r))
		log_error("slurm: %s cannot be read: %s", path, r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
	return r;
}

/* texts: n pointers, made and freed by the caller */
static RESULT read_files(const struct conf_clause *rpki, size_t n, char **texts, struct slurm_file *files, struct slurm **ret_slurm)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(REPORT_OCTETS);
	struct result r;

	if (report == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++) {
		const char *path = conf_item(rpki, OPT_RPKI_SLURM, i);
		size_t octets;

		TRY(read_file(path, &texts[i], &octets));
		files[i] = (struct slurm_file){ .name = path, .text = span_of(texts[i], octets) };
	}
	r = slurm_read(files, n, report, ret_slurm);
	log_lines(LOG_LEVEL_ERROR, "", strbuf_text(report));
	return r;
}

/* All files; on an error the old exceptions stay. */
RESULT exceptions_read(struct exceptions *x)
{
	const struct conf_clause *rpki = x->rpki;
	size_t n = conf_count(rpki, OPT_RPKI_SLURM);
	AUTO(mem_free) void *texts = mem_alloc_array(n, sizeof(char *)), *files = mem_alloc_array(n, sizeof(struct slurm_file));
	AUTO(slurm_free) struct slurm *s = NULL;
	struct result r = FAIL(ERR_NOMEM);

	(void)exceptions_changed(x);
	if (texts != NULL && files != NULL)
		r = read_files(rpki, n, (char **)texts, (struct slurm_file *)files, &s);
	for (size_t i = 0; texts != NULL && i < n; i++)
		mem_free(((char **)texts)[i]); /* own-ok: R4 the array owned it */
	TRY(r);
	slurm_free(MOVE(x->slurm));
	x->slurm = MOVE(s);
	mem_trim(); /* reading takes many times what is kept */
	return DONE;
}

const struct slurm *exceptions_now(const struct exceptions *x)
{
	return x->slurm;
}

void exceptions_free(struct exceptions *x)
{
	if (x == NULL)
		return;
	slurm_free(x->slurm);
	mem_free(x->seen);
	mem_free(x);
}

RESULT exceptions_new(const struct conf_clause *rpki, struct exceptions **ret)
{
	AUTO(exceptions_free) struct exceptions *x = (struct exceptions *)mem_alloc(sizeof *x);

	if (x == NULL)
		return FAIL(ERR_NOMEM);
	x->rpki = rpki;
	TRY(exceptions_read(x));
	*ret = MOVE(x);
	return DONE;
}
