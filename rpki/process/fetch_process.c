#include "rpki/process/fetch_process.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "net/tls_client.h"
#include "rpki/process/child.h"
#include "rpki/process/fetch_service.h"
#include "rpki/settings.h"

#define WHY_OCTETS 4096u
#define UNSENT_MAX ((size_t)1 << 20)
#define LEFT_MS 1000u /* after the engine has gone, the monitor stops this process; else it ends by itself */

LOOP_HANDLE(fetch_process)
LOOP_HANDLE_IMPL(fetch_process)

struct fetch_process {
	struct child child;
	fetch_process_h self;
	struct tls_trust *trust OWNED_FIELD;
	struct host *host OWNED_FIELD;
	struct fetcher *fetcher OWNED_FIELD;
	struct fetch_service *service OWNED_FIELD;
	char *rsync_dir OWNED_FIELD;
	char *rsync_command_dir OWNED_FIELD;
	timer_h left;
};

/* What getaddrinfo and rsync look at. Folders, since resolv.conf and its like are replaced. */
static const struct sandbox_path of_network[] = {
	{ "/etc", SANDBOX_READ },
	{ "/lib", SANDBOX_READ },
	{ "/lib64", SANDBOX_READ },
	{ "/usr/lib", SANDBOX_READ },
	{ "/usr/lib64", SANDBOX_READ },
	{ "/usr/share", SANDBOX_READ },
	{ "/run/systemd/resolve", SANDBOX_READ },
	{ "/run/resolvconf", SANDBOX_READ },
	{ "/run/NetworkManager", SANDBOX_READ },
	{ "/run/nscd", SANDBOX_READ },
};
#define OF_NETWORK (sizeof of_network / sizeof of_network[0])
#define OF_RSYNC 6u

static void on_control(struct loop *l, void *object, link_h k, struct link_message *m)
{
	(void)l, (void)object, (void)k;
	(void)child_heard(m); /* there is nothing else to be told */
}

static void on_control_closed(struct loop *l, void *object, link_h k, enum err e)
{
	struct fetch_process *p = (struct fetch_process *)object;

	(void)k, (void)e;
	p->child.linked = false;
	loop_stop(l);
}

static void on_left(struct loop *l, void *object)
{
	struct fetch_process *p = (struct fetch_process *)object;

	p->left.v = 0;
	loop_stop(l);
}

static void on_service_ended(struct loop *l, void *object, enum err e)
{
	struct fetch_process *p = (struct fetch_process *)object;

	if (e != ERR_CLOSED)
		log_error("the link to the engine ended: %s", err_text(e));
	if (!OK(loop_timer(l, &fetch_process_loop_type, p->self.v, on_left, LEFT_MS, &p->left)))
		loop_stop(l);
}

/* Before root is dropped: the file may be root's alone. */
static RESULT read_trust(struct fetch_process *p)
{
	const char *bundle = conf_text(setup_rpki(p->child.setup), OPT_RPKI_TLS_CA_BUNDLE);
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(WHY_OCTETS);
	struct result r;

	if (why == NULL)
		return FAIL(ERR_NOMEM);
	r = tls_trust_new(bundle != NULL && *bundle != '\0' ? bundle : NULL, why, &p->trust);
	if (!OK(r))
		log_error("tls-ca-bundle: %s", strbuf_text(why));
	return r;
}

static RESULT make_fetcher(struct fetch_process *p)
{
	struct fetcher_direct_options o;

	TRY(settings_fetcher(p->child.setup->conf, &o));
	o.http.trust = p->trust;
	o.rsync_dir = p->rsync_dir;
	p->host = host_event_new(p->child.loop, UNSENT_MAX);
	if (p->host == NULL)
		return FAIL(ERR_NOMEM);
	p->fetcher = fetcher_direct_new(p->host, &o);
	return p->fetcher != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT confine(struct fetch_process *p)
{
	const unsigned int run = SANDBOX_READ | SANDBOX_EXECUTE;
	struct sandbox_path paths[OF_NETWORK + OF_RSYNC];
	size_t n = OF_NETWORK;

	memcpy(paths, of_network, sizeof of_network);
	if (p->child.role == CHILD_RSYNC) {
		paths[n++] = (struct sandbox_path){ "/lib", run };
		paths[n++] = (struct sandbox_path){ "/lib64", run };
		paths[n++] = (struct sandbox_path){ "/usr", run };
		paths[n++] = (struct sandbox_path){ "/bin", run };
		if (p->rsync_command_dir != NULL)
			paths[n++] = (struct sandbox_path){ p->rsync_command_dir, run };
		paths[n++] = (struct sandbox_path){ p->rsync_dir, SANDBOX_READ | SANDBOX_WRITE };
	}
	return child_confine(&p->child, paths, n);
}

static RESULT set_up_rsync(struct fetch_process *p)
{
	const struct conf_clause *rpki = setup_rpki(p->child.setup);
	const char *command = conf_text(rpki, OPT_RPKI_RSYNC_COMMAND), *slash = strrchr(command, '/');

	p->rsync_dir = settings_rsync_dir(conf_text(rpki, OPT_RPKI_CACHE_DIR));
	if (slash != NULL && slash != command) {
		p->rsync_command_dir = mem_strndup(command, (size_t)(slash - command));
		if (p->rsync_command_dir == NULL)
			return FAIL(ERR_NOMEM);
	}
	return p->rsync_dir != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT start(struct fetch_process *p, const struct setup *s, enum child_role role, int control, int engine)
{
	struct fetch_service_events ev = { .type = &fetch_process_loop_type, .ended = on_service_ended };
	struct link_events of_control = { .type = &fetch_process_loop_type, .message = on_control, .closed = on_control_closed };

	TRY(child_begin(&p->child, s, role));
	p->self = fetch_process_enlist(p->child.loop, p);
	if (p->self.v == 0)
		return FAIL(ERR_NOMEM);
	ev.who = of_control.who = p->self.v;
	TRY(child_link(&p->child, control, &of_control));
	TRY(role == CHILD_HTTPS ? read_trust(p) : set_up_rsync(p));
	TRY(child_become_user(&p->child));
	TRY(make_fetcher(p));
	TRY(fetch_service_new(p->child.loop, p->fetcher, engine, &ev, &p->service));
	return confine(p);
}

static void end(struct fetch_process *p)
{
	fetch_service_free(MOVE(p->service));
	fetcher_free(MOVE(p->fetcher));
	host_free(MOVE(p->host));
	tls_trust_free(MOVE(p->trust));
	if (p->self.v != 0)
		fetch_process_retire(p->child.loop, p->self);
	child_end(&p->child);
	mem_free(MOVE(p->rsync_dir));
	mem_free(MOVE(p->rsync_command_dir));
}

static int run(const struct setup *s, enum child_role role, int control, int engine)
{
	struct fetch_process p = { .self = { 0 } };
	struct result r = start(&p, s, role, control, engine);

	if (OK(r))
		loop_run(p.child.loop);
	else if (r.e != ERR_CLOSED) /* the monitor has gone, and has said why */
		log_error("the start failed: %s", r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
	end(&p);
	return OK(r) ? 0 : r.e == ERR_NOMEM ? 1 : 2;
}

int fetch_process_https(void *ctx, int control, const struct monitor_along *along)
{
	return run((const struct setup *)ctx, CHILD_HTTPS, control, along->fds[along->n - 1]);
}

int fetch_process_rsync(void *ctx, int control, const struct monitor_along *along)
{
	return run((const struct setup *)ctx, CHILD_RSYNC, control, along->fds[along->n - 1]);
}
