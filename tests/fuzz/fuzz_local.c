/*
 * Zones that are answered locally, beside a naive model. The input is lines: "zone NAME TYPE", "unzone NAME", "data RR", "undata NAME", "ptr ADDRESS NAME", "override NAME NETBLOCK TYPE",
 * "ask NAME TYPE ADDRESS", "conf" and "hosts", behind which lines of a configuration and of a hosts file follow up to "end".
 *
 * The model keeps lists and looks at all of them for each question: the verdict, the code, and the names and types of what is answered must be its own. A copy answers the same, and
 * what is listed can be read again and lists the same.
 */
#include <unistd.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "dns/zonefile.h"
#include "resolver/local/zones.h"
#include "tests/fuzz/kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST 100u

struct model_zone {
	struct name_buf name;
	enum local_type type;
	bool gone;
	struct {
		struct prefix p;
		enum local_type type;
	} over[8];
	size_t overs;
};
struct model_rr {
	struct name_buf name;
	uint16_t type, rclass;
	uint8_t rdata[300];
	size_t n;
	bool gone;
};
struct model {
	struct model_zone zone[MOST]; /* of class IN */
	struct model_rr rr[MOST];
	size_t zones, rrs;
	bool exact; /* nothing was done that the model does not follow */
};

static struct model_zone *zone_at(struct model *m, struct name n) BORROWED;
static struct model_zone *zone_at(struct model *m, struct name n)
{
	for (size_t i = 0; i < m->zones; i++)
		if (!m->zone[i].gone && name_equal(name_of(&m->zone[i].name), n))
			return &m->zone[i];
	return NULL;
}

static const struct model_zone *zone_of(const struct model *m, struct name n)
{
	const struct model_zone *best = NULL;

	for (size_t i = 0; i < m->zones; i++)
		if (!m->zone[i].gone && name_is_under(n, name_of(&m->zone[i].name)) && (best == NULL || m->zone[i].name.labels > best->name.labels))
			best = &m->zone[i];
	return best;
}

static void model_zone_add(struct model *m, struct name n, enum local_type t)
{
	struct model_zone *z = zone_at(m, n);

	if (z == NULL && m->zones == MOST) {
		m->exact = false;
		return;
	}
	if (z == NULL) {
		z = &m->zone[m->zones++];
		*z = (struct model_zone){ .type = t };
		name_copy(&z->name, n);
	}
	z->type = t;
}

static void model_data_add(struct model *m, const struct zone_rr *rr)
{
	struct model_rr *r = &m->rr[m->rrs];

	if (m->rrs == MOST || rr->rdata.n > sizeof r->rdata || rr->rclass != CLASS_IN) {
		m->exact = false;
		return;
	}
	if (zone_of(m, rr->owner) == NULL)
		model_zone_add(m, rr->owner, LOCAL_TRANSPARENT);
	for (size_t i = 0; i < m->rrs; i++)
		if (!m->rr[i].gone && m->rr[i].type == rr->type && name_equal(name_of(&m->rr[i].name), rr->owner) &&
		    rdata_compare(rr->type, span_of(m->rr[i].rdata, m->rr[i].n), rr->rdata) == 0)
			return;
	*r = (struct model_rr){ .type = rr->type, .rclass = rr->rclass, .n = rr->rdata.n };
	name_copy(&r->name, rr->owner);
	memcpy(r->rdata, rr->rdata.p, rr->rdata.n);
	m->rrs++;
}

static void model_zone_remove(struct model *m, struct name n)
{
	struct model_zone *z = zone_at(m, n);

	for (size_t i = 0; i < m->rrs; i++)
		if (zone_of(m, name_of(&m->rr[i].name)) == z)
			m->rr[i].gone = true;
	z->gone = true;
}

/* --- questions */

static size_t rrs_at(const struct model *m, struct name n, uint16_t type)
{
	size_t k = 0;

	for (size_t i = 0; i < m->rrs; i++)
		k += !m->rr[i].gone && (type == RR_ANY || m->rr[i].type == type) && name_equal(name_of(&m->rr[i].name), n);
	return k;
}

static bool exists(const struct model *m, struct name n)
{
	for (size_t i = 0; i < m->rrs; i++)
		if (!m->rr[i].gone && name_is_under(name_of(&m->rr[i].name), n))
			return true;
	return false;
}

struct want {
	enum local_verdict verdict;
	uint16_t rcode;
	size_t rrs;     /* in the answer */
	bool soa, alias;
};

static struct want negative(const struct model *m, const struct model_zone *z, uint16_t rcode)
{
	return (struct want){ LOCAL_ANSWER, rcode, 0, rrs_at(m, name_of(&z->name), RR_SOA) > 0, false };
}

/* By unbound.conf(5), local-zone. */
static struct want by_type(const struct model *m, const struct model_zone *z, enum local_type t, struct name n, uint16_t type)
{
	const struct want pass = { .verdict = LOCAL_PASS }, drop = { .verdict = LOCAL_DROP }, refused = { .verdict = LOCAL_ANSWER, .rcode = RCODE_REFUSED };
	bool has_data = rrs_at(m, n, RR_ANY) > 0;

	switch (t) {
	case LOCAL_DENY: case LOCAL_INFORM_DENY: case LOCAL_ALWAYS_DENY:
		return drop;
	case LOCAL_REFUSE: case LOCAL_ALWAYS_REFUSE:
		return refused;
	case LOCAL_STATIC:
		return negative(m, z, exists(m, n) ? RCODE_NOERROR : RCODE_NXDOMAIN);
	case LOCAL_REDIRECT: case LOCAL_INFORM_REDIRECT: case LOCAL_ALWAYS_NODATA:
		return negative(m, z, RCODE_NOERROR);
	case LOCAL_ALWAYS_NXDOMAIN:
		return negative(m, z, RCODE_NXDOMAIN);
	case LOCAL_ALWAYS_NULL:
		return type == RR_A || type == RR_AAAA ? (struct want){ LOCAL_ANSWER, RCODE_NOERROR, 1, false, false } : negative(m, z, RCODE_NOERROR);
	case LOCAL_TRUNCATE:
		return (struct want){ .verdict = LOCAL_TRUNCATE_UDP };
	case LOCAL_BLOCK_A: case LOCAL_BLOCK_A_WDATA:
		return type == RR_A ? negative(m, z, RCODE_NOERROR) : pass;
	case LOCAL_BLOCK_AAAA: case LOCAL_BLOCK_AAAA_WDATA:
		return type == RR_AAAA ? negative(m, z, RCODE_NOERROR) : pass;
	case LOCAL_TRANSPARENT: case LOCAL_INFORM:
		return has_data ? negative(m, z, RCODE_NOERROR) : pass;
	default:
		return pass;
	}
}

static struct want model_ask(const struct model *m, struct name n, uint16_t type, const struct addr *client)
{
	const struct model_zone *z = zone_of(m, type == RR_DS && n.labels > 0 ? name_parent(n) : n);
	enum local_type t;
	int longest = -1;
	struct name at = n;
	bool redirect, looks;

	if (z == NULL)
		return (struct want){ .verdict = LOCAL_PASS };
	t = z->type;
	for (size_t i = z->overs; i-- > 0;) {
		if (prefix_covers(&z->over[i].p, client) && z->over[i].p.len > longest) {
			longest = z->over[i].p.len;
			t = z->over[i].type;
		}
	}
	redirect = t == LOCAL_REDIRECT || t == LOCAL_INFORM_REDIRECT;
	looks = !(t == LOCAL_ALWAYS_TRANSPARENT || t == LOCAL_ALWAYS_REFUSE || t == LOCAL_ALWAYS_NXDOMAIN || t == LOCAL_ALWAYS_NODATA || t == LOCAL_ALWAYS_NULL ||
	    t == LOCAL_ALWAYS_DENY || t == LOCAL_BLOCK_A || t == LOCAL_BLOCK_AAAA || t == LOCAL_NOVIEW);
	if (redirect)
		at = name_of(&z->name);
	if (looks && rrs_at(m, at, type) > 0)
		return (struct want){ LOCAL_ANSWER, RCODE_NOERROR, rrs_at(m, at, type), false, false };
	if (looks && type != RR_ANY && rrs_at(m, at, RR_CNAME) > 0)
		return (struct want){ LOCAL_ANSWER, RCODE_NOERROR, rrs_at(m, at, RR_CNAME), false, type != RR_CNAME };
	return by_type(m, z, t, at, type);
}

static void check_answer(const struct question *q, const struct answer *a)
{
	for (size_t i = 0; i < a->answer_count + a->authority_count; i++) {
		CHECK(a->sets[i].rs != NULL && a->sets[i].ttl <= INT32_MAX && a->ttl <= a->sets[i].ttl);
		CHECK(OK(rrset_check_block(span_of(a->sets[i].rs, a->sets[i].rs->octets))));
		CHECK(i >= a->answer_count || name_equal_case(rrset_name(a->sets[i].rs), q->name));
	}
}

static struct want asked(const struct local_zones *z, struct arena *arena, const struct question *q, const struct endpoint *client)
{
	struct answer a = { .rcode = 0 };
	struct name follow;
	struct want w = { .verdict = local_answer(z, q, client, arena, &a, &follow) };

	if (w.verdict != LOCAL_PASS)
		CHECK(local_may_match(z, q->name));
	if (w.verdict != LOCAL_ANSWER)
		return w;
	check_answer(q, &a);
	w.rcode = a.rcode;
	for (size_t i = 0; i < a.answer_count; i++)
		w.rrs += a.sets[i].rs->count;
	w.soa = a.authority_count == 1;
	w.alias = follow.wire != NULL;
	return w;
}

static bool same(struct want a, struct want b)
{
	return a.verdict == b.verdict && (a.verdict != LOCAL_ANSWER || (a.rcode == b.rcode && a.rrs == b.rrs && a.soa == b.soa && a.alias == b.alias));
}

/* Memory ran out, which is said: from here on the model does not know what is there. */
static bool without_memory(struct model *m, struct result r)
{
	CHECK(OK(r) || r.e != ERR_NOMEM || mem_failed());
	m->exact = m->exact && !mem_failed();
	return r.e == ERR_NOMEM;
}

static void ask(const struct local_zones *z, struct model *m, char *rest)
{
	AUTO(arena_free) struct arena *arena = arena_new(0);
	struct endpoint client = { .port = 1 };
	char *name = strtok(rest, " "), *type = strtok(NULL, " "), *from = strtok(NULL, " ");
	struct question q = { .type = RR_A, .rclass = CLASS_IN };
	struct local_zones *copy = NULL;
	struct name_buf n;
	struct want got;

	if (name == NULL || !OK(name_from_text(name, NULL, &n)) || (type != NULL && !OK(rrtype_parse(type, &q.type))))
		return;
	q.name = name_of(&n);
	if (from == NULL || !OK(addr_parse(from, &client.a)))
		CHECK(OK(addr_parse("192.0.2.1", &client.a)));
	got = asked(z, arena, &q, &client);
	if (m->exact)
		CHECK(same(got, model_ask(m, q.name, q.type, &client.a)));
	if (without_memory(m, KIT_FAILING(local_zones_copy(z, &copy)))) {
		CHECK(copy == NULL);
		return;
	}
	CHECK(same(got, asked(copy, arena, &q, &client)));
	local_zones_free(copy);
	q.rclass = CLASS_CH;
	(void)asked(z, arena, &q, &client);
}

/* --- operations */

static void add_zone(struct local_zones *z, struct model *m, char *rest)
{
	char *name = strtok(rest, " "), *type = strtok(NULL, " ");
	struct name_buf n;
	enum local_type t;

	if (name == NULL || type == NULL || !OK(name_from_text(name, NULL, &n)) || !OK(local_type_parse(type, &t)))
		return;
	if (without_memory(m, KIT_FAILING(local_add_zone(z, name_of(&n), CLASS_IN, t))))
		return;
	model_zone_add(m, name_of(&n), t);
}

static void remove_zone(struct local_zones *z, struct model *m, const char *name)
{
	struct name_buf n;
	struct result r;

	if (!OK(name_from_text(name, NULL, &n)))
		return;
	r = local_remove_zone(z, name_of(&n), CLASS_IN);
	CHECK(!m->exact || OK(r) == (zone_at(m, name_of(&n)) != NULL));
	if (zone_at(m, name_of(&n)) != NULL)
		model_zone_remove(m, name_of(&n));
}

static void add_data(struct local_zones *z, struct model *m, const char *text)
{
	static uint8_t room[UINT16_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct name_buf owner;
	struct zone_rr rr;
	const char *msg = "", *other;

	struct result r = KIT_FAILING(local_add_data(z, text, &msg));

	if (without_memory(m, r))
		return;
	if (OK(r)) {
		CHECK(OK(zone_read_rr(text, name_root, 3600, &owner, &rr, &w, &other)));
		model_data_add(m, &rr);
	} else {
		CHECK(*msg != '\0');
	}
}

static void remove_data(struct local_zones *z, struct model *m, const char *name)
{
	struct name_buf n;
	struct result r;

	if (!OK(name_from_text(name, NULL, &n)))
		return;
	r = local_remove_data(z, name_of(&n), CLASS_IN);
	CHECK(!m->exact || OK(r) == (rrs_at(m, name_of(&n), RR_ANY) > 0));
	for (size_t i = 0; i < m->rrs; i++)
		m->rr[i].gone = m->rr[i].gone || name_equal(name_of(&m->rr[i].name), name_of(&n));
}

static void add_override(struct local_zones *z, struct model *m, char *rest)
{
	char *name = strtok(rest, " "), *net = strtok(NULL, " "), *type = strtok(NULL, " ");
	struct model_zone *mz;
	struct name_buf n;
	struct prefix p;
	enum local_type t;
	struct result r;

	if (name == NULL || net == NULL || type == NULL || !OK(name_from_text(name, NULL, &n)) || !OK(prefix_parse(net, &p)) || !OK(local_type_parse(type, &t)))
		return;
	r = KIT_FAILING(local_add_override(z, name_of(&n), CLASS_IN, &p, t));
	if (without_memory(m, r))
		return;
	mz = zone_at(m, name_of(&n));
	CHECK(!m->exact || OK(r) == (mz != NULL));
	if (mz != NULL && mz->overs < 8) {
		mz->over[mz->overs].p = p;
		mz->over[mz->overs++].type = t;
	} else {
		m->exact = false;
	}
}

/* The lines up to "end", and where it goes on. */
static char *block(char *from, char **ret_next) BORROWED;
static char *block(char *from, char **ret_next)
{
	char *end = strstr(from, "\nend\n");

	*ret_next = end == NULL ? NULL : end + 5;
	if (end != NULL)
		end[1] = '\0';
	return from;
}

static void by_conf(struct local_zones **z, struct model *m, const char *text)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 20);
	AUTO(conf_free) struct conf *c = NULL;
	struct local_zones *made = NULL;

	if (strstr(text, "hosts-file") != NULL || strstr(text, "include") != NULL || !OK(conf_load_text(text, "fuzz", report, &c)))
		return;
	strbuf_clear(report);
	if (without_memory(m, KIT_FAILING(local_zones_make(conf_server(c), report, &made)))) {
		CHECK(made == NULL);
		return;
	}
	local_zones_free(*z);
	*z = made;
	m->exact = false;
}

static void by_hosts(struct local_zones *z, struct model *m, const char *text)
{
	AUTO(strbuf_free) struct strbuf *report = strbuf_new(1 << 20);
	AUTO_CHARS char *conf_text_of = NULL;
	AUTO(conf_free) struct conf *c = NULL;
	struct local_zones *made = NULL;
	char path[] = "/tmp/cairn-fuzz-XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
	(void)without_memory(m, KIT_FAILING(local_add_hosts(z, path, report)));
	strbuf_clear(report);
	m->exact = false;
	/* the same by a configuration, with a file beside it that is not there */
	conf_text_of = mem_printf("server:\n hosts-file: \"%s\"\n hosts-file: \"%s.none\"\n hosts-file: \"\"\n", path, path);
	CHECK(OK(conf_load_text(conf_text_of, "fuzz", report, &c)) && OK(local_zones_make(conf_server(c), report, &made)));
	CHECK(strstr(strbuf_text(report), "cannot be read") != NULL);
	local_zones_free(made);
	CHECK(unlink(path) == 0);
}

static void add_pointer(struct local_zones *z, struct model *m, const char *text)
{
	const char *msg = "";

	struct result r = KIT_FAILING(local_add_ptr(z, text, &msg));

	if (OK(r))
		m->exact = false;
	else if (!without_memory(m, r))
		CHECK(*msg != '\0');
}

/* --- lists */

static void check_lists(const struct local_zones *z)
{
	AUTO(strbuf_free) struct strbuf *zones = strbuf_new(1 << 22), *data = strbuf_new(1 << 22), *again = strbuf_new(1 << 22);
	struct local_zones *back = NULL;
	size_t lines = 0;
	const char *msg;

	local_print_zones(z, zones);
	local_print_data(z, data);
	CHECK(strbuf_ok(zones) && strbuf_ok(data) && OK(local_zones_new(&back)));
	for (const char *p = strbuf_text(zones); *p != '\0'; p += strcspn(p, "\n") + 1)
		lines++;
	CHECK(lines == local_zone_count(z));
	for (const char *p = strbuf_text(data); *p != '\0';) {
		AUTO_CHARS char *line = mem_strndup(p, strcspn(p, "\n"));

		CHECK(OK(local_add_data(back, line, &msg)));
		p += strlen(line) + 1;
	}
	local_print_data(back, again);
	CHECK(span_equal(strbuf_span(data), strbuf_span(again)));
	local_zones_free(back);
}

static void one_line(struct local_zones **z, struct model *m, char *line)
{
	if (strncmp(line, "zone ", 5) == 0)
		add_zone(*z, m, line + 5);
	else if (strncmp(line, "unzone ", 7) == 0)
		remove_zone(*z, m, line + 7);
	else if (strncmp(line, "data ", 5) == 0)
		add_data(*z, m, line + 5);
	else if (strncmp(line, "undata ", 7) == 0)
		remove_data(*z, m, line + 7);
	else if (strncmp(line, "override ", 9) == 0)
		add_override(*z, m, line + 9);
	else if (strncmp(line, "ask ", 4) == 0)
		ask(*z, m, line + 4);
	else if (strncmp(line, "ptr ", 4) == 0)
		add_pointer(*z, m, line + 4);
}

static void one_input(const uint8_t *data, size_t size)
{
	AUTO_CHARS char *text = NULL;
	struct local_zones *z = NULL;
	struct model *m;
	unsigned int lines = 0;

	if (size > 1 << 14)
		return;
	log_set_level(LOG_LEVEL_ERROR);
	text = mem_strndup((const char *)data, size);
	m = calloc(1, sizeof *m);
	CHECK(text != NULL && m != NULL && OK(local_zones_new(&z)));
	m->exact = true;
	for (char *line = text, *next; line != NULL && lines < 300; line = next, lines++) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (next != NULL && strcmp(line, "conf") == 0)
			by_conf(&z, m, block(next, &next));
		else if (next != NULL && strcmp(line, "hosts") == 0)
			by_hosts(z, m, block(next, &next));
		else
			one_line(&z, m, line);
	}
	check_lists(z);
	local_zones_free(z);
	free(m);
}

KIT_TARGET(one_input)
