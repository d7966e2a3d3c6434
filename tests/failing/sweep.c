/*
 * sweep.c: unit tests repeated with allocation 1, 2, 3, ... failing. A shared object that is loaded before a test program, as it is (LD_PRELOAD), and takes cmocka's place: for each test of
 * the program, in a child of its own each time, one more allocation fails, alone or with all after it.
 *
 * A test that insists on success fails then, and may: it ends there, also where it waits for what will not come, or goes on with the NULL that it got. What may not be is a crash or a
 * sanitizer's report within the very call that could not allocate, or later for another reason than a NULL that the test passed on; an endless loop; or, where the test gets through in spite
 * of it, memory that is left. Tests that make allocations fail themselves are left alone.
 *
 * SWEEP_POINTS: the most points of one test (40): the first ones one by one, the others spread over its run. SWEEP_MS: the time that one test may take in all (4000), which counts too: a
 * test that takes long has fewer points, 4 at least, and a program stops after twenty times that. The functions of base/mem.h are found in the program's symbol table.
 */
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <ftw.h>
#include <link.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/failing/places.h"

#define CPU_SECONDS 15  /* longer: a loop without an end */
enum { PASSED = 0, ASSERTED = 90, SKIPPED, LEFT, OWN }; /* a child's status; anything else is a crash or a report */

static struct {
	void (*fail_ask)(mem_fail_fn *fn, void *ctx);
	struct mem_usage (*usage)(void);
	void *(*alloc)(size_t n);
	void (*free)(void *p);
	void (*trace)(void); /* of a sanitizer; NULL: none */
} mem;

struct shared_counts { /* with the child */
	uint64_t seen;
	unsigned int made; /* files and folders of its own: a child that ends halfway leaves them */
	char name[8][64];
};
static struct shared_counts *counts;
static bool is_child;
static uint64_t at, seen;
static bool burst, traced; /* tell where the allocation fails */
static int report = -1; /* a file that has no name: what the child says */
static unsigned int wait_seconds; /* longer: the test waits for what does not come */
static unsigned long runs, asserted, passed, own, harness, wrong;

/* --- the program's own functions */

static int first_object(struct dl_phdr_info *i, size_t n, void *base)
{
	(void)n;
	*(uintptr_t *)base = i->dlpi_addr;
	return 1; /* the program comes first */
}

static void *find(const char *image, const char *name, uintptr_t base)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)(const void *)image;
	const Elf64_Shdr *sections = (const Elf64_Shdr *)(const void *)(image + h->e_shoff);

	for (unsigned int i = 0; i < h->e_shnum; i++) {
		const Elf64_Sym *sym = (const Elf64_Sym *)(const void *)(image + sections[i].sh_offset);

		for (size_t k = 0; sections[i].sh_type == SHT_SYMTAB && k < sections[i].sh_size / sizeof *sym; k++)
			if (ELF64_ST_TYPE(sym[k].st_info) == STT_FUNC && strcmp(image + sections[sections[i].sh_link].sh_offset + sym[k].st_name, name) == 0)
				return (void *)(base + sym[k].st_value); /* lint-ok: tidy:performance-no-int-to-ptr an address is what the table has */
	}
	return NULL;
}

static bool find_all(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uintptr_t base = 0;
	struct stat st;
	char *image;

	if (fd < 0 || fstat(fd, &st) != 0)
		return false;
	image = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	(void)close(fd);
	if (image == MAP_FAILED)
		return false;
	(void)dl_iterate_phdr(first_object, &base);
	*(void **)&mem.fail_ask = find(image, "mem_fail_ask", base);
	*(void **)&mem.usage = find(image, "mem_usage", base);
	*(void **)&mem.alloc = find(image, "mem_alloc", base);
	*(void **)&mem.free = find(image, "mem_free", base);
	*(void **)&mem.trace = find(image, "__sanitizer_print_stack_trace", base);
	(void)munmap(image, (size_t)st.st_size);
	return mem.fail_ask != NULL && mem.usage != NULL && mem.alloc != NULL && mem.free != NULL;
}

/* --- what a child leaves on disk */

static void note(const char *name)
{
	if (is_child && counts->made < sizeof counts->name / sizeof counts->name[0] && strlen(name) < sizeof counts->name[0])
		(void)strcpy(counts->name[counts->made++], name);
}

char *mkdtemp(char *name)
{
	char *(*next)(char *);

	*(void **)&next = dlsym(RTLD_NEXT, "mkdtemp");
	if (next(name) == NULL)
		return NULL;
	note(name);
	return name;
}

int mkstemp(char *name)
{
	int (*next)(char *), fd;

	*(void **)&next = dlsym(RTLD_NEXT, "mkstemp");
	fd = next(name);
	if (fd >= 0)
		note(name);
	return fd;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
	(void)st, (void)type, (void)place;
	(void)remove(path);
	return 0;
}

static void remove_left(void)
{
	for (unsigned int i = 0; i < counts->made; i++)
		(void)nftw(counts->name[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
	counts->made = 0;
}

/* --- cmocka's place */

void _fail(const char *const file, const int line)
{
	(void)file, (void)line;
	_exit(ASSERTED);
}

void _skip(const char *const file, const int line)
{
	(void)file, (void)line;
	_exit(SKIPPED);
}

static bool ask(void *ctx)
{
	(void)ctx;
	seen++;
	if (traced && at != 0 && seen == at) {
		mem.fail_ask(NULL, NULL);
		mem.trace();
		mem.fail_ask(ask, NULL);
		return true;
	}
	return at != 0 && (seen == at || (burst && seen > at));
}

static bool is_asked(void)
{
	uint64_t before = seen;

	mem.free(mem.alloc(1));
	return seen != before;
}

static _Noreturn void run_child(const struct CMUnitTest *t)
{
	void *state = t->initial_state;
	struct mem_usage before;
	bool asks;

	(void)alarm(traced ? 60 : wait_seconds);
	(void)setrlimit(RLIMIT_CPU, &(const struct rlimit){ CPU_SECONDS, CPU_SECONDS });
	(void)ftruncate(report, 0);
	(void)lseek(report, 0, SEEK_SET);
	(void)dup2(report, STDOUT_FILENO);
	(void)dup2(report, STDERR_FILENO);
	before = mem.usage();
	mem.fail_ask(ask, NULL);
	if (t->setup_func != NULL && t->setup_func(&state) != 0)
		_exit(ASSERTED);
	t->test_func(&state);
	if (t->teardown_func != NULL && t->teardown_func(&state) != 0)
		_exit(ASSERTED);
	asks = is_asked();
	counts->seen = seen - asks;
	mem.fail_ask(NULL, NULL);
	if (!asks)
		_exit(OWN);
	_exit(mem.usage().objects != before.objects ? LEFT : PASSED);
}

/* Of a stack in a report, from text on: the first place in a file of ours whose path has `in` (NULL: any). Empty: none. */
static void find_place(const char *text, const char *in, char *out, size_t room)
{
	bool begun = false;

	out[0] = '\0';
	for (const char *line = text; *line != '\0';) {
		size_t n = strcspn(line, "\n");
		const char *path = memmem(line, n, " /", 2), *file = memmem(line, n, " in ", 4);
		bool frame = n > 5 && memmem(line, n < 8 ? n : 8, "#", 1) != NULL;

		if (begun && frame && memmem(line, n, "#0 ", 3) != NULL)
			return; /* the next stack */
		begun |= frame;
		if (frame && file != NULL && path != NULL && (memmem(line, n, ".c:", 3) != NULL || memmem(line, n, ".h:", 3) != NULL) && memmem(line, n, "./", 2) == NULL &&
		    memmem(line, n, "compiler-rt", 11) == NULL && (in == NULL || memmem(line, n, in, strlen(in)) != NULL)) {
			(void)snprintf(out, room, "%.*s", (int)(n - (size_t)(file + 4 - line)), file + 4);
			return;
		}
		line += n + (line[n] != '\0');
	}
}

static int run(const struct CMUnitTest *t, uint64_t k, bool all);

static const char *find_report(char *text, size_t room)
{
	ssize_t n = pread(report, text, room - 1, 0);
	const char *crash;

	text[n > 0 ? n : 0] = '\0';
	places_name(text, room);
	crash = strstr(text, "ERROR: ");
	return crash != NULL ? crash : strstr(text, "runtime error: ");
}

/* The run is made once more and tells where the allocation failed. Where threads run it may get by this time: then the first one's report counts. True: the test itself is to blame. */
static bool is_of_the_test(const struct CMUnitTest *t, char *where, size_t room)
{
	static char before[200000], text[200000];
	char failed[400], crashed[400];
	const char *first = find_report(before, sizeof before), *crash;
	bool null;

	traced = mem.trace != NULL;
	(void)run(t, at, burst);
	traced = false;
	crash = find_report(text, sizeof text);
	find_place(text, "/tests/unit/", failed, sizeof failed);
	if (crash == NULL)
		crash = first;
	if (crash == NULL)
		return false;
	find_place(crash, NULL, where, room);
	find_place(crash, "/tests/unit/", crashed, sizeof crashed);
	null = strncmp(crash, "runtime error: ", 15) == 0 ? strstr(crash, "null pointer") != NULL :
		strstr(crash, "address points to the zero page") != NULL || strstr(crash, "address 0x000000000000") != NULL;
	return (strstr(where, "/tests/") != NULL && strstr(where, "/tests/failing/") == NULL) || (null && failed[0] != '\0' && strcmp(failed, crashed) != 0);
}

/* A report takes its time: whoever is stopped while he writes one does not wait for anything. */
static bool has_report(void)
{
	static char text[4000];
	ssize_t n = pread(report, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return strstr(text, "ERROR: ") != NULL || strstr(text, "runtime error: ") != NULL;
}

/* False: the test will not get any further. */
static bool judge(const struct CMUnitTest *t, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0, signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	char where[400] = "";

	if (signo == 0 && (code == ASSERTED || code == PASSED || code == OWN || code == SKIPPED)) {
		asserted += code == ASSERTED;
		passed += code == PASSED;
		return true;
	}
	if (signo == SIGALRM && has_report())
		signo = SIGABRT;
	if (signo == SIGALRM || (signo != SIGXCPU && signo != SIGKILL && code != LEFT && is_of_the_test(t, where, sizeof where))) {
		harness++;
		return signo != SIGALRM;
	}
	wrong++;
	printf("%s, allocation %llu failing%s: %s %d%s %s\n", t->name, (unsigned long long)at, burst ? ", and all after it" : "", signo != 0 ? "signal" : "status", signo != 0 ? signo : code,
	    code == LEFT ? ": memory is left" : signo == SIGXCPU || signo == SIGKILL ? ": a loop without an end" : ":", where);
	return true;
}

static int run(const struct CMUnitTest *t, uint64_t k, bool all)
{
	int status = 0;
	pid_t child;

	at = k;
	burst = all;
	seen = 0;
	counts->seen = 0;
	fflush(NULL);
	child = fork();
	if (child < 0)
		abort();
	if (child == 0) {
		is_child = true;
		run_child(t);
	}
	while (waitpid(child, &status, 0) < 0)
		continue;
	remove_left();
	runs++;
	return status;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void sweep(const struct CMUnitTest *t, uint64_t most, uint64_t ms)
{
	uint64_t n, one_by_one, start = now_ms(), each;
	int status = run(t, 0, false);

	each = now_ms() - start;
	if (each > 0 && ms / each < most)
		most = ms / each < 4 ? 4 : ms / each;
	one_by_one = most / 2;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != PASSED) { /* it has failures of its own, or needs something that is not there */
		own++;
		return;
	}
	n = counts->seen;
	for (uint64_t i = 0; i < n && i < most && wrong < 30; i++) {
		uint64_t k = i < one_by_one || n <= most ? i + 1 : one_by_one + 1 + (i - one_by_one) * (n - one_by_one) / (most - one_by_one);

		if (!judge(t, run(t, k, false)) || (i % 4 == 0 && !judge(t, run(t, k, true))))
			break;
	}
}

int _cmocka_run_group_tests(const char *name, const struct CMUnitTest *const tests, const size_t n, CMFixtureFunction setup, CMFixtureFunction teardown)
{
	const char *points = getenv("SWEEP_POINTS"), *ms = getenv("SWEEP_MS");
	void *state = NULL;
	uint64_t end;

	(void)name;
	if (!find_all()) {
		puts("no allocator here");
		return 0;
	}
	counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	report = memfd_create("report", 0);
	end = now_ms() + 10000 + 20 * (ms != NULL ? strtoull(ms, NULL, 10) : 4000);
	wait_seconds = 2 + (ms != NULL ? (unsigned int)strtoul(ms, NULL, 10) : 4000) / 1000;
	if (counts == MAP_FAILED || report < 0 || (setup != NULL && setup(&state) != 0))
		return 2;
	for (size_t i = 0; i < n; i++) {
		struct CMUnitTest t = tests[i];

		if (now_ms() > end) { /* the rest is left alone */
			own += n - i;
			break;
		}

		if (t.initial_state == NULL)
			t.initial_state = state;
		sweep(&t, points != NULL ? strtoull(points, NULL, 10) : 40, ms != NULL ? strtoull(ms, NULL, 10) : 4000);
	}
	if (teardown != NULL)
		(void)teardown(&state);
	printf("%zu tests (%lu left alone), %lu runs: %lu got through, %lu ended by an assertion, %lu by the test's own lack of a check\n%lu passed, %lu failed\n", n, own, runs,
	    passed, asserted, harness, runs - wrong, wrong);
	return wrong != 0;
}
