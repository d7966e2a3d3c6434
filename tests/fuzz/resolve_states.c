/*
 * resolve_states.c: which arrows of the drawing in resolver/core/query.c the scripts of fuzz_resolve's corpus go along: a table, and an error when one that is drawn was not taken, or
 * one was taken that is not drawn. Arguments: directories and files; without any the corpus of the source tree ($CAIRN_SRC).
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "tests/fuzz/script_run.h"

static const char *const names[QUERY_STATES] = {
	[QUERY_LOOKUP] = "LOOKUP", [QUERY_LOCATE] = "LOCATE", [QUERY_SELECT] = "SELECT", [QUERY_ASKING] = "ASKING", [QUERY_STEP] = "STEP", [QUERY_TARGETS] = "TARGETS",
	[QUERY_PRIMING] = "PRIMING", [QUERY_VALIDATE] = "VALIDATE", [QUERY_CHAIN] = "CHAIN", [QUERY_STORE] = "STORE", [QUERY_REMOTE] = "REMOTE", [QUERY_DONE] = "DONE",
};

#define TO(s) (1u << (s))
#define MOST_FAILING 160u
static const unsigned int drawn[QUERY_STATES] = {
	[QUERY_LOOKUP] = TO(QUERY_LOCATE) | TO(QUERY_VALIDATE) | TO(QUERY_REMOTE) | TO(QUERY_DONE),
	[QUERY_LOCATE] = TO(QUERY_SELECT) | TO(QUERY_PRIMING) | TO(QUERY_DONE),
	[QUERY_SELECT] = TO(QUERY_ASKING) | TO(QUERY_STEP) | TO(QUERY_TARGETS) | TO(QUERY_VALIDATE) | TO(QUERY_LOCATE) | TO(QUERY_DONE),
	[QUERY_ASKING] = TO(QUERY_SELECT) | TO(QUERY_VALIDATE) | TO(QUERY_DONE),
	[QUERY_STEP] = TO(QUERY_LOCATE) | TO(QUERY_DONE),
	[QUERY_TARGETS] = TO(QUERY_SELECT) | TO(QUERY_DONE),
	[QUERY_PRIMING] = TO(QUERY_LOCATE) | TO(QUERY_DONE),
	[QUERY_VALIDATE] = TO(QUERY_STORE) | TO(QUERY_CHAIN) | TO(QUERY_SELECT) | TO(QUERY_LOOKUP) | TO(QUERY_LOCATE) | TO(QUERY_DONE),
	[QUERY_CHAIN] = TO(QUERY_VALIDATE) | TO(QUERY_DONE),
	[QUERY_STORE] = TO(QUERY_LOOKUP) | TO(QUERY_DONE),
	[QUERY_REMOTE] = TO(QUERY_LOOKUP) | TO(QUERY_DONE),
};

static void run_file(const char *path, unsigned int seen[QUERY_STATES])
{
	struct script *s = malloc(sizeof *s);
	uint8_t *data = malloc(SCRIPT_MAX);
	struct script_result r;
	FILE *f = fopen(path, "rb");

	if (s == NULL || data == NULL || f == NULL) {
		perror(path);
		exit(1);
	}
	script_read(span_of(data, fread(data, 1, SCRIPT_MAX, f)), s);
	fclose(f);
	/* Which allocation is that of the word between workers changes with the code: each is tried. */
	for (unsigned int n = strstr(path, "remote-memory") != NULL ? MOST_FAILING : 1; n > 0; n--) {
		if (strstr(path, "remote-memory") != NULL)
			s->head[HEAD_FAIL] = (uint8_t)n;
		script_run(s, false, &r);
		for (unsigned int i = 0; i < QUERY_STATES; i++)
			seen[i] |= r.moves[i];
	}
	free(data);
	free(s);
}

static void run_path(const char *path, unsigned int seen[QUERY_STATES])
{
	struct stat st;
	struct dirent **list;
	int n;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		run_file(path, seen);
		return;
	}
	n = scandir(path, &list, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char sub[PATH_MAX];

		if (list[i]->d_name[0] != '.' && (size_t)snprintf(sub, sizeof sub, "%s/%s", path, list[i]->d_name) < sizeof sub)
			run_path(sub, seen);
		free(list[i]);
	}
	free(list);
}

static unsigned int tell(const unsigned int seen[QUERY_STATES])
{
	unsigned int wrong = 0, taken = 0, all = 0;

	for (unsigned int i = 0; i < QUERY_STATES; i++) {
		unsigned int moves = seen[i] & ~TO(i);

		printf("%-9s", names[i]);
		for (unsigned int k = 0; k < QUERY_STATES; k++) {
			bool was = (moves >> k & 1) != 0, may = (drawn[i] >> k & 1) != 0;

			if (was || may)
				printf(" %s%s", names[k], was && may ? "" : was ? " (NOT DRAWN)" : " (NOT TAKEN)");
			wrong += was != may;
			all += may;
			taken += was && may;
		}
		putchar('\n');
	}
	printf("%u of %u arrows taken\n", taken, all);
	return wrong;
}

int main(int argc, char **argv)
{
	unsigned int seen[QUERY_STATES] = { 0 };
	const char *src = getenv("CAIRN_SRC");
	char path[PATH_MAX];

	log_set_level(LOG_LEVEL_ERROR);
	if (argc < 2) {
		if ((size_t)snprintf(path, sizeof path, "%s/tests/fuzz/fuzz_resolve.corpus", src != NULL ? src : ".") < sizeof path)
			run_path(path, seen);
	}
	for (int i = 1; i < argc; i++)
		run_path(argv[i], seen);
	return tell(seen) != 0;
}
