#include "rpki/settings.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "conf/conf.h"

#define PROXY_PORT 3128
#define WHY_OCTETS 65536u
#define READERS_BESIDES 16u /* views of the store that are no validation thread's */

static uint32_t ms(const struct conf_clause *rpki, enum conf_opt o)
{
	return (uint32_t)conf_int(rpki, o) * 1000u;
}

static uint32_t number(const struct conf_clause *rpki, enum conf_opt o)
{
	return (uint32_t)conf_int(rpki, o);
}

static void rsync_settings(const struct conf_clause *rpki, struct rsync_options *r)
{
	const char *proxy = conf_text(rpki, OPT_RPKI_RSYNC_PROXY);

	r->command = conf_text(rpki, OPT_RPKI_RSYNC_COMMAND);
	r->proxy = proxy != NULL && *proxy != '\0' ? proxy : NULL;
	r->connect_s = number(rpki, OPT_RPKI_CONNECT_TIMEOUT);
	r->deadline_ms = ms(rpki, OPT_RPKI_TRANSFER_TIMEOUT);
	r->stall_ms = ms(rpki, OPT_RPKI_RSYNC_STALL);
	r->object_octets = number(rpki, OPT_RPKI_OBJECT_SIZE);
	r->octets = (uint64_t)conf_int(rpki, OPT_RPKI_RSYNC_SIZE);
	r->files = number(rpki, OPT_RPKI_RSYNC_FILES);
}

RESULT settings_fetcher(const struct conf *c, struct fetcher_direct_options *ret)
{
	const struct conf_clause *rpki = conf_single(c, CLAUSE_RPKI);
	const char *proxy = conf_text(rpki, OPT_RPKI_HTTPS_PROXY);
	struct fetcher_direct_options o = fetcher_direct_options_default();

	o.http.agent = "cairn-rpki";
	o.http.connect_ms = ms(rpki, OPT_RPKI_CONNECT_TIMEOUT);
	o.http.deadline_ms = ms(rpki, OPT_RPKI_TRANSFER_TIMEOUT);
	o.http.rate_octets = number(rpki, OPT_RPKI_TRANSFER_RATE);
	o.http.by_proxy = proxy != NULL && *proxy != '\0';
	if (o.http.by_proxy && !OK(endpoint_parse(proxy, PROXY_PORT, &o.http.proxy)))
		return FAIL(ERR_FORMAT);
	rsync_settings(rpki, &o.rsync);
	o.gets = number(rpki, OPT_RPKI_TRANSFERS);
	o.host_gets = number(rpki, OPT_RPKI_TRANSFERS_PER_HOST);
	o.rsyncs = number(rpki, OPT_RPKI_RSYNCS);
	o.host_rsyncs = number(rpki, OPT_RPKI_RSYNCS_PER_HOST);
	*ret = o;
	return DONE;
}

struct validate_limits settings_validate(const struct conf_clause *rpki)
{
	return (struct validate_limits){ .depth = number(rpki, OPT_RPKI_MAX_DEPTH), .branch = number(rpki, OPT_RPKI_MAX_POINTS_PER_MEMBER),
		.files = number(rpki, OPT_RPKI_MAX_MANIFEST_FILES), .children = number(rpki, OPT_RPKI_MAX_CHILDREN), .payloads = number(rpki, OPT_RPKI_MAX_PAYLOADS),
		.object = number(rpki, OPT_RPKI_OBJECT_SIZE) };
}

struct patience_options settings_patience(const struct conf_clause *rpki)
{
	return (struct patience_options){ .full_ms = ms(rpki, OPT_RPKI_CONNECT_TIMEOUT), .least_ms = ms(rpki, OPT_RPKI_BACKOFF_TIMEOUT), .after = number(rpki, OPT_RPKI_BACKOFF_AFTER),
		.max = number(rpki, OPT_RPKI_MAX_REPOSITORIES) };
}

enum unsafe_policy settings_unsafe(const struct conf_clause *rpki)
{
	switch (conf_int(rpki, OPT_RPKI_UNSAFE_VRPS)) {
	case CONF_UNSAFE_WARN:
		return UNSAFE_WARN;
	case CONF_UNSAFE_REJECT:
		return UNSAFE_REJECT;
	default:
		return UNSAFE_ACCEPT;
	}
}

struct cycle_options settings_cycle(const struct conf *c)
{
	const struct conf_clause *rpki = conf_single(c, CLAUSE_RPKI);
	struct cycle_options o = { .rrdp = conf_bool(rpki, OPT_RPKI_RRDP), .rsync = conf_bool(rpki, OPT_RPKI_RSYNC), .dubious_hosts = conf_bool(rpki, OPT_RPKI_DUBIOUS_HOSTS),
		.limits = cycle_limits_default(), .rrdp_limits = rrdp_limits_default(), .tree_limits = rsync_tree_limits_default(), .validate_limits = settings_validate(rpki),
		.unsafe = settings_unsafe(rpki), .unsafe_ranges = number(rpki, OPT_RPKI_MAX_UNSAFE_RANGES), .threads = number(rpki, OPT_RPKI_THREADS) };

	o.limits.repositories = number(rpki, OPT_RPKI_MAX_REPOSITORIES);
	o.limits.anchor_repositories = number(rpki, OPT_RPKI_MAX_REPOSITORIES_PER_ANCHOR);
	o.limits.branch_repositories = number(rpki, OPT_RPKI_MAX_REPOSITORIES_PER_MEMBER);
	o.limits.transfer_ms = ms(rpki, OPT_RPKI_TRANSFER_TIMEOUT);
	o.limits.repository_ms = ms(rpki, OPT_RPKI_REPOSITORY_TIMEOUT);
	o.limits.run_ms = ms(rpki, OPT_RPKI_RUN_TIMEOUT);
	o.rrdp_limits.snapshot_octets = o.rrdp_limits.delta_octets = (uint64_t)conf_int(rpki, OPT_RPKI_SNAPSHOT_SIZE);
	o.rrdp_limits.deltas = number(rpki, OPT_RPKI_MAX_DELTAS);
	o.rrdp_limits.object_octets = o.tree_limits.object_octets = number(rpki, OPT_RPKI_OBJECT_SIZE);
	o.tree_limits.octets = (uint64_t)conf_int(rpki, OPT_RPKI_RSYNC_SIZE);
	o.tree_limits.files = number(rpki, OPT_RPKI_RSYNC_FILES);
	return o;
}

struct store_limits settings_store(const struct conf *c)
{
	const struct conf_clause *rpki = conf_single(c, CLAUSE_RPKI);
	struct store_limits l = store_limits_default();

	l.octets = (uint64_t)conf_int(rpki, OPT_RPKI_STORE_SIZE);
	l.object_octets = number(rpki, OPT_RPKI_OBJECT_SIZE);
	l.readers = number(rpki, OPT_RPKI_THREADS) + READERS_BESIDES;
	return l;
}

char *settings_rsync_dir(const char *cache)
{
	return mem_printf("%s/rsync", cache);
}

RESULT settings_load_locators(const struct conf_clause *rpki, struct strbuf *why, struct locators **ret)
{
	size_t n = conf_count(rpki, OPT_RPKI_TAL);
	AUTO(mem_free) void *files = mem_alloc_array(n, sizeof(const char *));

	if (files == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++)
		((const char **)files)[i] = conf_item(rpki, OPT_RPKI_TAL, i);
	return locators_load(conf_text(rpki, OPT_RPKI_TAL_DIR), (const char *const *)files, n, why, ret);
}

RESULT settings_locators(const struct conf_clause *rpki, struct locators **ret)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(WHY_OCTETS);
	struct result r;

	if (why == NULL)
		return FAIL(ERR_NOMEM);
	r = settings_load_locators(rpki, why, ret);
	log_lines(LOG_LEVEL_ERROR, "", strbuf_text(why));
	return r;
}
