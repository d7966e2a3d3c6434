/* What the processes of cairn-rpki are made of: memory files, listening sockets, exceptions that change, a certificate as octets, a run's facts. */
#include "tests/unit/net/net_test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/strbuf.h"
#include "net/sock.h"
#include "rpki/process/child.h"
#include "rpki/process/exceptions.h"
#include "rpki/process/identity.h"
#include "rpki/process/listeners.h"
#include "rpki/process/memory_file.h"
#include "rpki/process/repository_map.h"
#include "rpki/process/run_status.h"
#include "rpki/validate/collect.h"
#include "tests/unit/top.h"

LOOP_HANDLE_IMPL(user)

static void put(const char *name, const char *text)
{
	write_file(path(name), span_text(text), 0600);
}

static struct conf *conf_of(const char *fmt, ...) PRINTF_LIKE(1, 2);
static struct conf *conf_of(const char *fmt, ...)
{
	char text[2000];
	struct strbuf *why = strbuf_new(10000);
	struct conf *c = NULL;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (!OK(conf_load_text(text, "test", why, &c)))
		fail_msg("%s", strbuf_text(why));
	strbuf_free(why);
	return c;
}

/* ------------------------------------------------------------------------------------------------------------ memory files */

static void a_memory_file_is_read_as_it_was_made(void **state)
{
	AUTO(mem_free) void *octets = NULL;
	size_t n;
	int fd;

	(void)state;
	assert_true(OK(memory_file_make(span_text("some octets"), &fd)));
	assert_int_equal(write(fd, "x", 1), -1); /* sealed */
	assert_true(OK(memory_file_read(fd, 11, &octets, &n)));
	assert_int_equal(n, 11);
	assert_memory_equal(octets, "some octets", n);
	mem_free(MOVE(octets));
	assert_int_equal(memory_file_read(fd, 10, &octets, &n).e, ERR_LIMIT);
	(void)close(fd);
}

static void what_can_still_be_changed_is_refused(void **state)
{
	int fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	AUTO(mem_free) void *octets = NULL;
	size_t n;

	(void)state;
	assert_int_equal(memory_file_read(fd, 100, &octets, &n).e, ERR_REFUSED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
	assert_int_equal(memory_file_read(fd, 100, &octets, &n).e, ERR_REFUSED); /* its octets could change while they are looked at */
	assert_int_equal(memory_file_read(null, 100, &octets, &n).e, ERR_REFUSED);
	(void)close(fd);
	(void)close(null);
}

/* --------------------------------------------------------------------------------------------------------------- listeners */

static void on_accept(struct loop *l, void *object, acceptor_h a, stream_h s, const struct endpoint *from, const struct endpoint *local)
{
	struct user *u = (struct user *)object;

	(void)l, (void)a, (void)s, (void)from, (void)local;
	u->accepted++;
}

/* Whoever serves may go and another come: what connected in between waits, and is accepted by the next. */
static void a_listener_outlives_who_serves(void **state)
{
	struct user *u = (struct user *)*state;
	AUTO(conf_free) struct conf *c = conf_of("rtr:\n\tinterface: \"%s\"\n\tinterface: 127.0.0.1@0\n", path("rtr"));
	struct listeners x;
	struct listen_options o;
	struct sockaddr_un name;
	acceptor_h a;
	int fd;

	assert_true(OK(listeners_open(&x, c)));
	assert_int_equal(x.n, 2);
	assert_int_equal(x.list[0].kind, LISTEN_RTR);
	assert_int_equal(access(path("rtr"), F_OK), 0);
	for (unsigned int i = 0; i < 2; i++) {
		assert_true(OK(sock_name_path(path("rtr"), &name)));
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fd, (const struct sockaddr *)&name, sizeof name), 0);
		assert_true(OK(listener_options(&x.list[0], &o)));
		assert_true(o.is_open);
		assert_true(OK(host_accept(u->host, &o, &user_loop_type, u->self.v, on_accept, &a)));
		RUN_UNTIL(u, u->accepted == i + 1);
		host_accept_close(u->host, a);
		(void)close(fd);
	}
	listeners_unlink(&x);
	assert_int_not_equal(access(path("rtr"), F_OK), 0);
	listeners_done(&x);
}

/* Who can write to it can stop the daemon. */
static void a_control_socket_is_not_for_everybody(void **state)
{
	AUTO(conf_free) struct conf *c = conf_of("rpki:\n\tcontrol-interface: \"%s\"\n", path("ctl"));
	AUTO(conf_free) struct conf *address = conf_of("rpki:\n\tcontrol-interface: 127.0.0.1@8953\n");
	mode_t mask = umask(022), after;
	struct listeners x;
	struct stat st;

	(void)state;
	assert_true(OK(listeners_open(&x, c)));
	after = umask(mask);
	assert_int_equal(after, 022);
	assert_int_equal(x.list[0].kind, LISTEN_CONTROL);
	assert_int_equal(stat(path("ctl"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	listeners_give(&x, getgid());
	assert_int_equal(stat(path("ctl"), &st), 0);
	assert_true(st.st_gid == getgid() && (st.st_mode & 07777) == 0660);
	listeners_unlink(&x);
	listeners_done(&x);
	assert_int_equal(listeners_open(&x, address).e, ERR_RANGE); /* an address asks nobody who he is */
}

static void one_that_cannot_be_opened_closes_all(void **state)
{
	AUTO(conf_free) struct conf *c = conf_of("rtr:\n\tinterface: 127.0.0.1@0\n\tinterface: \"/nowhere/at/all\"\n");
	int before = dup(0), after;
	struct listeners x;

	(void)state;
	(void)close(before);
	assert_false(OK(listeners_open(&x, c)));
	after = dup(0);
	(void)close(after);
	assert_int_equal(before, after); /* the lowest free number: nothing stays open */
}

/* -------------------------------------------------------------------------------------------------------------- exceptions */

#define SLURM(assertion) \
	"{ \"slurmVersion\": 1, \"validationOutputFilters\": { \"prefixFilters\": [], \"bgpsecFilters\": [] }, \"locallyAddedAssertions\": { \"prefixAssertions\": [" assertion \
	"], \"bgpsecAssertions\": [] } }"

static size_t asserted(const struct exceptions *x)
{
	AUTO(table_unref) struct payload_table *t = NULL;
	struct slurm_counts counts;

	assert_true(OK(slurm_apply(exceptions_now(x), NULL, NULL, 1, &counts, &t)));
	return table_count(t, PAYLOAD_VRP);
}

static void exceptions_follow_their_files(void **state)
{
	AUTO(conf_free) struct conf *c = conf_of("rpki:\n\tslurm: \"%s\"\n", path("s.json"));
	AUTO(exceptions_free) struct exceptions *x = NULL;

	(void)state;
	put("s.json", SLURM("{ \"asn\": 1, \"prefix\": \"192.0.2.0/24\" }"));
	assert_true(OK(exceptions_new(conf_single(c, CLAUSE_RPKI), &x)));
	assert_int_equal(asserted(x), 1);
	assert_false(exceptions_changed(x));
	put("new", SLURM(""));
	assert_int_equal(rename(path("new"), path("s.json")), 0);
	assert_true(exceptions_changed(x));
	assert_false(exceptions_changed(x));
	assert_true(OK(exceptions_read(x)));
	assert_int_equal(asserted(x), 0);
}

static void a_mistake_leaves_the_ones_before(void **state)
{
	AUTO(conf_free) struct conf *c = conf_of("rpki:\n\tslurm: \"%s\"\n", path("s.json"));
	AUTO(exceptions_free) struct exceptions *x = NULL;

	(void)state;
	put("s.json", SLURM("{ \"asn\": 1, \"prefix\": \"192.0.2.0/24\" }"));
	assert_true(OK(exceptions_new(conf_single(c, CLAUSE_RPKI), &x)));
	put("s.json", "nonsense");
	assert_int_equal(exceptions_read(x).e, ERR_FORMAT);
	assert_int_equal(asserted(x), 1);
	assert_int_equal(unlink(path("s.json")), 0);
	assert_true(exceptions_changed(x));
	assert_false(OK(exceptions_read(x)));
	assert_int_equal(asserted(x), 1);
}

/* ---------------------------------------------------------------------------------------------------------------- identity */

static void a_certificate_is_gathered_and_nonsense_refused(void **state)
{
	AUTO(conf_free) struct conf *c = conf_of("rtr:\n\ttls-interface: 127.0.0.1@0\n\ttls-certificate: \"%s\"\n\ttls-key: \"%s\"\n", path("cert"), path("key"));
	AUTO(conf_free) struct conf *without = conf_of("rtr:\n\ttls-interface: 127.0.0.1@0\n");
	AUTO(strbuf_free) struct strbuf *octets = strbuf_new(IDENTITY_OCTETS);
	AUTO(tls_identity_free) struct tls_identity *i = NULL;

	(void)state;
	assert_true(identity_wanted(c));
	assert_int_equal(identity_gather(without, octets).e, ERR_FORMAT);
	strbuf_clear(octets);
	assert_int_equal(identity_gather(c, octets).e, ERR_SYSTEM); /* there are no such files */
	strbuf_clear(octets);
	put("cert", "ab");
	put("key", "cde");
	assert_true(OK(identity_gather(c, octets)));
	assert_int_equal(strbuf_len(octets), 4 + 2 + 4 + 3 + 4);
	assert_memory_equal(strbuf_text(octets), "\0\0\0\2ab\0\0\0\3cde\0\0\0\0", 17);
	assert_int_equal(identity_use(strbuf_span(octets), false, &i).e, ERR_FORMAT);
	assert_int_equal(identity_use(span_of("\0\0\1\0x", 5), false, &i).e, ERR_FORMAT); /* shorter than it says */
	assert_null(i);
}

/* -------------------------------------------------------------------------------------------------------------- run status */

static struct locators *two_anchors(void)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(10000);
	struct locators *l = NULL;

	put("a.tal", "https://a.example/a.cer\n\nAAAA\n");
	put("b.tal", "https://b.example/b.cer\n\nAAAA\n");
	if (!OK(locators_load(top, NULL, 0, why, &l)))
		fail_msg("%s", strbuf_text(why));
	return l;
}

static void a_run_is_told_and_goes_on_from_the_one_before(void **state)
{
	AUTO(locators_free) struct locators *l = two_anchors();
	struct anchor_result anchors[2] = { { .usable = true, .points = 5, .points_remembered = 3, .limits = 2, .not_after = 99 }, { .usable = false } };
	struct cycle_repository repositories[3] = { { .rrdp = true, .uri = "https://a/n.xml", .how = CYCLE_DELTAS, .serial = 7, .deltas = 2, .why = "" },
		{ .rrdp = false, .uri = "rsync://b/m/", .anchor = 1, .how = CYCLE_RSYNC, .why = "" }, { .rrdp = true, .uri = "https://c/n.xml", .how = CYCLE_SNAPSHOT, .why = "" } };
	struct cycle_report r = { .anchors = anchors, .anchor_count = 2, .repositories = repositories, .repository_count = 3, .objects_stored = 77, .octets_stored = 7777, .took_ms = 1500 };
	const struct run_times first = { 1000, 1001, 1600 }, second = { 2000, 2002, 0 };
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	AUTO(table_unref) struct payload_table *t = NULL;
	AUTO(status_free) struct status *s1 = NULL, *s2 = NULL;
	struct repository_fact facts[2] = { { .uri = "rsync://b/m/", .points = 3, .points_failed = 1 }, { .uri = "https://d/n.xml", .points = 2 } };
	const struct status_repository *x;

	(void)state;
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	facts[0].valid[COUNTED_ROA] = 17;
	facts[0].wanting[WANTING_FRESH_CRL] = 4;
	anchors[0].wanting[WANTING_MANIFEST] = 1;
	anchors[0].wanting[WANTING_FRESH_MANIFEST] = 2;
	anchors[0].wanting[WANTING_FRESH_CRL] = 3;
	r.facts = facts;
	r.fact_count = 2;
	r.table = t;
	assert_true(OK(run_status_make(&r, l, &first, NULL, &s1)));
	assert_int_equal(s1->runs, 1);
	assert_int_equal(s1->run_ms, 1500);
	assert_int_equal(s1->table_time, 1001);
	assert_int_equal(s1->nanchors, 2);
	assert_string_equal(s1->anchors->name, "a");
	assert_int_equal(s1->anchors->objects.points, 5);
	assert_int_equal(s1->limits, 2);
	assert_true(s1->remembered == 3 && s1->validated == 2 && s1->objects_stored == 77 && s1->octets_stored == 7777);
	assert_int_equal(s1->nalarms, 1); /* b is not usable */
	x = s1->repositories;
	assert_int_equal(x->outcome, STATUS_DELTAS);
	assert_int_equal(x->serial, 7);
	assert_int_equal(x->next->way, STATUS_RSYNC);
	assert_string_equal(x->next->anchor, "b");
	assert_true(x->exit_status == -1 && x->next->exit_status == 0);
	assert_true(x->next->objects.points == 3 && x->next->objects.points_failed == 1 && x->next->objects.valid[COUNTED_ROA] == 17 && x->objects.points == 0);
	assert_true(x->next->objects.stale_crls == 4 && x->next->objects.stale_manifests == 0 && x->next->objects.missing_manifests == 0);
	assert_true(s1->anchors->objects.missing_manifests == 1 && s1->anchors->objects.stale_manifests == 2 && s1->anchors->objects.stale_crls == 3);
	assert_int_equal(s1->nrepositories, 3); /* one that was not asked is not listed ... */
	r.repository_count = 0;
	assert_true(OK(run_status_make(&r, l, &first, NULL, &s2)));
	assert_int_equal(s2->nrepositories, 2); /* ... but where nothing was fetched */
	assert_true(strcmp(s2->repositories->next->uri, "https://d/n.xml") == 0 && s2->repositories->next->outcome == STATUS_NOT_TRIED && s2->repositories->next->objects.points == 2);
	status_free(MOVE(s2));
	r.repository_count = 3;

	r.fact_count = 0;
	repositories[2].how = CYCLE_FAILED; /* found by the second look: the list is in another order */
	repositories[2].uri = "https://a/n.xml";
	repositories[0].uri = "https://c/n.xml";
	r.result = FAIL(ERR_LIMIT);
	r.table = NULL;
	assert_true(OK(run_status_make(&r, l, &second, s1, &s2)));
	assert_int_equal(s2->runs, 2);
	assert_int_equal(s2->table_time, 1001); /* of the table that is still served */
	assert_int_equal(s2->nanchors, 0);
	assert_int_equal(s2->nalarms, 1);
	x = s2->repositories->next->next;
	assert_int_equal(x->outcome, STATUS_FAILED);
	assert_int_equal(x->tried, 2002);
	assert_int_equal(x->succeeded, 1001);
	assert_int_equal(s2->repositories->succeeded, 2002);
}

static void add_vrp(struct table_builder *b, uint32_t asn, const char *uri)
{
	const struct vrp v = { .asn = asn, .family = ADDR_V4, .len = 8, .maxlen = 8, .addr = { 10 } };
	const struct payload_source s = { .kind = SOURCE_ROA, .tal = "a", .uri = uri };
	uint32_t id;

	assert_true(OK(table_builder_add_source(b, &s, &id)) && OK(table_builder_add_vrp(b, &v, id)));
}

/* By the folder that an object lies in; of a point that failed nothing is counted. */
static void payloads_are_counted_by_repository(void **state)
{
	const struct hash_key key = { { 1, 2 } };
	const struct repository_fact facts[2] = { { .uri = "https://a/n.xml" }, { .uri = "rsync://b/m/" } };
	const struct point_fact points[3] = { { .id = point_id(&key, span_text("rsync://a/m/x/1.roa")), .repository = 0 }, { .id = point_id(&key, span_text("rsync://b/m/y/1.roa")), .repository = 1 },
		{ .id = point_id(&key, span_text("rsync://c/m/z/1.roa")), .repository = NO_REPOSITORY } };
	struct cycle_report r = { .points = points, .point_count = 3, .facts = facts, .fact_count = 2 };
	AUTO(table_builder_free) struct table_builder *b = table_builder_new(NULL);
	AUTO(repository_map_free) struct repository_map *m = NULL;
	AUTO(table_unref) struct payload_table *t = NULL;
	AUTO(status_free) struct status *s = status_new();
	const struct status_repository *second;

	(void)state;
	add_vrp(b, 1, "rsync://a/m/x/1.roa");
	add_vrp(b, 2, "rsync://a/m/x/2.roa");
	add_vrp(b, 2, "rsync://b/m/y/1.roa");
	add_vrp(b, 3, "rsync://b/m/y/2.roa");
	add_vrp(b, 4, "rsync://c/m/z/2.roa");
	add_vrp(b, 5, "rsync://nowhere/m/2.roa");
	assert_true(OK(table_builder_finish(MOVE(b), 1, &t)));
	assert_true(OK(repository_map_make(&r, &key, &m)));
	second = status_add_repository(s, "rsync://b/m/");
	assert_non_null(status_add_repository(s, "https://a/n.xml"));
	for (unsigned int again = 0; again < 2; again++) {
		assert_true(OK(repository_map_tally(m, s, t, t)));
		assert_true(second->payloads[STATUS_V4].valid == 2 && second->payloads[STATUS_V4].duplicate == 1 && second->payloads[STATUS_V4].contributed == 1);
		assert_true(second->next->payloads[STATUS_V4].valid == 2 && second->next->payloads[STATUS_V4].contributed == 2);
		assert_int_equal(s->total[STATUS_V4].contributed, 5);
	}
}

/* ------------------------------------------------------------------------------------------------------------------- roles */

static void roles_have_what_they_need_and_no_more(void **state)
{
	(void)state;
	assert_int_equal(child_groups(CHILD_ENGINE) & (SANDBOX_CONNECT | SANDBOX_ACCEPT | SANDBOX_EXECUTE | SANDBOX_FORK), 0);
	assert_int_equal(child_groups(CHILD_HTTPS) & (SANDBOX_WRITE | SANDBOX_ACCEPT | SANDBOX_EXECUTE | SANDBOX_FORK), 0);
	assert_int_equal(child_groups(CHILD_SERVE) & (SANDBOX_CONNECT | SANDBOX_EXECUTE | SANDBOX_FORK | SANDBOX_THREADS), 0);
	for (unsigned int i = 0; i < CHILD_ROLES; i++)
		assert_int_equal(child_groups((enum child_role)i) & SANDBOX_PRIVILEGES, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_memory_file_is_read_as_it_was_made),
		cmocka_unit_test(what_can_still_be_changed_is_refused),
		cmocka_unit_test_setup_teardown(a_listener_outlives_who_serves, user_start, user_end),
		cmocka_unit_test(a_control_socket_is_not_for_everybody),
		cmocka_unit_test(one_that_cannot_be_opened_closes_all),
		cmocka_unit_test(exceptions_follow_their_files),
		cmocka_unit_test(a_mistake_leaves_the_ones_before),
		cmocka_unit_test(a_certificate_is_gathered_and_nonsense_refused),
		cmocka_unit_test(a_run_is_told_and_goes_on_from_the_one_before),
		cmocka_unit_test(payloads_are_counted_by_repository),
		cmocka_unit_test(roles_have_what_they_need_and_no_more),
	};

	return cmocka_run_group_tests(tests, make_top, remove_top);
}
