/*
 * validate_tree [-v] [-t] TREE TAL TIME: validates a tree of files (walk.h) at a time in seconds, and prints its VRPs as Routinator's csv, sorted, with the
 * trust anchor named after the locator's file. -v says on standard error what was refused and why; -t prints how long it took, beside the bare
 * signature checks and hashes of the same work, instead.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "tests/unit/rpki/object/walk.h"

static double cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6;
}

/* What as many checks and as many octets hashed cost bare: with the trust anchor's key, kept or made anew, over its own certificate. */
static double floor_of(const struct walk *w, struct span certificate)
{
	AUTO(public_key_free) struct public_key *key = NULL;
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct report rep;
	uint8_t digest[32];
	struct cert c;
	double from;

	report_init(&rep);
	if (a == NULL || !OK(cert_read(certificate, CERT_TA, CERT_USE_ANY, a, &rep, &c)) || !OK(public_key_make(&c.key, &key)))
		return 0;
	from = cpu();
	for (uint64_t done = 0; done < w->hashed; done += c.tbs.n)
		sha256_of(c.tbs, digest);
	sha256_of(c.tbs, digest);
	for (uint64_t i = 0; i < w->kept_checks; i++)
		if (!public_key_verify(key, digest, c.signature))
			abort();
	for (uint64_t i = 0; i < w->fresh_checks; i++) {
		AUTO(public_key_free) struct public_key *fresh = NULL;

		if (!OK(public_key_make(&c.key, &fresh)) || !public_key_verify(fresh, digest, c.signature))
			abort();
	}
	return cpu() - from;
}

int main(int argc, char **argv)
{
	AUTO_CHARS char *tal = NULL;
	AUTO(walk_free) struct walk *w = NULL;
	bool verbose = false, timed = false, good;
	const char *name;
	size_t n = 0, len;
	int64_t now;
	double from;
	int c;

	while ((c = getopt(argc, argv, "vt")) != -1) {
		verbose = verbose || c == 'v';
		timed = timed || c == 't';
	}
	if (argc - optind != 3 || !OK(clock_parse(argv[optind + 2], &now))) {
		fprintf(stderr, "usage: validate_tree [-v] [-t] TREE TAL TIME\n");
		return 2;
	}
	if (!OK(file_read_all(argv[optind + 1], 65536, &tal, &n)))
		return 2;
	w = walk_new(argv[optind], now);
	if (w == NULL)
		return 2;
	w->verbose = verbose;
	from = cpu();
	good = walk_trust_anchor(w, span_of(tal, n));
	from = cpu() - from;
	walk_sort(w);
	name = strrchr(argv[optind + 1], '/');
	name = name != NULL ? name + 1 : argv[optind + 1];
	len = strcspn(name, ".");
	if (!timed) {
		printf("ASN,IP Prefix,Max Length,Trust Anchor\n");
		for (size_t i = 0; i < w->count; i++) {
			char room[PREFIX_TEXT];

			printf("AS%u,%s,%u,%.*s\n", w->vrps[i].as, ip_prefix_text(&w->vrps[i].p, room), w->vrps[i].max_len, (int)len, name);
		}
	}
	fputs(strbuf_text(w->log), stderr);
	fprintf(stderr, "%zu VRPs, %zu CAs (%zu without a good publication point), %zu of %zu objects valid, %zu in BER, %.3f s\n", w->count, w->cas,
	    w->failed_points, w->valid, w->objects, w->ber, from);
	if (timed) {
		double bare = floor_of(w, strbuf_span(w->anchor));

		printf("%.3f s of CPU, %.3f s bare (%zu checks with kept keys, %zu with fresh ones, %zu kB hashed): %.2f times; %.0f objects/s\n", from, bare,
		    (size_t)w->kept_checks, (size_t)w->fresh_checks, (size_t)(w->hashed / 1024), from / bare, (double)w->objects / from);
	}
	return good ? 0 : 1;
}
