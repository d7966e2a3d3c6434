/* fetcher_direct: HTTPS on the simulator's network; rsync, with scripts in its place, on a loop of its own. */
#include "tests/unit/net/net_test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "rpki/fetch/fetcher_direct.h"
#include "tests/sim/net.h"
#include "tests/unit/top.h"

LOOP_HANDLE_IMPL(user)

#define SECOND 1000000000ull
#define MOST 20

struct asked {
	fetch_h h;
	unsigned int heads, ended, order;
	struct fetch_end end;
	char why[200], etag[50], body[100];
	unsigned int status;
};

struct rig {
	struct sim *sim;
	struct loop *loop;
	struct rng *rng;
	struct host *host;
	struct fetcher *fetcher;
	bool mute;
	unsigned int requests, names;
};

LOOP_HANDLE(rig)
LOOP_HANDLE_IMPL(rig)

static rig_h self;
static struct asked asked[MOST];
static unsigned int count, ends;

static struct asked *find(fetch_h h)
{
	unsigned int i = 0;

	while (i + 1 < count && asked[i].h.v != h.v)
		i++;
	assert_true(asked[i].h.v == h.v);
	return &asked[i];
}

static void on_head(struct loop *l, void *object, fetch_h f, const struct fetch_head *h)
{
	struct asked *a = find(f);

	(void)l, (void)object;
	a->heads++;
	a->status = h->status;
	(void)snprintf(a->etag, sizeof a->etag, "%s", h->etag);
}

static void on_body(struct loop *l, void *object, fetch_h f, struct span octets)
{
	struct asked *a = find(f);

	(void)l, (void)object;
	(void)strncat(a->body, (const char *)octets.p, octets.n);
}

static void on_ended(struct loop *l, void *object, fetch_h f, const struct fetch_end *e)
{
	struct asked *a = find(f);

	(void)l, (void)object;
	a->ended++;
	a->order = ++ends;
	a->end = *e;
	(void)snprintf(a->why, sizeof a->why, "%s", e->why);
}

static bool v_connection(struct sim *s, void *ctx, struct sim_conn *c)
{
	(void)s, (void)ctx, (void)c;
	return true;
}

static void v_data(struct sim *s, void *ctx, struct sim_conn *c, struct span octets)
{
	struct rig *g = (struct rig *)ctx;

	(void)octets;
	g->requests++;
	if (!g->mute)
		sim_conn_write(s, c, span_text("HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 5\r\n\r\nhello"));
}

static const struct sim_node_events node = { .connection = v_connection, .data = v_data };

static struct rig *the_rig;

static void look_up(const char *host, struct names_answer *ret)
{
	the_rig->names++;
	if (strstr(host, "good") != NULL)
		assert_true(OK(addr_parse("192.0.2.1", &ret->a[ret->n++])));
	else
		(void)snprintf(ret->why, sizeof ret->why, "no such name");
}

static struct addr ip(const char *text)
{
	struct addr a;

	assert_true(OK(addr_parse(text, &a)));
	return a;
}

static int start(void **state)
{
	struct rig *g = (struct rig *)test_calloc(1, sizeof *g);
	struct addr own4 = ip("198.51.100.1"), own6 = ip("2001:db8::1"), at = ip("192.0.2.1");
	struct fetcher_direct_options o = fetcher_direct_options_default();

	memset(asked, 0, sizeof asked);
	count = ends = 0;
	the_rig = g;
	g->sim = sim_new(7);
	g->rng = rng_new_seeded(7);
	g->loop = sim_loop_new(g->sim, g->rng, NULL);
	g->host = sim_host_new(g->sim, g->loop, &own4, &own6);
	o.name_threads = 0;
	o.lookup = look_up;
	o.host_gets = 2;
	o.gets = 3;
	g->fetcher = fetcher_direct_new(g->host, &o);
	assert_non_null(g->fetcher);
	assert_true(OK(sim_node(g->sim, &at, &node, g)));
	self = rig_enlist(g->loop, g);
	*state = g;
	return 0;
}

static int stop(void **state)
{
	struct rig *g = (struct rig *)*state;

	fetcher_free(g->fetcher);
	rig_retire(g->loop, self);
	host_free(g->host);
	assert_int_equal(loop_live_handles(g->loop), 0);
	loop_free(g->loop);
	rng_free(g->rng);
	sim_free(g->sim);
	test_free(g);
	assert_int_equal(mem_usage().objects, 0);
	return 0;
}

static struct asked *get(struct rig *g, const char *uri, uint32_t deadline_ms)
{
	struct fetch_events ev = { .type = &rig_loop_type, .who = self.v, .head = on_head, .body = on_body, .ended = on_ended };
	struct fetch_get q = { .uri = uri, .etag = "", .modified = "", .max_octets = 100, .deadline_ms = deadline_ms };
	struct asked *a = &asked[count++];

	assert_true(OK(fetcher_get(g->fetcher, &q, &ev, &a->h)));
	assert_int_equal(a->ended, 0);
	return a;
}

static void nothing(struct loop *l, struct message *m)
{
	(void)l, (void)m;
}

static void nothing_to_free(struct message *m)
{
	(void)m;
}

static void passed(struct loop *l, void *object)
{
	(void)l, (void)object;
}

static void run(struct rig *g, unsigned int seconds)
{
	struct message wake = { .run = nothing, .free = nothing_to_free };
	timer_h timer;

	loop_post(g->loop, &wake);
	assert_true(OK(loop_timer(g->loop, &rig_loop_type, self.v, passed, seconds * 1000, &timer)));
	(void)sim_run(g->sim, sim_now_ns(g->sim) + seconds * SECOND);
}

static void a_file_comes(void **state)
{
	struct rig *g = (struct rig *)*state;
	const struct asked *a = get(g, "https://good.example/x", 0), *b;

	run(g, 5);
	assert_true(a->heads == 1 && a->ended == 1 && a->status == 200);
	assert_string_equal(a->etag, "\"e\"");
	assert_string_equal(a->body, "hello");
	assert_true(a->end.e == ERR_NONE && a->end.octets == 5);
	b = get(g, "https://good.example/y", 0);
	run(g, 5);
	assert_true(b->ended == 1);
	assert_int_equal(g->names, 1); /* it is remembered */
	assert_int_equal(fetcher_counts(g->fetcher).gets, 2);
	assert_int_equal(fetcher_counts(g->fetcher).reused, 1);
	run(g, 70);
	(void)get(g, "https://good.example/z", 0);
	run(g, 5);
	assert_int_equal(g->names, 2);
}

static void what_cannot_be_had_is_told(void **state)
{
	struct rig *g = (struct rig *)*state;
	const struct asked *a = get(g, "https://bad.example/x", 0), *b = get(g, "http://good.example/x", 0), *c = get(g, "https://good.example:1/x", 0);
	struct fetch_events ev = { .type = &rig_loop_type, .who = self.v, .ended = on_ended };
	struct fetch_rsync q = { .uri = "rsync://good.example/m/" };
	fetch_h h;

	run(g, 30);
	assert_int_equal(a->end.e, ERR_NOTFOUND);
	assert_string_equal(a->why, "no address: no such name");
	assert_int_equal(b->end.e, ERR_FORMAT);
	assert_true(c->ended == 1);
	assert_int_equal(fetcher_counts(g->fetcher).names_failed, 1);
	assert_int_equal(fetcher_rsync(g->fetcher, &q, &ev, &h).e, ERR_UNSUPPORTED); /* it has no folder */
}

/* Two of a host, three in all; the fourth waits, and another host's goes before the third of the first. */
static void hosts_take_turns(void **state)
{
	struct rig *g = (struct rig *)*state;
	const struct asked *a = get(g, "https://good.example/1", 0), *b = get(g, "https://good.example/2", 0), *c = get(g, "https://good.example/3", 0),
			   *d = get(g, "https://alsogood.example/4", 20000), *e = get(g, "https://stillgood.example/5", 0);

	g->mute = true;
	run(g, 2);
	assert_int_equal(g->requests, 3);
	assert_int_equal(fetcher_counts(g->fetcher).waited, 0); /* when they were asked for, nothing ran */
	run(g, 30);
	assert_true(a->end.e == ERR_TIMEOUT && b->end.e == ERR_TIMEOUT && d->end.e == ERR_TIMEOUT);
	run(g, 30);
	assert_true(c->order > b->order && e->order > b->order && ends == 5);
}

static void each_has_its_deadline(void **state)
{
	struct rig *g = (struct rig *)*state;
	const struct asked *a = get(g, "https://good.example/1", 1500);

	g->mute = true;
	run(g, 1);
	assert_int_equal(a->ended, 0);
	run(g, 1);
	assert_int_equal(a->end.e, ERR_TIMEOUT);
	assert_int_equal(fetcher_counts(g->fetcher).too_late, 1);
}

static void who_asked_may_go(void **state)
{
	struct rig *g = (struct rig *)*state;
	const struct asked *a = get(g, "https://good.example/1", 0), *b = get(g, "https://good.example/2", 0);

	fetcher_cancel(g->fetcher, a->h);
	fetcher_cancel(g->fetcher, a->h);
	run(g, 5);
	assert_true(a->ended == 0 && b->ended == 1 && g->requests == 1);
	fetcher_pause(g->fetcher, a->h, true);
}

/* --- rsync */

static void a_folder_comes(void **state)
{
	static const struct timespec old[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	struct user *u = (struct user *)*state;
	struct fetcher_direct_options o = fetcher_direct_options_default();
	struct fetch_events ev = { .type = &user_loop_type, .who = u->self.v, .ended = on_ended };
	struct fetch_rsync q = { .uri = "rsync://h.example/m/", .folder = { 0xab, [15] = 1 } };
	struct fetcher *f;
	struct stat st;

	memset(asked, 0, sizeof asked);
	count = 2;
	ends = 0;
	assert_int_equal(mkdir(path("d"), 0700), 0);
	assert_int_equal(mkdir(path("d/00000000000000000000000000000000"), 0700), 0);
	assert_int_equal(mkdir(path("d/00000000000000000000000000000000/tree"), 0700), 0);
	write_file(path("d/00000000000000000000000000000000/tree/x"), span_text(""), 0600);
	assert_int_equal(mkdir(path("d/of-somebody-else"), 0700), 0);
	assert_int_equal(utimensat(AT_FDCWD, path("d/00000000000000000000000000000000"), old, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, path("d/of-somebody-else"), old, 0), 0);
	write_file(path("script"), span_text("#!/bin/sh\nfor last; do :; done\necho hello > \"$last\"x\ncase \"$*\" in *slow*) sleep 600;; esac\n"), 0700);
	o.rsync.command = path("script");
	o.rsync_dir = path("d");
	f = fetcher_direct_new(u->host, &o);
	assert_non_null(f);
	assert_int_not_equal(stat(path("d/00000000000000000000000000000000"), &st), 0); /* nobody has asked for it for long */
	assert_int_equal(stat(path("d/of-somebody-else"), &st), 0);
	assert_true(OK(fetcher_rsync(f, &q, &ev, &asked[0].h)));
	RUN_UNTIL(u, asked[0].ended == 1);
	assert_int_equal(asked[0].end.e, ERR_NONE);
	assert_int_equal(stat(path("d/ab000000000000000000000000000001/tree/x"), &st), 0);
	q.uri = "rsync://h.example/slow/";
	q.deadline_ms = 100;
	assert_true(OK(fetcher_rsync(f, &q, &ev, &asked[1].h)));
	RUN_UNTIL(u, asked[1].ended == 1);
	assert_int_equal(asked[1].end.e, ERR_TIMEOUT);
	assert_int_equal(fetcher_counts(f).rsyncs, 2);
	fetcher_free(f);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(a_file_comes), CASE(what_cannot_be_had_is_told), CASE(hosts_take_turns), CASE(each_has_its_deadline), CASE(who_asked_may_go),
		cmocka_unit_test_setup_teardown(a_folder_comes, user_start, user_end) };

	return cmocka_run_group_tests(tests, make_top, remove_top);
}
