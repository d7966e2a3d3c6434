#include "rpki/once.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/loop_event.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "net/tls_client.h"
#include "rpki/routes/table.h"
#include "rpki/schedule.h"
#include "rpki/settings.h"

LOOP_HANDLE(once)
LOOP_HANDLE_IMPL(once)

struct once {
	struct loop *loop OWNED_FIELD;
	struct host *host OWNED_FIELD;
	struct tls_trust *trust OWNED_FIELD;
	struct fetcher *fetcher OWNED_FIELD;
	struct schedule *schedule OWNED_FIELD;
	once_h self;
	struct result result;
	struct payload_table *table OWNED_FIELD;
	bool all_usable;
};

static void once_done(struct once *x)
{
	schedule_free(MOVE(x->schedule));
	fetcher_free(MOVE(x->fetcher));
	host_free(MOVE(x->host));
	tls_trust_free(MOVE(x->trust));
	if (x->self.v != 0)
		once_retire(x->loop, x->self);
	loop_free(MOVE(x->loop));
	table_unref(MOVE(x->table));
}

static void on_ended(struct loop *l, void *object, const struct cycle_report *r, const struct locators *locators)
{
	struct once *x = (struct once *)object;

	(void)locators;
	x->result = r->result;
	if (OK(r->result))
		x->table = table_ref(r->table);
	x->all_usable = true;
	for (size_t i = 0; i < r->anchor_count; i++)
		x->all_usable = x->all_usable && r->anchors[i].usable;
	loop_stop(l);
}

static RESULT make_fetcher(struct once *x, const struct conf *c)
{
	const struct conf_clause *rpki = conf_single(c, CLAUSE_RPKI);
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(1000);
	AUTO_CHARS char *dir = settings_rsync_dir(conf_text(rpki, OPT_RPKI_CACHE_DIR));
	const char *bundle = conf_text(rpki, OPT_RPKI_TLS_CA_BUNDLE);
	struct fetcher_direct_options o;

	if (why == NULL || dir == NULL)
		return FAIL(ERR_NOMEM);
	if (!OK(settings_fetcher(c, &o))) {
		log_error("https-proxy: %s is no address", conf_text(rpki, OPT_RPKI_HTTPS_PROXY));
		return FAIL(ERR_FORMAT);
	}
	if (!OK(tls_trust_new(bundle != NULL && *bundle != '\0' ? bundle : NULL, why, &x->trust))) {
		log_error("tls-ca-bundle: %s", strbuf_text(why));
		return FAIL(ERR_FORMAT);
	}
	if (mkdir(dir, 0750) != 0 && errno != EEXIST) {
		log_error("%s cannot be made: %s", dir, strerror(errno));
		return FAIL(ERR_SYSTEM);
	}
	o.http.trust = x->trust;
	o.rsync_dir = dir;
	x->fetcher = fetcher_direct_new(x->host, &o);
	return x->fetcher != NULL ? DONE : FAIL(ERR_NOMEM);
}

static RESULT prepare(struct once *x, const struct once_options *o)
{
	struct schedule_options so = { .conf = o->conf, .once = true, .at_given = o->at_given, .at_sec = o->at_sec };
	struct schedule_events ev = { .type = &once_loop_type, .ended = on_ended };
	struct loop_backend b;

	TRY(loop_event_backend(&b));
	x->loop = loop_new(&b, o->rng, NULL);
	if (x->loop == NULL)
		return FAIL(ERR_NOMEM);
	x->host = host_event_new(x->loop, 0);
	x->self = once_enlist(x->loop, x);
	if (x->host == NULL || x->self.v == 0)
		return FAIL(ERR_NOMEM);
	if (!o->offline)
		TRY(make_fetcher(x, o->conf));
	so.fetcher = x->fetcher;
	ev.who = x->self.v;
	return schedule_new(x->loop, &so, &ev, &x->schedule);
}

RESULT once_run(const struct once_options *o, struct payload_table **ret_table, bool *ret_all_usable)
{
	struct once x = { .result = FAIL(ERR_SYSTEM) };
	struct result r = prepare(&x, o);

	if (OK(r)) {
		loop_run(x.loop);
		r = x.result;
	}
	if (OK(r)) {
		*ret_table = MOVE(x.table);
		*ret_all_usable = x.all_usable;
	}
	once_done(&x);
	return r;
}
