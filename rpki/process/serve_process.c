/*
 *   waiting   nobody is let in: the first table may be here in a moment
 *   serving   connections are accepted, with or without data
 *   leaving   routers are told, for at most GOODBYE_MS
 */
#include "rpki/process/serve_process.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "config.h"
#include "rpki/process/child.h"
#include "rpki/process/control.h"
#include "rpki/process/identity.h"
#include "rpki/process/memory_file.h"
#include "rpki/process/operator_verbs.h"
#include "rpki/routes/table_image.h"
#include "rpki/serve/http.h"
#include "rpki/serve/rtr_keep.h"
#include "rpki/serve/rtr_server.h"

#define GOODBYE_MS 2000u
#define WAIT_MS 10000u /* for the first table, before routers are told that there is none */
#define IMAGE_OCTETS ((size_t)8 << 30)
#define HISTORY_SERIALS 20u
#define HISTORY_OCTETS ((size_t)64 << 20)
#define FILES_BESIDES 64u /* descriptors that are no router's */

LOOP_HANDLE(serve_process)
LOOP_HANDLE_IMPL(serve_process)

struct serve_process {
	struct child child;
	serve_process_h self;
	struct host *host OWNED_FIELD;
	struct host *tls OWNED_FIELD; /* on top of it; NULL: there is no tls-interface: */
	struct rtr_feed *feed OWNED_FIELD;
	struct rtr_server *server OWNED_FIELD;
	struct rpki_http *http OWNED_FIELD; /* NULL: there is no http-interface: */
	struct operator_server *operators OWNED_FIELD; /* NULL: there is no control-interface: */
	void *status OWNED_FIELD; /* for operators: the last one, flat */
	size_t status_octets;
	char *keep OWNED_FIELD; /* where the service's state is kept; NULL: nowhere */
	char *folder OWNED_FIELD;
	timer_h wait, goodbye;
	int term; /* readable when SIGTERM has come; -1: none */
	watch_h term_watch;
	bool listening, ending;
};

static int64_t time_now(const struct serve_process *p)
{
	return p->child.setup->o.at_given ? p->child.setup->o.at_sec : clock_read().wall_sec;
}

/* --------------------------------------------------------------------------------------------------- what outlives a restart */

static void keep_state(const struct serve_process *p)
{
	struct result r = p->keep != NULL ? rtr_keep_save(p->keep, p->feed, time_now(p)) : DONE;

	if (!OK(r))
		log_warn("%s: cannot be written, so routers begin anew after a restart: %s", p->keep, r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
}

/* Routers go on where they were, when what was kept is not too old. */
static void recall_state(struct serve_process *p)
{
	const struct history_limits limits = { HISTORY_SERIALS, HISTORY_OCTETS };
	int64_t at = 0;
	struct result r;

	if (p->keep == NULL)
		return;
	r = rtr_keep_read(p->keep, p->feed, &limits, time_now(p), conf_int(setup_rtr(p->child.setup), OPT_RTR_EXPIRE), &at);
	if (OK(r))
		log_notice("routers go on with serial %u: %zu VRPs as of %" PRId64 " seconds ago", rtr_feed_state(p->feed).serial,
			table_count(rtr_feed_table(p->feed), PAYLOAD_VRP), time_now(p) - at);
	else if (r.e == ERR_TIMEOUT)
		log_notice("%s: older than expire: or of the future, not used", p->keep);
	else if (r.e != ERR_NOTFOUND)
		log_warn("%s: not used: %s", p->keep, r.e == ERR_SYSTEM ? strerror(errno) : r.e == ERR_FORMAT ? "damaged, or of another version" : err_text(r.e));
}

/* ------------------------------------------------------------------------------------------------------------------ events */

static void listen_all(struct serve_process *p)
{
	const struct listeners *x = &p->child.setup->listeners;

	loop_timer_stop(p->child.loop, &p->wait);
	if (p->listening || p->ending)
		return;
	p->listening = true;
	for (size_t i = 0; i < x->n; i++) {
		struct listen_options o;
		struct result r;

		if (x->list[i].kind == LISTEN_HTTP || x->list[i].kind == LISTEN_CONTROL)
			continue; /* they know by themselves what to say before the first table */
		r = listener_options(&x->list[i], &o);
		if (OK(r))
			r = rtr_server_listen_on(p->server, x->list[i].kind == LISTEN_RTR_TLS ? p->tls : p->host, &o);
		if (!OK(r))
			log_error("a socket cannot be listened to: %s", r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
	}
}

static void on_waited(struct loop *l, void *object)
{
	struct serve_process *p = (struct serve_process *)object;

	(void)l;
	p->wait.v = 0;
	listen_all(p);
}

static RESULT take_table(struct serve_process *p, int fd)
{
	AUTO(table_unref) struct payload_table *t = NULL, *kept = NULL;
	bool changed = false;

	TRY(table_image_map(fd, IMAGE_OCTETS, &t));
	kept = table_ref(t);
	TRY(rtr_feed_publish(p->feed, MOVE(t), &changed));
	keep_state(p);
	if (!changed)
		return DONE;
	log_notice("serial %u: %zu VRPs, %zu router keys, %zu ASPAs", rtr_feed_state(p->feed).serial, table_count(kept, PAYLOAD_VRP), table_count(kept, PAYLOAD_KEY),
		table_count(kept, PAYLOAD_ASPA));
	rtr_server_published(p->server);
	return DONE;
}

static RESULT take_status(struct serve_process *p, int fd)
{
	AUTO(status_free) struct status *s = NULL;
	AUTO(mem_free) void *octets = NULL;
	size_t n;

	TRY(memory_file_read(fd, STATUS_OCTETS_MAX, &octets, &n));
	TRY(status_decode(span_of(octets, n), &s));
	if (p->operators != NULL) {
		mem_free(MOVE(p->status));
		p->status = MOVE(octets);
		p->status_octets = n;
	}
	return p->http != NULL && rtr_feed_table(p->feed) != NULL ? rpki_http_publish(p->http, MOVE(s)) : DONE;
}

static RESULT take_identity(struct serve_process *p, struct span body, int fd)
{
	AUTO(tls_identity_free) struct tls_identity *identity = NULL;
	AUTO(mem_free) void *octets = NULL;
	struct reader r = reader_of(body);
	bool client_address = read8(&r) != 0;
	size_t n;

	TRY(memory_file_read(fd, IDENTITY_OCTETS, &octets, &n));
	TRY(identity_use(span_of(octets, n), client_address, &identity));
	host_tls_set(p->tls, MOVE(identity));
	return DONE;
}

/* ---------------------------------------------------------------------------------------------------------------- operators */

static RESULT pass_on(const void *ctx, const struct operator_message *m)
{
	const struct serve_process *p = (const struct serve_process *)ctx;
	uint8_t room[OPERATOR_MESSAGE];

	return p->child.linked ? link_send(p->child.loop, p->child.control, CONTROL_WISH, operator_message_write(m, room), -1) : FAIL(ERR_CLOSED);
}

static struct operator_desk desk(const struct serve_process *p)
{
	return (struct operator_desk){ .server = p->operators, .rtr = p->server, .status = span_of(p->status, p->status_octets), .now = loop_now(p->child.loop)->wall_sec,
		.version = PACKAGE_VERSION, .ctx = p, .wish = pass_on };
}

static void on_operator(struct loop *l, void *object, operator_ask_h ask, const struct operator_line *line)
{
	struct operator_desk d = desk((const struct serve_process *)object);

	(void)l;
	operator_do(&d, ask, line);
}

static void on_granted(const struct serve_process *p, struct span body)
{
	struct operator_desk d = desk(p);
	struct operator_message m;

	if (p->operators != NULL && OK(operator_message_read(body, &m)))
		operator_granted(&d, &m);
}

/* ------------------------------------------------------------------------------------------------------------------ goodbye */

static void on_goodbye_over(struct loop *l, void *object)
{
	struct serve_process *p = (struct serve_process *)object;

	p->goodbye.v = 0;
	loop_stop(l);
}

/* 8210bis section 12: routers of version 2 keep their data, and come back. Who has not taken the last PDU when time is up is closed. */
static void leave(struct serve_process *p)
{
	uint64_t ms = GOODBYE_MS;

	if (p->ending)
		return;
	p->ending = true;
	loop_timer_stop(p->child.loop, &p->wait);
	rtr_server_goodbye(p->server, RTR_CACHE_RESTART);
	if (rtr_server_counts(p->server)->clients == 0)
		ms = 0;
	if (!OK(loop_timer(p->child.loop, &serve_process_loop_type, p->self.v, on_goodbye_over, ms, &p->goodbye)))
		loop_stop(p->child.loop);
}

static void on_terminate(struct loop *l, void *object, unsigned int events)
{
	struct serve_process *p = (struct serve_process *)object;

	(void)events;
	loop_unwatch(l, &p->term_watch);
	leave(p);
}

/* A signal as a descriptor: the monitor's loop, of which this process has a copy, has the C library's handlers. */
static RESULT watch_for_term(struct serve_process *p)
{
	sigset_t term;

	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &term, NULL) != 0)
		return FAIL(ERR_SYSTEM);
	p->term = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->term < 0)
		return FAIL(ERR_SYSTEM);
	return loop_watch(p->child.loop, &serve_process_loop_type, p->self.v, p->term, LOOP_READ, on_terminate, &p->term_watch);
}

static void set_timers(struct serve_process *p, struct span body)
{
	struct reader r = reader_of(body);
	struct rtr_timers t;

	t.refresh = read32(&r);
	t.retry = read32(&r);
	t.expire = read32(&r);
	if (reader_ok(&r) && rtr_timers_sound(&t))
		rtr_feed_set_timers(p->feed, &t);
}

static void on_control(struct loop *l, void *object, link_h k, struct link_message *m)
{
	struct serve_process *p = (struct serve_process *)object;
	struct result r = DONE;

	(void)l, (void)k;
	if (child_heard(m))
		return;
	switch (m->type) {
	case CONTROL_SNAPSHOT:
		r = m->fd >= 0 ? take_table(p, m->fd) : FAIL(ERR_FORMAT);
		if (!OK(r))
			log_error("the engine's table cannot be used: %s", r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
		else
			listen_all(p);
		break;
	case CONTROL_STATUS:
		r = m->fd >= 0 ? take_status(p, m->fd) : FAIL(ERR_FORMAT);
		if (!OK(r))
			log_error("the engine's status cannot be used: %s", r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
		break;
	case CONTROL_LATER:
		listen_all(p);
		break;
	case CONTROL_IDENTITY:
		r = m->fd >= 0 && p->tls != NULL ? take_identity(p, m->body, m->fd) : DONE;
		if (!OK(r))
			log_error("the TLS certificate read before stays in use");
		break;
	case CONTROL_GRANTED:
		on_granted(p, m->body);
		break;
	case CONTROL_TIMERS:
		set_timers(p, m->body);
		break;
	default:
		break;
	}
}

static void on_control_closed(struct loop *l, void *object, link_h k, enum err e)
{
	struct serve_process *p = (struct serve_process *)object;

	(void)l, (void)k, (void)e;
	p->child.linked = false;
	leave(p);
}

/* ------------------------------------------------------------------------------------------------------------------- start */

static RESULT make_feed(struct serve_process *p)
{
	const struct conf_clause *rtr = setup_rtr(p->child.setup);
	struct rtr_feed_options fo = { .history = { HISTORY_SERIALS, HISTORY_OCTETS } };
	struct rtr_state ids = rtr_state_draw(p->child.rng);

	fo.timers = (struct rtr_timers){ .refresh = (uint32_t)conf_int(rtr, OPT_RTR_REFRESH), .retry = (uint32_t)conf_int(rtr, OPT_RTR_RETRY),
		.expire = (uint32_t)conf_int(rtr, OPT_RTR_EXPIRE) };
	p->feed = rtr_feed_new(&fo, &ids);
	return p->feed != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT make_http(struct serve_process *p)
{
	const struct conf_clause *rpki = setup_rpki(p->child.setup);
	const struct listeners *x = &p->child.setup->listeners;
	struct rpki_http_options o = { .server = HTTP_SERVER_USUAL, .version = PACKAGE_VERSION };

	o.server.max_clients = (uint32_t)conf_int(rpki, OPT_RPKI_HTTP_MAX_CLIENTS);
	o.server.max_held = (size_t)conf_int(rpki, OPT_RPKI_HTTP_HELD_SIZE);
	o.shelf = (size_t)conf_int(rpki, OPT_RPKI_HTTP_CACHE_SIZE);
	o.clients = conf_bool(setup_rtr(p->child.setup), OPT_RTR_CLIENT_METRICS);
	for (size_t i = 0; i < x->n; i++) {
		struct listen_options lo;

		if (x->list[i].kind != LISTEN_HTTP)
			continue;
		if (p->http == NULL)
			p->http = rpki_http_new(p->host, p->feed, p->server, &o);
		if (p->http == NULL)
			return FAIL(ERR_NOMEM);
		TRY(listener_options(&x->list[i], &lo));
		TRY(rpki_http_listen(p->http, p->host, &lo));
	}
	return DONE;
}

static RESULT make_operators(struct serve_process *p)
{
	const struct listeners *x = &p->child.setup->listeners;
	const struct operator_events ev = { .type = &serve_process_loop_type, .who = p->self.v, .asked = on_operator };

	for (size_t i = 0; i < x->n; i++) {
		struct listen_options lo;

		if (x->list[i].kind != LISTEN_CONTROL)
			continue;
		if (p->operators == NULL)
			p->operators = operator_server_new(p->host, &ev);
		if (p->operators == NULL)
			return FAIL(ERR_NOMEM);
		TRY(listener_options(&x->list[i], &lo));
		TRY(operator_server_listen(p->operators, &lo));
	}
	return DONE;
}

/* Before root is dropped: the key is root's alone. */
static RESULT make_tls(struct serve_process *p)
{
	const struct conf *conf = p->child.setup->conf;
	const struct tls_server_options o = TLS_SERVER_USUAL;
	AUTO(strbuf_free) struct strbuf *octets = NULL;
	AUTO(tls_identity_free) struct tls_identity *identity = NULL;

	if (!identity_wanted(conf))
		return DONE;
	octets = strbuf_new(IDENTITY_OCTETS);
	if (octets == NULL)
		return FAIL(ERR_NOMEM);
	TRY(identity_gather(conf, octets));
	TRY(identity_use(strbuf_span(octets), conf_bool(setup_rtr(p->child.setup), OPT_RTR_TLS_CLIENT_ADDRESS), &identity));
	p->tls = host_tls_new(p->host, MOVE(identity), &o);
	return p->tls != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT make_service(struct serve_process *p)
{
	struct rtr_server_options so = RTR_SERVER_USUAL;
	const char *cache = conf_text(setup_rpki(p->child.setup), OPT_RPKI_CACHE_DIR);

	so.max_clients = (uint32_t)conf_int(setup_rtr(p->child.setup), OPT_RTR_MAX_CLIENTS);
	(void)process_raise_files((uint64_t)so.max_clients + FILES_BESIDES);
	TRY(make_feed(p));
	p->host = host_event_new(p->child.loop, 0);
	if (p->host == NULL)
		return FAIL(ERR_NOMEM);
	TRY(make_tls(p));
	p->server = rtr_server_new(p->host, p->feed, &so);
	if (p->server == NULL)
		return FAIL(ERR_NOMEM);
	TRY(make_http(p));
	TRY(make_operators(p));
	if (cache == NULL || *cache == '\0')
		return DONE;
	p->folder = mem_printf("%s/" SERVE_FOLDER, cache);
	p->keep = mem_printf("%s/" SERVE_FOLDER "/" RTR_KEEP_NAME, cache);
	return p->folder != NULL && p->keep != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT show_recalled(struct serve_process *p)
{
	AUTO(status_free) struct status *s = NULL;

	if (p->http == NULL || rtr_feed_table(p->feed) == NULL)
		return DONE;
	s = status_new();
	return s != NULL ? rpki_http_publish(p->http, MOVE(s)) : FAIL(ERR_NOMEM);
}

static RESULT start(struct serve_process *p, const struct setup *s, int control)
{
	struct link_events ev = { .type = &serve_process_loop_type, .message = on_control, .closed = on_control_closed };
	struct sandbox_path folder = { .groups = SANDBOX_READ | SANDBOX_WRITE };

	TRY(child_begin(&p->child, s, CHILD_SERVE));
	p->self = serve_process_enlist(p->child.loop, p);
	if (p->self.v == 0)
		return FAIL(ERR_NOMEM);
	ev.who = p->self.v;
	TRY(child_link(&p->child, control, &ev));
	TRY(make_service(p));
	TRY(child_become_user(&p->child));
	TRY(watch_for_term(p));
	folder.path = p->folder;
	TRY(child_confine(&p->child, &folder, p->folder != NULL ? 1 : 0));
	recall_state(p);
	TRY(show_recalled(p));
	if (rtr_feed_table(p->feed) != NULL)
		listen_all(p);
	else
		TRY(loop_timer(p->child.loop, &serve_process_loop_type, p->self.v, on_waited, WAIT_MS, &p->wait));
	return DONE;
}

static void end(struct serve_process *p)
{
	operator_server_free(MOVE(p->operators));
	mem_free(MOVE(p->status));
	rpki_http_free(MOVE(p->http));
	rtr_server_free(MOVE(p->server));
	host_free(MOVE(p->tls));
	host_free(MOVE(p->host));
	if (p->term >= 0) {
		loop_unwatch(p->child.loop, &p->term_watch);
		(void)close(p->term);
	}
	if (p->self.v != 0)
		serve_process_retire(p->child.loop, p->self);
	child_end(&p->child);
	rtr_feed_free(MOVE(p->feed));
	mem_free(MOVE(p->keep));
	mem_free(MOVE(p->folder));
}

int serve_process(void *ctx, int control, const struct monitor_along *along)
{
	struct serve_process p = { .term = -1 };
	struct result r = start(&p, (const struct setup *)ctx, control);

	(void)along;
	if (OK(r))
		loop_run(p.child.loop);
	else if (r.e != ERR_CLOSED) /* the monitor has gone, and has said why */
		log_error("the start failed: %s", r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
	end(&p);
	return OK(r) ? 0 : r.e == ERR_NOMEM ? 1 : 2;
}
