/*
 * simulate.c: whole runs of the resolver in a virtual Internet, one for each seed, with what must hold in every one of them:
 *
 *   O1  nothing crashes, also when memory runs out (forks of a run in which the n-th allocation fails); sanitizer builds have more to say
 *   O2  every question gets exactly one reply, within a time (or none where a stated policy drops it, and counts that)
 *   O3  when all is closed, nothing is left: memory, handles, sockets
 *   O4  no question costs more upstream packets than the budgets allow
 *   O5  no forged record reaches a client or a cache, whoever sent it; and no record at all, in any section, that no server said of a name which it has a say on
 *   O6  every reply is the model's right answer, no older than its TTL; or SERVFAIL where the network or the servers are to blame
 *   O7  the same seed gives the same run
 *   O8  events come for closed objects only where owners are closed early
 *   O9  in signed worlds (one seed in three): AD is on what is secure and never on anything else, and then the data is right whatever servers and network do; what is
 *       bogus is SERVFAIL with an extended error, but for clients with CD; secure answers to DO have their signatures
 *  O10 under require-not-invalid (one seed in eight) nothing that a server says reaches a client or a cache, when the route to it is invalid
 *
 *     simulate [-v] SEED            one run; -v tells what happens
 *     simulate FIRST LAST           many; a failing seed is named; the last line is "N passed, N failed"
 *     simulate -f FILE              the seeds of a file, one a line
 *     simulate -a                   single questions about zones made to be dear, and what they cost (attacks.c)
 *     simulate -m POINTS FIRST LAST memory runs out at that many points of each run (hunger.h)
 *     simulate [-v] -m @N SEED      at one
 *     simulate -p                   the names of the plants
 *
 * CAIRN_SIM_TWICE=N: each N-th seed is run twice and the traces compared (default 20). CAIRN_SIM_PLANT=NAME: a fault of the simulator's own, which an oracle must find;
 * with -m in the children, where it may also be "crash".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tests/sim/hunger.h"
#include "tests/sim/run.h"

static const char *const plants[PLANTS] = {
	[PLANT_NONE] = "none", [PLANT_DOUBLE_REPLY] = "double-reply", [PLANT_DROP] = "drop", [PLANT_LEAK] = "leak", [PLANT_HANDLE] = "handle",
	[PLANT_SOCKET] = "socket", [PLANT_STORM] = "storm", [PLANT_FORGE] = "forge", [PLANT_FORGE_CACHE] = "forge-cache", [PLANT_WRONG] = "wrong",
	[PLANT_NONDETERMINISM] = "nondeterminism", [PLANT_STALE] = "stale", [PLANT_RESTLESS] = "restless", [PLANT_OLD] = "old",
	[PLANT_SIGN_FORGERY] = "sign-forgery", [PLANT_SIGN_INSECURE] = "sign-insecure", [PLANT_SIGN_BOGUS] = "sign-bogus",
	[PLANT_FOREIGN] = "foreign", [PLANT_HIJACK] = "hijack",
};

struct totals {
	uint64_t passed, failed, questions, packets, failures, missing, dearest;
};

static enum plant plant_wanted(void)
{
	const char *name = getenv("CAIRN_SIM_PLANT");

	for (unsigned int i = 0; name != NULL && i < PLANTS; i++) {
		if (strcmp(name, plants[i]) == 0)
			return (enum plant)i;
	}
	if (name != NULL) {
		fprintf(stderr, "there is no plant \"%s\"\n", name);
		exit(2);
	}
	return PLANT_NONE;
}

static void one(uint64_t seed, bool twice, bool verbose, struct totals *t)
{
	static struct run r;
	uint64_t trace;
	unsigned int wrong;

	run_seed(&r, seed, plant_wanted(), verbose);
	wrong = r.wrong;
	trace = r.trace;
	t->questions += r.count;
	t->packets += r.packets;
	t->failures += r.failures;
	t->missing += r.missing;
	if (r.dearest > t->dearest)
		t->dearest = r.dearest;
	if (twice) {
		run_seed(&r, seed, plant_wanted(), false);
		if (r.trace != trace)
			complain(&r, NULL, "the second run of this seed differs from the first");
		wrong += r.wrong;
	}
	if (wrong == 0)
		t->passed++;
	else
		t->failed++;
}

static bool from_file(const char *path, struct totals *t)
{
	FILE *f = fopen(path, "r");
	char line[400];

	if (f == NULL)
		return false;
	while (fgets(line, sizeof line, f) != NULL) {
		if (line[0] >= '0' && line[0] <= '9')
			one(strtoull(line, NULL, 10), false, false, t);
	}
	fclose(f);
	return true;
}

static int usage(void)
{
	fputs("simulate [-v] SEED | simulate FIRST LAST | simulate -f FILE | simulate [-v] -a | simulate [-v] -m POINTS|@N FIRST [LAST] | simulate -p\n", stderr);
	return 2;
}

static int hungry(const char *points, const char *first, const char *last, bool verbose)
{
	const char *name = getenv("CAIRN_SIM_PLANT");
	bool crash = name != NULL && strcmp(name, "crash") == 0;
	enum plant plant = crash ? PLANT_NONE : plant_wanted();
	uint64_t allocations = 0, forks = 0, passed = 0, failed = 0, to = strtoull(last, NULL, 10);

	for (uint64_t seed = strtoull(first, NULL, 10); seed <= to; seed++) {
		struct hunger h = { .verbose = verbose, .crash = crash };

		if (points[0] == '@')
			h.only = strtoull(points + 1, NULL, 10);
		else
			h.points = strtoull(points, NULL, 10);
		if (hunger_run(&h, seed, plant))
			passed++;
		else
			failed++;
		allocations += h.allocations;
		forks += h.forks;
	}
	printf("%llu allocations, memory ran out at %llu of them\n%llu passed, %llu failed\n", (unsigned long long)allocations, (unsigned long long)forks,
	    (unsigned long long)passed, (unsigned long long)failed);
	return failed != 0;
}

static int result(const struct totals *t)
{
	printf("%llu questions, %llu upstream packets, dearest question %llu, %llu failures told, %llu dropped by policy\n",
	    (unsigned long long)t->questions, (unsigned long long)t->packets, (unsigned long long)t->dearest, (unsigned long long)t->failures,
	    (unsigned long long)t->missing);
	printf("%llu passed, %llu failed\n", (unsigned long long)t->passed, (unsigned long long)t->failed);
	return t->failed != 0;
}

int main(int argc, char **argv)
{
	bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	const char *twice = getenv("CAIRN_SIM_TWICE");
	uint64_t first, last, every = twice != NULL ? strtoull(twice, NULL, 10) : 20;
	struct totals t = { 0 };

	argc -= verbose;
	argv += verbose;
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_set_level(verbose ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR);
	if (argc == 2 && strcmp(argv[1], "-p") == 0) {
		for (unsigned int i = 1; i < PLANTS; i++)
			puts(plants[i]);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "-a") == 0) {
		unsigned int passed = 0, failed = attacks_run(verbose, &passed);

		printf("%u passed, %u failed\n", passed, failed);
		return failed != 0;
	}
	if ((argc == 4 || argc == 5) && strcmp(argv[1], "-m") == 0)
		return hungry(argv[2], argv[3], argv[argc - 1], verbose);
	if (argc == 3 && strcmp(argv[1], "-f") == 0)
		return from_file(argv[2], &t) ? result(&t) : usage();
	if (argc < 2 || argc > 3 || argv[1][0] < '0' || argv[1][0] > '9')
		return usage();
	first = strtoull(argv[1], NULL, 10);
	last = argc == 3 ? strtoull(argv[2], NULL, 10) : first;
	for (uint64_t seed = first; seed <= last; seed++)
		one(seed, every != 0 && seed % every == 0, verbose, &t);
	return result(&t);
}
