#include "rpki/process/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/sock.h"
#include "rpki/serve/peer_keys.h"

#define BACKLOG 1024u

static const struct {
	enum conf_clause_kind clause;
	enum conf_opt option;
	enum listener_kind kind;
	uint16_t port;
} kinds[] = {
	{ CLAUSE_RTR, OPT_RTR_INTERFACE, LISTEN_RTR, 323 },
	{ CLAUSE_RTR, OPT_RTR_TLS_INTERFACE, LISTEN_RTR_TLS, 324 },
	{ CLAUSE_RPKI, OPT_RPKI_HTTP_INTERFACE, LISTEN_HTTP, 8323 },
	{ CLAUSE_RPKI, OPT_RPKI_CONTROL_INTERFACE, LISTEN_CONTROL, 0 },
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static struct listen_options usual(const struct listener *x)
{
	return (struct listen_options){ .at = x->at, .path = x->path, .dscp = -1, .keepalive = true, .backlog = BACKLOG };
}

/* Who may write to it may stop the daemon. */
static RESULT open_control(const struct listen_options *o, int *ret_fd)
{
	mode_t mask = umask(0117);
	struct result r = sock_listen_stream(o, ret_fd);
	int e = errno;

	(void)umask(mask);
	errno = e;
	return r;
}

static RESULT open_one(struct listener *x, const struct conf_clause *c, size_t kind, size_t i)
{
	const char *where = conf_item(c, kinds[kind].option, i);
	struct listen_options o;

	x->kind = kinds[kind].kind;
	if (strchr(where, '/') != NULL) {
		x->path = mem_strdup(where);
		if (x->path == NULL)
			return FAIL(ERR_NOMEM);
	} else if (x->kind == LISTEN_CONTROL) {
		return FAIL(ERR_RANGE);
	} else {
		TRY(conf_word_endpoint(c, kinds[kind].option, i, 0, kinds[kind].port, &x->at));
	}
	o = usual(x);
	return x->kind == LISTEN_CONTROL ? open_control(&o, &x->fd) : sock_listen_stream(&o, &x->fd);
}

static RESULT open_kind(struct listeners *x, const struct conf *conf, size_t kind)
{
	const struct conf_clause *c = conf_single(conf, kinds[kind].clause);

	for (size_t i = 0; i < conf_count(c, kinds[kind].option); i++) {
		struct listener *one = &x->list[x->n];
		struct result r;

		one->fd = -1;
		x->n++;
		r = open_one(one, c, kind, i);
		if (OK(r)) {
			if (one->kind == LISTEN_RTR)
				TRY(peer_keys_set(conf, one->fd)); /* before anybody listens to what comes here */
			continue;
		}
		log_error("%s: %s cannot be opened: %s", conf_where(c, kinds[kind].option, i), conf_item(c, kinds[kind].option, i),
			r.e == ERR_SYSTEM ? strerror(errno) : r.e == ERR_RANGE ? "expected the path of a Unix socket" : err_text(r.e));
		return r;
	}
	return DONE;
}

RESULT listeners_open(struct listeners *ret, const struct conf *conf)
{
	size_t n = 0;

	for (size_t kind = 0; kind < KINDS; kind++)
		n += conf_count(conf_single(conf, kinds[kind].clause), kinds[kind].option);
	*ret = (struct listeners){ .n = 0 };
	ret->list = (struct listener *)mem_alloc_array(n, sizeof *ret->list);
	if (ret->list == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t kind = 0; kind < KINDS; kind++) {
		struct result r = open_kind(ret, conf, kind);

		if (!OK(r)) {
			listeners_done(ret);
			return r;
		}
	}
	return DONE;
}

void listeners_done(struct listeners *x)
{
	for (size_t i = 0; i < x->n; i++) {
		if (x->list[i].fd >= 0)
			(void)close(x->list[i].fd);
		mem_free(MOVE(x->list[i].path));
	}
	x->n = 0;
	mem_free(MOVE(x->list));
}

void listeners_give(const struct listeners *x, uint32_t gid)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->list[i].kind == LISTEN_CONTROL && x->list[i].path != NULL && lchown(x->list[i].path, (uid_t)-1, gid) != 0)
			log_warn("%s: cannot be given to the group of the user: %s", x->list[i].path, strerror(errno));
}

void listeners_unlink(const struct listeners *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->list[i].path != NULL)
			(void)unlink(x->list[i].path);
}

RESULT listener_options(const struct listener *x, struct listen_options *ret)
{
	struct listen_options o = usual(x);

	o.fd = fcntl(x->fd, F_DUPFD_CLOEXEC, 3);
	if (o.fd < 0)
		return FAIL(ERR_SYSTEM);
	o.is_open = true;
	*ret = o;
	return DONE;
}
