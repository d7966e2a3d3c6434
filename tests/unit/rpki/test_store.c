/* store: a source shows what was committed, all of it and at once; objects are what they were; what nobody names goes. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/liblmdb.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "rpki/object/key.h"
#include "rpki/store/store.h"

#define NOTIFY "https://rrdp.example/notification.xml"

struct place {
	char dir[64];
	struct store *s;
	struct strbuf *why;
	struct store_limits limits;
};

static void reopen(struct place *p)
{
	store_close(p->s);
	p->s = NULL;
	assert_true(OK(store_open(p->dir, &p->limits, p->why, &p->s)));
}

static int place_begin(void **state)
{
	struct place *p = mem_alloc(sizeof *p);

	assert_non_null(p);
	snprintf(p->dir, sizeof p->dir, "/tmp/cairn-store-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	p->why = strbuf_new(1000);
	p->limits = store_limits_default();
	p->limits.octets = 64u << 20;
	p->limits.batch_octets = 2000; /* many batches */
	reopen(p);
	*state = p;
	return 0;
}

static int place_end(void **state)
{
	struct place *p = *state;
	char path[100];
	static const char *const names[] = { "objects.mdb", "objects.mdb-lock", "objects.mdb.bad" };

	store_close(p->s);
	strbuf_free(p->why);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", p->dir, names[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(p->dir), 0);
	mem_free(p);
	return 0;
}

static struct span uri_of(char buf[64], int i)
{
	snprintf(buf, 64, "rsync://repo.example/ca/object-%d.roa", i);
	return span_text(buf);
}

static struct span octets_of(char buf[300], int i, int version)
{
	int n = snprintf(buf, 300, "object %d, version %d, ", i, version);

	memset(buf + n, 'a' + i % 26, (size_t)(i * 7 % 250 + n < 300 ? i * 7 % 250 : 10));
	return span_of(buf, (size_t)(n + (i * 7 % 250 + n < 300 ? i * 7 % 250 : 10)));
}

static void hash_of(int i, int version, uint8_t ret[STORE_HASH])
{
	char buf[300];

	sha256_of(octets_of(buf, i, version), ret);
}

static struct store_update *begin(struct place *p, enum store_how how)
{
	struct store_update *u = NULL;

	assert_true(OK(store_update_begin(p->s, STORE_RRDP, span_text(NOTIFY), how, &u)));
	return u;
}

static struct result publish(struct store_update *u, int i, int version, const uint8_t *replaces)
{
	char uri[64], octets[300];

	return store_update_publish(u, uri_of(uri, i), replaces, octets_of(octets, i, version));
}

static void commit(struct store_update *u, const char *text, int64_t now)
{
	assert_true(OK(store_update_commit(u, span_text(text), now)));
	store_update_free(u);
}

/* A snapshot with objects first to last - 1. */
static void put_all(struct place *p, int first, int last, int version, const char *text, int64_t now)
{
	struct store_update *u = begin(p, STORE_REPLACE);

	for (int i = first; i < last; i++)
		assert_true(OK(publish(u, i, version, NULL)));
	commit(u, text, now);
}

struct seen {
	int n;
};

static struct result one_entry(void *ctx, struct span uri, const uint8_t hash[STORE_HASH])
{
	struct seen *seen = ctx;

	(void)hash;
	assert_true(uri.n > 10);
	seen->n++;
	return DONE;
}

/* The number of entries that the source has; -1 when there is no such source. */
static int entries(struct place *p, char state[100])
{
	struct store_view *v;
	struct store_source src;
	struct seen seen = { 0 };
	struct result r;

	assert_true(OK(store_view_open(p->s, &v)));
	r = store_source(v, STORE_RRDP, span_text(NOTIFY), &src);
	if (OK(r)) {
		assert_true(OK(store_each(v, &src, one_entry, &seen)));
		if (state != NULL)
			snprintf(state, 100, "%.*s", (int)src.state.n, (const char *)src.state.p);
	} else {
		assert_int_equal(r.e, ERR_NOTFOUND);
		seen.n = -1;
	}
	store_view_close(v);
	return seen.n;
}

/* The version of an object that the source has at the i-th URI, among those up to `most`; -1: nothing there. */
static int version_at(struct place *p, int i, int most)
{
	struct store_view *v;
	struct store_source src;
	uint8_t hash[STORE_HASH], expected[STORE_HASH];
	char uri[64], octets[300];
	struct span found;
	int version = -1;

	assert_true(OK(store_view_open(p->s, &v)));
	assert_true(OK(store_source(v, STORE_RRDP, span_text(NOTIFY), &src)));
	if (OK(store_find(v, &src, uri_of(uri, i), hash))) {
		for (version = most; version >= 0; version--) {
			hash_of(i, version, expected);
			if (memcmp(hash, expected, sizeof hash) == 0)
				break;
		}
		assert_true(version >= 0);
		assert_true(OK(store_object(v, hash, &found)));
		assert_true(span_equal(found, octets_of(octets, i, version)));
	}
	store_view_close(v);
	return version;
}

static void a_snapshot_is_seen_when_it_is_complete(void **state)
{
	struct place *p = *state;
	struct store_update *u = begin(p, STORE_REPLACE);
	char text[100];

	for (int i = 0; i < 100; i++)
		assert_true(OK(publish(u, i, 1, NULL)));
	assert_int_equal(entries(p, NULL), -1);
	commit(u, "session 1 serial 5", 1000);
	assert_int_equal(entries(p, text), 100);
	assert_string_equal(text, "session 1 serial 5");
	assert_int_equal(version_at(p, 57, 1), 1);
	assert_int_equal(version_at(p, 100, 1), -1);
	reopen(p);
	assert_int_equal(entries(p, text), 100);
	assert_int_equal(version_at(p, 99, 1), 1);
}

static void a_snapshot_that_is_cut_short_changes_nothing(void **state)
{
	struct place *p = *state;
	struct store_update *u;
	char text[100];

	put_all(p, 0, 50, 1, "one", 1000);
	u = begin(p, STORE_REPLACE);
	for (int i = 0; i < 80; i++)
		assert_true(OK(publish(u, i, 2, NULL)));
	store_update_free(u);
	assert_int_equal(entries(p, text), 50);
	assert_string_equal(text, "one");
	assert_int_equal(version_at(p, 10, 2), 1);
	put_all(p, 40, 60, 3, "three", 1001); /* in a generation of its own, not that of what was left lying */
	assert_int_equal(entries(p, text), 20);
	assert_int_equal(version_at(p, 10, 3), -1);
	assert_int_equal(version_at(p, 45, 3), 3);
}

static void differences_are_checked_against_what_is_there(void **state)
{
	struct place *p = *state;
	struct store_update *u;
	uint8_t one[STORE_HASH], two[STORE_HASH];
	char uri[64];

	put_all(p, 0, 10, 1, "one", 1000);
	u = begin(p, STORE_CHANGE);
	hash_of(3, 1, one);
	hash_of(3, 2, two);
	assert_int_equal(publish(u, 3, 2, NULL).e, ERR_EXISTS);
	assert_int_equal(publish(u, 3, 2, two).e, ERR_REFUSED);
	assert_int_equal(publish(u, 30, 2, one).e, ERR_NOTFOUND);
	assert_int_equal(store_update_withdraw(u, uri_of(uri, 30), one).e, ERR_NOTFOUND);
	assert_int_equal(store_update_withdraw(u, uri_of(uri, 3), two).e, ERR_REFUSED);
	assert_true(OK(publish(u, 3, 2, one)));
	assert_int_equal(publish(u, 3, 3, one).e, ERR_REFUSED); /* it is at version 2 by now */
	assert_true(OK(store_update_withdraw(u, uri_of(uri, 3), two)));
	assert_int_equal(store_update_withdraw(u, uri_of(uri, 3), two).e, ERR_NOTFOUND);
	assert_true(OK(publish(u, 3, 4, NULL)));
	assert_true(OK(publish(u, 11, 1, NULL)));
	hash_of(11, 1, one);
	assert_true(OK(store_update_withdraw(u, uri_of(uri, 11), one))); /* came and went */
	hash_of(5, 1, one);
	assert_true(OK(store_update_withdraw(u, uri_of(uri, 5), one)));
	assert_int_equal(version_at(p, 3, 4), 1);
	commit(u, "two", 1001);
	assert_int_equal(version_at(p, 3, 4), 4);
	assert_int_equal(version_at(p, 5, 4), -1);
	assert_int_equal(version_at(p, 11, 4), -1);
	assert_int_equal(entries(p, NULL), 9);
}

static void many_differences_in_one_update(void **state)
{
	struct place *p = *state;
	struct store_update *u;
	uint8_t hash[STORE_HASH];

	put_all(p, 0, 600, 1, "one", 1000);
	u = begin(p, STORE_CHANGE);
	for (int round = 2; round < 5; round++) {
		for (int i = 0; i < 600; i += 2) {
			hash_of(i, round - 1, hash);
			assert_true(OK(publish(u, i, round, hash)));
		}
	}
	commit(u, "two", 1001);
	for (int i = 0; i < 600; i += 37)
		assert_int_equal(version_at(p, i, 4), i % 2 == 0 ? 4 : 1);
}

static void limits_are_told(void **state)
{
	struct place *p = *state;
	struct store_update *u;
	uint8_t hash[STORE_HASH];

	put_all(p, 0, 10, 1, "one", 1000);
	p->limits.changes = 3;
	p->limits.object_octets = 150;
	reopen(p);
	u = begin(p, STORE_CHANGE);
	for (int i = 0; i < 3; i++) {
		hash_of(i, 1, hash);
		assert_true(OK(publish(u, i, 2, hash)));
	}
	hash_of(3, 1, hash);
	assert_int_equal(publish(u, 3, 2, hash).e, ERR_LIMIT);
	store_update_free(u);
	u = begin(p, STORE_CHANGE);
	assert_int_equal(publish(u, 34, 2, NULL).e, ERR_LIMIT); /* 238 octets and more */
	store_update_free(u);
	u = begin(p, STORE_REPLACE);
	assert_int_equal(publish(u, 34, 2, NULL).e, ERR_LIMIT);
	assert_true(OK(publish(u, 1, 2, NULL)));
	store_update_free(u);
	assert_int_equal(store_update_begin(p->s, STORE_RSYNC, span_text("rsync://other.example/m/"), STORE_CHANGE, &u).e, ERR_NOTFOUND);
}

static void a_uri_that_comes_twice_is_refused(void **state)
{
	struct place *p = *state;
	struct store_update *u = begin(p, STORE_REPLACE);

	assert_true(OK(publish(u, 1, 1, NULL)));
	(void)OK(publish(u, 1, 2, NULL));
	assert_int_equal(store_update_commit(u, span_text("x"), 1000).e, ERR_EXISTS);
	store_update_free(u);
	assert_int_equal(entries(p, NULL), -1);
}

static void of_two_updates_the_first_to_commit_counts(void **state)
{
	struct place *p = *state;
	struct store_update *a, *b;
	char text[100];

	put_all(p, 0, 10, 1, "one", 1000);
	a = begin(p, STORE_REPLACE);
	b = begin(p, STORE_CHANGE);
	assert_true(OK(publish(a, 1, 2, NULL)));
	assert_true(OK(publish(b, 20, 2, NULL)));
	commit(a, "a", 1001);
	assert_int_equal(store_update_commit(b, span_text("b"), 1002).e, ERR_REFUSED);
	store_update_free(b);
	assert_int_equal(entries(p, text), 1);
	assert_string_equal(text, "a");
}

static void sources_do_not_speak_for_each_other(void **state)
{
	struct place *p = *state;
	struct store_update *u;
	struct store_view *v;
	struct store_source src;
	uint8_t hash[STORE_HASH];
	char uri[64];

	put_all(p, 0, 10, 1, "one", 1000);
	assert_true(OK(store_update_begin(p->s, STORE_RSYNC, span_text(NOTIFY), STORE_REPLACE, &u)));
	assert_true(OK(publish(u, 3, 9, NULL)));
	commit(u, "rsync", 1000);
	assert_int_equal(version_at(p, 3, 9), 1);
	assert_true(OK(store_view_open(p->s, &v)));
	assert_true(OK(store_source(v, STORE_RSYNC, span_text(NOTIFY), &src)));
	assert_int_equal(store_find(v, &src, uri_of(uri, 4), hash).e, ERR_NOTFOUND);
	store_view_close(v);
	assert_true(OK(store_forget(p->s, STORE_RSYNC, span_text(NOTIFY))));
	assert_true(OK(store_forget(p->s, STORE_RSYNC, span_text(NOTIFY))));
	assert_int_equal(entries(p, NULL), 10);
}

static void what_is_kept_need_not_come_again(void **state)
{
	struct place *p = *state;
	struct store_update *u;
	char uri[64];

	put_all(p, 0, 10, 1, "one", 1000);
	u = begin(p, STORE_REPLACE);
	for (int i = 0; i < 5; i++)
		assert_true(OK(store_update_keep(u, uri_of(uri, i))));
	assert_int_equal(store_update_keep(u, uri_of(uri, 12)).e, ERR_NOTFOUND);
	assert_true(OK(publish(u, 5, 2, NULL)));
	commit(u, "two", 1001);
	assert_int_equal(entries(p, NULL), 6);
	assert_int_equal(version_at(p, 4, 2), 1);
	assert_int_equal(version_at(p, 5, 2), 2);
}

static void a_view_stays_as_it_was(void **state)
{
	struct place *p = *state;
	struct store_view *v;
	struct store_source src;
	struct store_collected c;
	struct seen seen = { 0 };
	uint8_t hash[STORE_HASH];
	char uri[64];
	struct span found;

	put_all(p, 0, 10, 1, "one", 1000);
	assert_true(OK(store_view_open(p->s, &v)));
	put_all(p, 20, 25, 1, "two", 1001);
	assert_true(OK(store_collect(p->s, &c)));
	assert_int_equal(c.objects, 10);
	assert_true(OK(store_source(v, STORE_RRDP, span_text(NOTIFY), &src)));
	assert_true(OK(store_each(v, &src, one_entry, &seen)));
	assert_int_equal(seen.n, 10);
	assert_true(OK(store_find(v, &src, uri_of(uri, 3), hash)));
	assert_true(OK(store_object(v, hash, &found)));
	store_view_close(v);
	assert_int_equal(entries(p, NULL), 5);
}

static bool keep_b(void *ctx, const struct store_note *n)
{
	(void)ctx;
	return span_equal(n->key, span_text("b"));
}

static void what_nobody_names_is_collected(void **state)
{
	struct place *p = *state;
	struct store_collected c;
	struct store_usage u;
	struct store_update *cut;
	uint8_t kept[2][STORE_HASH];
	struct store_note notes[2] = { { span_text("a"), span_text("value a"), kept[0], 2 }, { span_text("b"), span_text("value b"), NULL, 0 } }, got;
	struct store_view *v;

	put_all(p, 0, 100, 1, "one", 1000);
	hash_of(3, 1, kept[0]);
	hash_of(4, 1, kept[1]);
	assert_true(OK(store_notes_put(p->s, notes, 2)));
	put_all(p, 50, 100, 1, "two", 1001);
	cut = begin(p, STORE_REPLACE);
	for (int i = 200; i < 240; i++)
		assert_true(OK(publish(cut, i, 1, NULL)));
	store_update_free(cut);
	assert_true(OK(store_collect(p->s, &c)));
	assert_true(OK(store_usage(p->s, &u)));
	assert_int_equal(u.objects, 52);
	assert_int_equal(u.entries, 50);
	assert_true(c.entries > 100 && c.objects > 48);
	assert_true(OK(store_view_open(p->s, &v)));
	assert_true(OK(store_note_get(v, span_text("a"), &got)));
	assert_true(span_equal(got.value, span_text("value a")));
	assert_int_equal(got.object_count, 2);
	assert_memory_equal(got.objects, kept, sizeof kept);
	store_view_close(v);
	assert_true(OK(store_notes_sweep(p->s, keep_b, NULL)));
	assert_true(OK(store_collect(p->s, &c)));
	assert_int_equal(c.objects, 2);
	assert_true(OK(store_usage(p->s, &u)));
	assert_int_equal(u.notes, 1);
	for (int i = 50; i < 100; i += 7)
		assert_int_equal(version_at(p, i, 1), 1);
}

/* Flips bits in each copy of the object's octets in the file. */
static int damage(struct place *p, struct span octets)
{
	static uint8_t file[4u << 20];
	char path[100];
	int fd, found = 0;
	ssize_t n;

	snprintf(path, sizeof path, "%s/objects.mdb", p->dir);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	n = read(fd, file, sizeof file);
	assert_true(n > 0 && n < (ssize_t)sizeof file);
	for (ssize_t i = 0; i + (ssize_t)octets.n <= n; i++) {
		if (memcmp(file + i, octets.p, octets.n) != 0)
			continue;
		file[i + 3] ^= 0x10;
		assert_int_equal(pwrite(fd, file + i + 3, 1, i + 3), 1);
		found++;
	}
	close(fd);
	return found;
}

/* More than one transaction deletes. */
static void much_is_collected_in_pieces(void **state)
{
	struct place *p = *state;
	struct store_collected collected;
	struct store_usage usage;

	p->limits.batch_octets = 4u << 20;
	reopen(p);
	put_all(p, 0, 20500, 1, "one", 1000);
	put_all(p, 0, 7, 2, "two", 1001);
	assert_true(OK(store_collect(p->s, &collected)));
	assert_int_equal(collected.objects, 20500);
	assert_int_equal(collected.entries, 20500);
	assert_true(OK(store_usage(p->s, &usage)));
	assert_int_equal(usage.objects, 7);
	assert_int_equal(usage.entries, 7);
	assert_int_equal(version_at(p, 3, 2), 2);
}

/* Writes what a store of ours would not. */
static void write_by_hand(struct place *p, const char *database, const char *name, struct span octets)
{
	char path[100], copy[100];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val key = { strlen(name), (void *)(uintptr_t)name }, value = { octets.n, copy };

	store_close(p->s);
	p->s = NULL;
	snprintf(path, sizeof path, "%s/objects.mdb", p->dir);
	memcpy(copy, octets.p, octets.n);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 8), 0);
	assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR, 0640), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, database, 0, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void a_store_can_be_looked_at_alone(void **state)
{
	struct place *p = *state;
	AUTO(store_update_free) struct store_update *u = NULL;
	AUTO(store_view_close) struct store_view *v = NULL;
	struct store_source src;
	uint8_t hash[STORE_HASH];
	char uri[64];

	put_all(p, 0, 5, 1, "state", 7);
	p->limits.only_look = true;
	reopen(p);
	assert_true(OK(store_view_open(p->s, &v)));
	assert_true(OK(store_source(v, STORE_RRDP, span_text(NOTIFY), &src)));
	assert_true(OK(store_find(v, &src, uri_of(uri, 3), hash)));
	assert_false(OK(store_touch(p->s, STORE_RRDP, span_text(NOTIFY), span_text("x"), 8)));
	store_view_close(MOVE(v));
	store_close(MOVE(p->s));
	assert_true(OK(store_set_aside(p->dir)));
	assert_false(OK(store_open(p->dir, &p->limits, p->why, &p->s))); /* there is none, and none is made */
	assert_null(p->s);
	p->limits.only_look = false;
}

static void a_store_of_another_version_is_refused(void **state)
{
	struct place *p = *state;

	write_by_hand(p, "meta", "version", span_of("\x7f\xff\xff\xff", 4));
	strbuf_clear(p->why);
	assert_int_equal(store_open(p->dir, &p->limits, p->why, &p->s).e, ERR_FORMAT);
	assert_non_null(strstr(strbuf_text(p->why), "another version"));
}

static void notes_that_cannot_be_are_damage(void **state)
{
	static const struct {
		const char *octets;
		size_t n;
	} bad[] = { { "\0\0\0", 3 }, { "\0\0\0\1", 4 }, { "\0\0\0\1 and then less than a hash", 30 }, { "\xff\xff\xff\xff", 4 } };
	struct place *p = *state;
	struct store_collected collected;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct store_view *v = NULL;
		struct store_note n;

		write_by_hand(p, "notes", "note", span_of(bad[i].octets, bad[i].n));
		reopen(p);
		assert_true(OK(store_view_open(p->s, &v)));
		assert_int_equal(store_note_get(v, span_text("note"), &n).e, ERR_FORMAT);
		store_view_close(v);
		assert_int_equal(store_collect(p->s, &collected).e, ERR_FORMAT);
	}
}

static void flipped_bits_are_noticed_and_mended_by_the_next_snapshot(void **state)
{
	struct place *p = *state;
	struct store_view *v;
	char buf[300];
	uint8_t hash[STORE_HASH];
	struct span found;

	put_all(p, 0, 10, 1, "one", 1000);
	store_close(p->s);
	p->s = NULL;
	assert_true(damage(p, octets_of(buf, 7, 1)) > 0);
	reopen(p);
	hash_of(7, 1, hash);
	assert_true(OK(store_view_open(p->s, &v)));
	assert_int_equal(store_object(v, hash, &found).e, ERR_NOTFOUND);
	hash_of(6, 1, hash);
	assert_true(OK(store_object(v, hash, &found)));
	store_view_close(v);
	put_all(p, 0, 10, 1, "two", 1001);
	assert_int_equal(version_at(p, 7, 1), 1);
}

static void what_is_no_store_is_refused_and_can_be_set_aside(void **state)
{
	struct place *p = *state;
	char path[100];
	FILE *f;

	store_close(p->s);
	p->s = NULL;
	snprintf(path, sizeof path, "%s/objects.mdb", p->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	for (int i = 0; i < 10000; i++)
		fprintf(f, "this is no store\n");
	fclose(f);
	strbuf_clear(p->why);
	assert_int_equal(store_open(p->dir, &p->limits, p->why, &p->s).e, ERR_FORMAT);
	assert_non_null(strstr(strbuf_text(p->why), "objects.mdb"));
	assert_true(OK(store_set_aside(p->dir)));
	reopen(p);
	assert_int_equal(entries(p, NULL), -1);
	assert_true(OK(store_set_aside("/nonexistent-folder")));
}

static void a_full_store_says_so_and_stays_whole(void **state)
{
	struct place *p = *state;
	struct store_update *u;
	struct result r = DONE;
	static char big[100000];

	p->limits.octets = 2u << 20;
	reopen(p);
	put_all(p, 0, 20, 1, "one", 1000);
	u = begin(p, STORE_REPLACE);
	for (int i = 0; i < 100 && OK(r); i++) {
		char uri[64];

		memset(big, i, sizeof big);
		r = store_update_publish(u, uri_of(uri, i), NULL, span_of(big, sizeof big));
	}
	assert_int_equal(r.e, ERR_LIMIT);
	store_update_free(u);
	assert_int_equal(entries(p, NULL), 20);
	assert_int_equal(version_at(p, 19, 1), 1);
}

static void looking_again_without_news_is_a_touch(void **state)
{
	struct place *p = *state;
	struct store_view *v;
	struct store_source src;

	assert_int_equal(store_touch(p->s, STORE_RRDP, span_text(NOTIFY), span_text("x"), 5).e, ERR_NOTFOUND);
	put_all(p, 0, 3, 1, "one", 1000);
	assert_true(OK(store_touch(p->s, STORE_RRDP, span_text(NOTIFY), span_text("one, looked at"), 2000)));
	assert_true(OK(store_view_open(p->s, &v)));
	assert_true(OK(store_source(v, STORE_RRDP, span_text(NOTIFY), &src)));
	assert_int_equal(src.updated, 2000);
	assert_true(span_equal(src.state, span_text("one, looked at")));
	store_view_close(v);
	assert_int_equal(entries(p, NULL), 3);
}

static void memory_may_run_out_anywhere(void **state)
{
	struct place *p = *state;
	bool failed = true;

	put_all(p, 0, 10, 1, "one", 1000);
	for (uint64_t n = 1; failed; n++) {
		struct store_update *u = NULL;
		struct store_collected c;
		struct result r;
		uint8_t hash[STORE_HASH];

		mem_fail_at(n, false);
		r = store_update_begin(p->s, STORE_RRDP, span_text(NOTIFY), STORE_CHANGE, &u);
		hash_of(1, 1, hash);
		if (OK(r))
			r = publish(u, 1, 1, hash);
		if (OK(r))
			r = publish(u, 100, 1, NULL);
		store_update_free(u);
		if (OK(r))
			r = store_collect(p->s, &c);
		failed = mem_failed();
		mem_fail_at(0, false);
		assert_true(OK(r) || r.e == ERR_NOMEM);
		assert_true(failed || OK(r));
		assert_int_equal(entries(p, NULL), 10);
	}
}

#define AT(test) cmocka_unit_test_setup_teardown(test, place_begin, place_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT(a_snapshot_is_seen_when_it_is_complete),
		AT(a_snapshot_that_is_cut_short_changes_nothing),
		AT(differences_are_checked_against_what_is_there),
		AT(many_differences_in_one_update),
		AT(limits_are_told),
		AT(a_uri_that_comes_twice_is_refused),
		AT(of_two_updates_the_first_to_commit_counts),
		AT(sources_do_not_speak_for_each_other),
		AT(what_is_kept_need_not_come_again),
		AT(a_view_stays_as_it_was),
		AT(what_nobody_names_is_collected),
		AT(much_is_collected_in_pieces),
		AT(a_store_of_another_version_is_refused),
		AT(notes_that_cannot_be_are_damage),
		AT(flipped_bits_are_noticed_and_mended_by_the_next_snapshot),
		AT(what_is_no_store_is_refused_and_can_be_set_aside),
		AT(a_store_can_be_looked_at_alone),
		AT(a_full_store_says_so_and_stays_whole),
		AT(looking_again_without_news_is_a_touch),
		AT(memory_may_run_out_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
