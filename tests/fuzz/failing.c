/*
 * failing.c: a fuzz target's corpus again and again, each time with another allocation failing.
 *
 *     TARGET --failing[=SECONDS] FILE-OR-DIRECTORY...      (SECONDS 0, the default: until every point was tried)
 *
 * For each input the allocations of a run are counted; then allocation 1, 2, 3, ... fails, once alone and once with all after it. When SECONDS do not last for all points, they
 * go round the inputs with points spread over each run, and the last line says how many there were. After each run memory must be what it was before, and now and then a run
 * in which nothing fails must ask for memory as often as the first did. A crash or a sanitizer's report names input and point. What a target cannot promise while memory fails
 * it leaves out when mem_failed(); what it allocates for itself it puts between mem_fail_hold(true) and mem_fail_hold(false), or does without.
 */
#include "tests/fuzz/failing.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A target may link without the allocator (and then there is nothing to fail), and a build without a sanitizer has no death to call back from. */
void __sanitizer_set_death_callback(void (*fn)(void)) __attribute__((weak));
#pragma weak mem_fail_ask
#pragma weak mem_usage

#define BATCH 24u /* points of one input before the next has its turn */

struct input {
	char *path BORROWED_FIELD; /* never freed: the program ends with them */
	uint8_t *data BORROWED_FIELD;
	size_t size;
	uint64_t points; /* allocations of a run */
	uint64_t tried;
	uint64_t step;   /* without a common divisor with points, so that tried * step visits them all, spread */
};

static struct input *inputs OWNED_FIELD;
static size_t input_count, input_room;
static uint64_t at, seen; /* the point, and the allocations of this run so far */
static bool all_after;
static const struct input *now_with PARENT_FIELD;
static unsigned long runs, wrong;

static bool ask(void *ctx)
{
	(void)ctx;
	seen++;
	return at != 0 && (seen == at || (all_after && seen > at));
}

static void name_the_point(void)
{
	char line[PATH_MAX + 100];
	int n = snprintf(line, sizeof line, "%s: allocation %llu failing%s\n", now_with != NULL ? now_with->path : "?", (unsigned long long)at,
	    all_after ? ", and all after it" : "");

	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

static void on_signal(int signo)
{
	name_the_point();
	signal(signo, SIG_DFL);
	raise(signo);
}

/* One run in which allocation k fails (0: none). The count of allocations comes back. */
static uint64_t run(const struct input *in, uint64_t k, bool burst)
{
	struct mem_usage before = mem_usage(), after;
	uint8_t *data = malloc(in->size > 0 ? in->size : 1); /* of exactly its size, so that a read past it is seen */

	if (data == NULL)
		abort();
	memcpy(data, in->data, in->size);
	now_with = in;
	at = k;
	all_after = burst;
	seen = 0;
	mem_fail_ask(ask, NULL);
	LLVMFuzzerTestOneInput(data, in->size);
	mem_fail_ask(NULL, NULL);
	free(data);
	runs++;
	after = mem_usage();
	if (after.objects != before.objects) {
		fprintf(stderr, "%lld allocations are left: ", (long long)(after.objects - before.objects));
		name_the_point();
		wrong++;
	}
	return seen;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	return b == 0 ? a : common_divisor(b, a % b);
}

static void prepare(struct input *in)
{
	(void)run(in, 0, false); /* what libraries keep for good is asked for now */
	in->points = run(in, 0, false);
	in->step = in->points * 618 / 1000 | 1;
	while (common_divisor(in->points, in->step) > 1)
		in->step += 2;
}

/* Short runs from their beginning, long ones in steps that visit all of them. */
static void try_point(struct input *in)
{
	uint64_t k = in->points < 200 ? in->tried : in->tried * in->step % in->points;

	(void)run(in, k + 1, false);
	(void)run(in, k + 1, true);
	in->tried++;
}

static bool try_batch(struct input *in)
{
	for (unsigned int i = 0; i < BATCH && in->tried < in->points; i++)
		try_point(in);
	if (run(in, 0, false) != in->points) {
		fprintf(stderr, "%s: after runs without memory it no longer runs as it did\n", in->path);
		wrong++;
	}
	return in->tried < in->points;
}

/* --- inputs */

static void add_input(const char *path, const uint8_t *data, size_t size)
{
	if (input_count == input_room) {
		input_room = input_room == 0 ? 64 : input_room * 2;
		inputs = realloc(inputs, input_room * sizeof *inputs);
		if (inputs == NULL)
			abort();
	}
	inputs[input_count] = (struct input){ .path = strdup(path), .data = malloc(size + 1), .size = size };
	if (inputs[input_count].path == NULL || inputs[input_count].data == NULL)
		abort();
	memcpy(inputs[input_count].data, data, size);
	input_count++;
}

static bool add_file(const char *path, size_t size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(size + 1);
	bool good = f != NULL && data != NULL && fread(data, 1, size, f) == size;

	if (good)
		add_input(path, data, size);
	else
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	free(data);
	if (f != NULL)
		fclose(f);
	return good;
}

static bool add_path(const char *path)
{
	struct stat st;
	struct dirent **names;
	bool good = true;
	int n;

	if (stat(path, &st) != 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	if (!S_ISDIR(st.st_mode))
		return add_file(path, (size_t)st.st_size);
	n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char sub[PATH_MAX];

		if (names[i]->d_name[0] != '.' && (size_t)snprintf(sub, sizeof sub, "%s/%s", path, names[i]->d_name) < sizeof sub)
			good &= add_path(sub);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return good && n >= 0;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int failing_main(const char *how, int count, char **paths)
{
	double end = seconds() + (*how == '=' ? strtod(how + 1, NULL) : 0);
	bool limited = *how == '=' && strtod(how + 1, NULL) > 0, more = true, good = true;
	uint64_t points = 0, tried = 0;

	if (mem_fail_ask == NULL || mem_usage == NULL) {
		puts("nothing here asks for memory");
		return 0;
	}
	add_input("(empty)", (const uint8_t *)"", 0);
	for (int i = 0; i < count; i++)
		good &= add_path(paths[i]);
	if (__sanitizer_set_death_callback != NULL)
		__sanitizer_set_death_callback(name_the_point);
	signal(SIGABRT, on_signal);
	if (__sanitizer_set_death_callback == NULL)
		signal(SIGSEGV, on_signal);
	for (size_t i = 0; i < input_count && (!limited || seconds() < end); i++) {
		prepare(&inputs[i]);
		points += inputs[i].points;
	}
	while (more && wrong < 20 && (!limited || seconds() < end)) {
		more = false;
		for (size_t i = 0; i < input_count && (!limited || seconds() < end); i++)
			more |= inputs[i].tried < inputs[i].points && try_batch(&inputs[i]);
	}
	for (size_t i = 0; i < input_count; i++)
		tried += inputs[i].tried;
	printf("%zu inputs, %llu of %llu points, %lu runs, %lu wrong\n", input_count, (unsigned long long)tried, (unsigned long long)points, runs, wrong);
	return good && wrong == 0 ? 0 : 1;
}
