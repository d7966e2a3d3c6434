/*
 * main() for a fuzz target that is built without a fuzzing engine: it gives every named file, and every file in a named directory, to
 * LLVMFuzzerTestOneInput() once. Without arguments it takes the directory tests/fuzz/<target>.corpus of the source tree ($CAIRN_SRC), and the empty
 * input. It links with the C library only, so that it tells nothing about the code under test but what the target itself says. With --failing first
 * it does something else: failing.c.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/failing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static unsigned long runs;

static void run_one(const uint8_t *data, size_t size)
{
	LLVMFuzzerTestOneInput(data, size);
	runs++;
}

/* The input is an allocation of exactly its size, so that AddressSanitizer sees a read of one octet too much. */
static int run_file(const char *path, size_t size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(size > 0 ? size : 1);
	size_t got;

	if (f == NULL || data == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		free(data);
		if (f != NULL)
			fclose(f);
		return 1;
	}
	got = fread(data, 1, size, f);
	fclose(f);
	if (got == size)
		run_one(data, size);
	else
		fprintf(stderr, "%s: short read\n", path);
	free(data);
	return got == size ? 0 : 1;
}

static int run_path(const char *path);

static int run_dir(const char *path)
{
	struct dirent **names;
	int failed = 0;
	int n = scandir(path, &names, NULL, alphasort);

	if (n < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	for (int i = 0; i < n; i++) {
		char sub[PATH_MAX];

		if (names[i]->d_name[0] != '.') {
			if ((size_t)snprintf(sub, sizeof(sub), "%s/%s", path, names[i]->d_name) < sizeof(sub))
				failed |= run_path(sub);
			else
				failed = 1;
		}
		free(names[i]);
	}
	free(names);
	return failed;
}

static int run_path(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	if (S_ISDIR(st.st_mode))
		return run_dir(path);
	return run_file(path, (size_t)st.st_size);
}

/* tests/fuzz/<target>.corpus below the source tree; a target without a corpus still gets the empty input */
static int run_own_corpus(const char *argv0)
{
	const char *src = getenv("CAIRN_SRC");
	const char *slash = strrchr(argv0, '/');
	char path[PATH_MAX];
	struct stat st;
	int len = snprintf(path, sizeof(path), "%s/tests/fuzz/%s.corpus", src != NULL ? src : ".", slash != NULL ? slash + 1 : argv0);

	run_one((const uint8_t *)"", 0);
	if (len < 0 || (size_t)len >= sizeof(path) || stat(path, &st) != 0) {
		fprintf(stderr, "%s: no corpus\n", argv0);
		return 1;
	}
	return run_dir(path);
}

int main(int argc, char **argv)
{
	int failed = 0;

	if (LLVMFuzzerInitialize != NULL)
		LLVMFuzzerInitialize(&argc, &argv);
	if (argc > 1 && strncmp(argv[1], "--failing", 9) == 0)
		return failing_main(argv[1] + 9, argc - 2, argv + 2);
	if (argc < 2)
		failed = run_own_corpus(argv[0]);
	for (int i = 1; i < argc; i++)
		if (argv[i][0] != '-')
			failed |= run_path(argv[i]);
	printf("%lu inputs\n", runs);
	return failed;
}
