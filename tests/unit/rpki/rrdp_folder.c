/*
 * rrdp_folder FOLDER STORE TAL CERT-URI CERT-FILE TIME NOTIFY: one RRDP repository whose files lie in a folder as HOST/PATH of their URIs, brought into a store and validated from there: prints the
 * VRPs as "ASN,PREFIX,MAXLENGTH", sorted. The same again into the same store says "unchanged" on standard error.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/engine.h"
#include "rpki/fetch/rrdp_keep.h"
#include "rpki/routes/table.h"
#include "rpki/store/store.h"
#include "rpki/validate/stored.h"

static const char *folder BORROWED_FIELD;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "rrdp_folder: %s: %s\n", what, why);
	exit(1);
}

static char *file_of(const char *uri, size_t *n) OWNED_BY(mem_free);
static char *file_of(const char *uri, size_t *n)
{
	AUTO_CHARS char *path = mem_printf("%s/%s", folder, uri + strlen("https://")), *text = NULL;

	if (path == NULL || !OK(file_read_all(path, 1u << 30, &text, n)))
		return NULL;
	return MOVE(text);
}

static void fetch(struct rrdp_sync *s, const struct rrdp_request *q)
{
	AUTO_CHARS char *uri = mem_strdup(q->uri);
	size_t n = 0;
	AUTO_CHARS char *text = uri != NULL ? file_of(uri, &n) : NULL;
	struct result r = rrdp_sync_answer(s, text != NULL ? 200 : 404, "", "");

	for (size_t at = 0; OK(r) && text != NULL && at < n; at += 8192)
		r = rrdp_sync_data(s, span_of(text + at, n - at < 8192 ? n - at : 8192));
	rrdp_sync_end(s, ERR_NONE, "");
}

static void bring(struct store *s, const char *notify, int64_t now)
{
	static const char *const words[] = { "under way", "unchanged", "by deltas", "by snapshot", "failed" };
	AUTO(rrdp_keep_free) struct rrdp_keep *k = rrdp_keep_new(s, notify, now);
	AUTO(arena_free) struct arena *a = arena_new(0);
	AUTO(rrdp_sync_free) struct rrdp_sync *sync = NULL;
	struct rrdp_limits limits = rrdp_limits_default();
	struct rrdp_options o = { .uri = notify, .limits = &limits };
	const struct rrdp_request *q;
	struct rrdp_store to;
	struct rrdp_report rep;

	if (k == NULL || a == NULL || !OK(rrdp_keep_state(k, a, &o.state)))
		die(notify, "out of memory");
	to = rrdp_keep_store(k);
	sync = rrdp_sync_new(&o, &to);
	if (sync == NULL)
		die(notify, "out of memory");
	while ((q = rrdp_sync_request(sync)) != NULL)
		fetch(sync, q);
	rep = rrdp_sync_report(sync);
	fprintf(stderr, "%s, serial %llu %s\n", words[rep.outcome], (unsigned long long)rep.serial, rep.why);
	if (rep.outcome == RRDP_FAILED)
		exit(1);
}

static void put_anchor(struct store *s, const char *uri, const char *path)
{
	AUTO(store_update_free) struct store_update *u = NULL;
	AUTO_CHARS char *text = NULL;
	size_t n = 0;

	if (!OK(file_read_all(path, 1 << 20, &text, &n)))
		die(path, strerror(errno));
	if (!OK(store_update_begin(s, STORE_ANCHOR, span_text(uri), STORE_REPLACE, &u)) || !OK(store_update_publish(u, span_text(uri), NULL, span_of(text, n))) ||
	    !OK(store_update_commit(u, span_text("x"), 0)))
		die(path, "cannot be stored");
}

static void print(const struct payload_table *t)
{
	for (size_t i = 0; i < table_count(t, PAYLOAD_VRP); i++) {
		struct vrp v = table_vrp(t, i);
		struct addr a = { .family = v.family };
		char room[ADDR_TEXT];

		memcpy(a.b, v.addr, sizeof v.addr);
		printf("AS%u,%s/%u,%u\n", v.asn, addr_text(&a, room), v.len, v.maxlen);
	}
}

static void validate(struct store *s, const char *tal, int64_t now)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(10000), *lines = strbuf_new(10000);
	AUTO(stored_free) struct stored *from = stored_new(s, true);
	AUTO(locators_free) struct locators *l = NULL;
	AUTO(table_unref) struct payload_table *t = NULL;
	struct anchor_result anchor;
	struct engine_options o = { .now = now, .threads = 2, .limits = validate_limits_default(), .generation = 1 };

	if (why == NULL || lines == NULL || from == NULL)
		die(tal, "out of memory");
	if (!OK(locators_load(NULL, &tal, 1, why, &l)))
		die(tal, strbuf_text(why));
	o.objects = stored_objects(from);
	o.keeper = stored_keeper(from);
	o.locators = l;
	if (!OK(engine_run(&o, &anchor, &t, NULL)))
		die(tal, "validation failed");
	if (!OK(stored_write_kept(from)))
		die(tal, "the last good states cannot be written");
	engine_report(l, &anchor, lines);
	fputs(strbuf_text(lines), stderr);
	print(t);
}

int main(int argc, char **argv)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(1000);
	AUTO(store_close) struct store *s = NULL;
	struct store_limits l = store_limits_default();
	int64_t now;

	if (argc != 8) {
		fprintf(stderr, "usage: rrdp_folder FOLDER STORE TAL CERT-URI CERT-FILE TIME NOTIFY\n");
		return 2;
	}
	folder = argv[1];
	now = strtoll(argv[6], NULL, 10);
	if (why == NULL || !OK(store_open(argv[2], &l, why, &s)))
		die(argv[2], why != NULL ? strbuf_text(why) : "out of memory");
	put_anchor(s, argv[4], argv[5]);
	bring(s, argv[7], now);
	validate(s, argv[3], now);
	return 0;
}
