#include "rpki/process/child.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/loop_event.h"
#include "base/mem.h"
#include "base/rng.h"
#include "rpki/process/control.h"

#define ENTER "the sandbox cannot be entered: %s"

static const struct {
	const char *name SHARED_FIELD;
	unsigned int groups;
} roles[CHILD_ROLES] = {
	[CHILD_ENGINE] = { "engine", SANDBOX_READ | SANDBOX_WRITE | SANDBOX_THREADS },
	[CHILD_HTTPS] = { "fetch", SANDBOX_READ | SANDBOX_CONNECT | SANDBOX_THREADS },
	[CHILD_RSYNC] = { "rsync", SANDBOX_READ | SANDBOX_WRITE | SANDBOX_CONNECT | SANDBOX_THREADS | SANDBOX_FORK | SANDBOX_EXECUTE },
	[CHILD_SERVE] = { "serve", SANDBOX_READ | SANDBOX_WRITE | SANDBOX_ACCEPT },
};

/* What libraries look for, whatever the role. Folders, where a file may be replaced. */
static const struct sandbox_path everybodys[] = {
	{ "/dev/null", SANDBOX_READ | SANDBOX_WRITE },
	{ "/dev/urandom", SANDBOX_READ },
	{ "/usr/share/zoneinfo", SANDBOX_READ },
	{ "/etc/localtime", SANDBOX_READ },
	{ "/etc/ssl", SANDBOX_READ },
	{ "/usr/lib/ssl", SANDBOX_READ },
};
#define EVERYBODYS (sizeof everybodys / sizeof everybodys[0])

const char *child_name(enum child_role role)
{
	return roles[role].name;
}

unsigned int child_groups(enum child_role role)
{
	return roles[role].groups;
}

static enum log_level level_of(unsigned int n)
{
	static const enum log_level levels[] = { LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_VERBOSE, LOG_LEVEL_DEBUG };

	return n < sizeof levels / sizeof levels[0] ? levels[n] : LOG_LEVEL_TRACE;
}

void child_set_verbosity(unsigned int n)
{
	log_set_level(level_of(n));
}

bool child_heard(const struct link_message *m)
{
	struct reader r = reader_of(m->body);
	uint8_t n = read8(&r);

	if (m->type != CONTROL_VERBOSITY)
		return false;
	if (reader_ok(&r))
		child_set_verbosity(n);
	return true;
}

void child_log(const struct setup *s, const char *ident)
{
	AUTO_CHARS char *name = *ident == '\0' || s->log_to >= 0 ? mem_strdup(ident) : mem_printf("cairn-rpki-%s", ident);
	struct log_config l = { .ident = name == NULL || *name == '\0' ? "cairn-rpki" : name, .syslog = !s->o.foreground && s->started, .relay = s->log_to >= 0 && *ident != '\0',
		.relay_fd = s->log_to };

	l.level = level_of(s->o.verbosity);
	if (!OK(log_setup(&l)))
		log_error("the log cannot be opened: %s", strerror(errno));
}

RESULT child_begin(struct child *c, const struct setup *s, enum child_role role)
{
	struct loop_backend b;

	*c = (struct child){ .setup = s, .role = role };
	child_log(s, child_name(role));
	c->rng = rng_new();
	if (c->rng == NULL)
		return FAIL(ERR_NOMEM);
	TRY(loop_event_backend(&b));
	c->loop = loop_new(&b, c->rng, NULL);
	return c->loop != NULL ? DONE : FAIL(ERR_NOMEM);
}

RESULT child_become_user(struct child *c)
{
	struct result r = process_confine("", &c->setup->user);

	if (!OK(r))
		log_error("username: cannot become that user: %s", strerror(errno));
	TRY(r);
	return process_die_with_parent(c->setup->monitor_pid) ? DONE : FAIL(ERR_CLOSED);
}

static RESULT enter(struct child *c, const struct sandbox *s, struct sandbox_held *ret)
{
	struct result r = sandbox_enter(s, ret);

	if (!OK(r))
		log_error(ENTER, r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
	else
		log_info("in its sandbox: system calls %s, Landlock version %d", ret->calls ? "filtered" : "not filtered", ret->paths);
	(void)c;
	return r;
}

RESULT child_confine(struct child *c, const struct sandbox_path *paths, size_t n)
{
	AUTO(mem_free) void *all = mem_alloc_array(EVERYBODYS + n, sizeof *paths);
	struct sandbox s = { .groups = child_groups(c->role), .paths = (const struct sandbox_path *)all, .npaths = EVERYBODYS + n };
	struct sandbox_held held = { .calls = false };
	uint8_t said[2];

	if (all == NULL)
		return FAIL(ERR_NOMEM);
	memcpy(all, everybodys, sizeof everybodys);
	if (n > 0)
		memcpy((struct sandbox_path *)all + EVERYBODYS, paths, n * sizeof *paths);
	if (conf_bool(setup_rpki(c->setup), OPT_RPKI_SANDBOX))
		TRY(enter(c, &s, &held));
	said[0] = held.calls;
	said[1] = (uint8_t)held.paths;
	return link_send(c->loop, c->control, CONTROL_READY, span_of(said, sizeof said), -1);
}

RESULT child_link(struct child *c, int control, const struct link_events *ev)
{
	TRY(link_open(c->loop, control, ev, &c->control));
	c->linked = true;
	return DONE;
}

void child_end(struct child *c)
{
	if (c->linked)
		link_close(c->loop, c->control);
	loop_free(MOVE(c->loop));
	rng_free(MOVE(c->rng));
}
