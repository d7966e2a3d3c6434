/*
 * calls.c: what the resolver does when system calls fail.
 *
 *     calls [-q] [-k I/N] [SCENARIO...]   all scenarios, or some; -q: at few calls only; -k: each N-th run, from the I-th (0 to N - 1), for runs side by side
 *     calls -s                            the scenarios' names
 *
 * Each scenario (scenes.c) is something that the resolver does with the system: it reads or writes a file, it starts, answers and ends. It is run once to count its calls, and then, each time in a
 * process of its own, with the first, second, third... call of each kind failing with each error that the kind may plausibly give. What must hold then: no crash and no sanitizer's report; a
 * clear error or no harm done, which is for the scenario to say; the old file or the new one, whole; no descriptor and no memory left.
 */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/failing/scenes.h"

#define RUN_SECONDS 40
#define FEW 3u        /* calls of a kind, with -q */
#define MANY 64u      /* of those kinds that come with every packet, in any case */

int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* What a run found out; in memory that parent and child share. */
struct report {
	unsigned int seen[CALL_COUNT];
	bool failed; /* the call that was to fail was made */
	char wrong[600];
};

static struct report *report;
static unsigned int passed, failed, missed;
static unsigned int turn, share, shares = 1; /* of the runs, ours are those whose turn is share (modulo shares) */

static const int *errors_of(enum call c)
{
	static const int of_open[] = { EMFILE, EACCES, 0 }, of_write[] = { ENOSPC, SHORT, EINTR, 0 }, of_read[] = { EIO, SHORT, EINTR, 0 }, of_socket[] = { EMFILE, ENOBUFS, 0 },
		of_bind[] = { EADDRINUSE, EACCES, 0 }, of_packets[] = { ENOBUFS, EAGAIN, EINTR, EPERM, 0 }, of_connect[] = { ENETUNREACH, EADDRNOTAVAIL, 0 },
		of_accept[] = { EMFILE, ECONNABORTED, 0 }, of_random[] = { ENOSYS, EINTR, SHORT, 0 }, of_recv[] = { ECONNRESET, EAGAIN, EINTR, 0 }, of_glob[] = { GLOB_NOSPACE, GLOB_ABORTED, 0 },
		of_lock[] = { ENOLCK, EINTR, 0 }, of_threads[] = { EAGAIN, 0 }, of_memory[] = { ENOMEM, 0 }, of_others[] = { EIO, 0 }, of_access[] = { EACCES, 0 };

	switch (c) {
	case CALL_open: case CALL_mkostemp:
		return of_open;
	case CALL_write: case CALL_send:
		return of_write;
	case CALL_read:
		return of_read;
	case CALL_recv: case CALL_recvmsg: case CALL_recvmmsg:
		return of_recv;
	case CALL_sendmmsg:
		return of_packets;
	case CALL_socket: case CALL_eventfd: case CALL_pipe2:
		return of_socket;
	case CALL_bind: case CALL_listen:
		return of_bind;
	case CALL_connect:
		return of_connect;
	case CALL_accept4:
		return of_accept;
	case CALL_getrandom:
		return of_random;
	case CALL_glob:
		return of_glob;
	case CALL_flock:
		return of_lock;
	case CALL_pthread_create:
		return of_threads;
	case CALL_event_base_new_with_config: case CALL_event_new: case CALL_event_add:
		return of_memory;
	case CALL_access: case CALL_chdir: case CALL_rename:
		return of_access;
	default:
		return of_others;
	}
}

/* --- one run, in a child */

static unsigned int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n;
}

static _Noreturn void run(const struct scene *s, enum call c, unsigned int n, int e)
{
	struct place p;
	struct mem_usage before;
	unsigned int files;

	(void)alarm(RUN_SECONDS);
	calls_mine(true);
	place_make(&p);
	p.error = c == CALL_glob ? 0 : e;
	s->prepare(&p);
	before = mem_usage();
	files = open_files();
	calls_mine(false);
	calls_fail(c, n, e);
	s->act(&p);
	calls_mine(true);
	report->failed = calls_failed();
	for (unsigned int i = 0; i < CALL_COUNT; i++)
		report->seen[i] = calls_seen((enum call)i);
	calls_fail(CALL_COUNT, 0, 0);
	calls_mine(false);
	if (p.wrong[0] == '\0' && open_files() != files)
		wrong(&p, "%d descriptors are left open", (int)(open_files() - files));
	if (p.wrong[0] == '\0' && mem_usage().objects != before.objects)
		wrong(&p, "%lld allocations are left", (long long)(mem_usage().objects - before.objects));
	if (p.wrong[0] == '\0')
		s->judge(&p);
	place_remove(&p);
	memcpy(report->wrong, p.wrong, sizeof report->wrong);
	fflush(NULL);
	if (p.wrong[0] == '\0' && __lsan_do_recoverable_leak_check != NULL && __lsan_do_recoverable_leak_check() != 0)
		_exit(3);
	_exit(0);
}

static const char *error_text(int e)
{
	return e == SHORT ? "half of it" : strerror(e);
}

/* False: the call was not made, and further ones will not be. */
static bool try_one(const struct scene *s, enum call c, unsigned int n, int e)
{
	int status = 0;
	pid_t child;

	memset(report, 0, sizeof *report);
	fflush(NULL);
	child = fork();
	if (child < 0)
		abort();
	if (child == 0)
		run(s, c, n, e);
	while (waitpid(child, &status, 0) < 0)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && report->wrong[0] == '\0') {
		passed++;
		return report->failed;
	}
	failed++;
	printf("%s, call %u of %s, %s: ", s->name, n, call_name(c), error_text(e));
	if (report->wrong[0] != '\0')
		printf("%s\n", report->wrong);
	else if (WIFSIGNALED(status))
		printf("signal %d%s\n", WTERMSIG(status), WTERMSIG(status) == SIGALRM ? ": it hangs" : "");
	else
		printf("status %d: a sanitizer's report\n", WEXITSTATUS(status));
	return true;
}

static void try_calls(const struct scene *s, enum call c, unsigned int count, bool few)
{
	unsigned int step = 1, most = few ? FEW : MANY;

	if (count > most)
		step = (count + most - 1) / most;
	for (const int *e = errors_of(c); *e != 0; e++) {
		for (unsigned int n = 1; n <= count; n += step) {
			if (turn++ % shares == share && !try_one(s, c, n, *e))
				missed++; /* threads: not each run makes as many calls */
		}
		if (few)
			break;
	}
}

static void try_scene(const struct scene *s, bool few)
{
	struct report clean;
	unsigned int before = passed + failed, bad = failed;

	(void)try_one(s, CALL_COUNT, 0, 0);
	if (failed > bad) {
		printf("%s fails where nothing fails\n", s->name);
		return;
	}
	clean = *report;
	for (unsigned int c = 0; c < CALL_COUNT; c++)
		try_calls(s, (enum call)c, clean.seen[c], few);
	printf("%s: %u runs, %u wrong\n", s->name, passed + failed - before, failed - bad);
}

static bool is_wanted(const char *name, int n, char **words)
{
	for (int i = 0; i < n; i++)
		if (strcmp(words[i], name) == 0)
			return true;
	return n == 0;
}

int main(int argc, char **argv)
{
	bool few = false;
	int opt;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((opt = getopt(argc, argv, "sqk:")) != -1) {
		if (opt == 's') {
			for (const struct scene *s = scenes; s->name != NULL; s++)
				puts(s->name);
			return 0;
		}
		if (opt == 'k' && sscanf(optarg, "%u/%u", &share, &shares) == 2 && shares > 0)
			continue;
		if (opt != 'q')
			return 2;
		few = true;
	}
	report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED)
		return 2;
	for (const struct scene *s = scenes; s->name != NULL; s++) {
		/* the plants are for those who name them */
		if (is_wanted(s->name, argc - optind, argv + optind) && (argc > optind || !s->plant))
			try_scene(s, few);
	}
	printf("%u calls were not made in their run\n%u passed, %u failed\n", missed, passed, failed);
	return failed != 0;
}
