#include "resolver/serve/serve_settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "config.h"
#include "resolver/interfaces.h"

#define TCP_PIPELINE 64          /* questions of one session that are resolved at a time; more wait in its buffer */
#define SECRETS_FILE_OCTETS 4096

void serve_settings_free(struct serve_settings *s)
{
	if (s == NULL)
		return;
	prefix_map_free(MOVE(s->access));
	prefix_map_free(MOVE(s->wait));
	prefix_map_free(MOVE(s->wait_cookie));
	prefix_map_free(MOVE(s->tcp_limit));
	mem_free(MOVE(s->listen));
	mem_free(s);
}

static enum access access_of(int64_t word)
{
	switch (word) {
	case CONF_ACL_DENY:
		return ACCESS_DENY;
	case CONF_ACL_REFUSE:
		return ACCESS_REFUSE;
	case CONF_ACL_ALLOW:
		return ACCESS_ALLOW;
	case CONF_ACL_ALLOW_SETRD:
		return ACCESS_ALLOW_SETRD;
	case CONF_ACL_ALLOW_SNOOP:
		return ACCESS_ALLOW_SNOOP;
	case CONF_ACL_ALLOW_COOKIE:
		return ACCESS_ALLOW_COOKIE;
	case CONF_ACL_DENY_NON_LOCAL:
		return ACCESS_DENY_NON_LOCAL;
	case CONF_ACL_REFUSE_NON_LOCAL:
		return ACCESS_REFUSE_NON_LOCAL;
	default:
		return ACCESS_UNSAID;
	}
}

enum access settings_access(const struct serve_settings *s, const struct addr *client, enum access of_interface)
{
	struct addr plain = addr_unmap(client);
	uint32_t v;

	if (prefix_map_get(s->access, &plain, &v))
		return (enum access)v;
	if (of_interface != ACCESS_UNSAID)
		return of_interface;
	return addr_is_loopback(&plain) ? ACCESS_ALLOW : ACCESS_REFUSE;
}

static RESULT read_access(const struct conf_clause *c, struct serve_settings *s)
{
	size_t n = conf_count(c, OPT_ACCESS_CONTROL);

	s->access = prefix_map_new();
	if (s->access == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++) {
		struct prefix p;

		TRY(conf_word_prefix(c, OPT_ACCESS_CONTROL, i, 0, &p));
		TRY(prefix_map_put(s->access, &p, access_of(conf_word_int(c, OPT_ACCESS_CONTROL, i, 1))));
	}
	return DONE;
}

/* "netblock number" lists; a negative number lifts the limit. */
static RESULT read_limits(const struct conf_clause *c, enum conf_opt o, struct prefix_map **ret_map)
{
	AUTO(prefix_map_free) struct prefix_map *m = NULL;
	size_t n = conf_count(c, o);

	if (n == 0)
		return DONE;
	m = prefix_map_new();
	if (m == NULL)
		return FAIL(ERR_NOMEM);
	for (size_t i = 0; i < n; i++) {
		int64_t v = conf_word_int(c, o, i, 1);
		struct prefix p;

		TRY(conf_word_prefix(c, o, i, 0, &p));
		TRY(prefix_map_put(m, &p, v < 0 || v > UINT32_MAX ? UINT32_MAX : (uint32_t)v));
	}
	*ret_map = MOVE(m);
	return DONE;
}

struct listen_build {
	struct serve_settings *s BORROWED_FIELD;
	const struct conf_clause *c BORROWED_FIELD;
	struct strbuf *report BORROWED_FIELD;
	uint8_t access;
};

static RESULT add_listen(void *user, const struct endpoint *at)
{
	struct listen_build *b = user;
	struct serve_settings *s = b->s;
	void *list = s->listen;
	struct result r;

	if (at->a.family == ADDR_V4 ? !conf_bool(b->c, OPT_DO_IP4) : !conf_bool(b->c, OPT_DO_IP6))
		return DONE;
	if (at->port == 0)
		return DONE;
	for (size_t i = 0; i < s->listen_count; i++)
		if (endpoint_equal(&s->listen[i].at, at))
			return DONE;
	r = mem_resize(&list, s->listen_count, s->listen_count + 1, sizeof *s->listen);
	if (!OK(r))
		return r;
	s->listen = list;
	s->listen[s->listen_count++] = (struct listen_at){ *at, b->access };
	return DONE;
}

static uint8_t interface_access(const struct conf_clause *c, const char *text)
{
	size_t n = conf_count(c, OPT_INTERFACE_ACTION);
	uint8_t found = ACCESS_UNSAID;

	for (size_t i = 0; i < n; i++)
		if (strcmp(conf_word(c, OPT_INTERFACE_ACTION, i, 0), text) == 0)
			found = (uint8_t)access_of(conf_word_int(c, OPT_INTERFACE_ACTION, i, 1));
	return found;
}

static RESULT add_any(struct listen_build *b, uint16_t port)
{
	struct endpoint any = { { ADDR_V4, { 0 } }, port, 0 };

	TRY(add_listen(b, &any));
	any.a.family = ADDR_V6;
	return add_listen(b, &any);
}

/* interface-automatic-ports: "53 5353", which take the place of port:. */
static RESULT read_automatic_ports(struct listen_build *b, const char *text)
{
	const char *at = text;

	while (*at != '\0') {
		uint32_t port = 0;
		size_t digits = strspn(at, "0123456789");

		for (size_t i = 0; i < digits && port <= UINT16_MAX; i++)
			port = port * 10 + (uint32_t)(at[i] - '0');
		at += digits;
		if (port == 0 || port > UINT16_MAX || (*at != '\0' && !isspace((unsigned char)*at))) {
			strbuf_printf(b->report, "%s: error: interface-automatic-ports: found \"%s\", expected ports from 1 to 65535, separated by blanks\n",
			    conf_where(b->c, OPT_INTERFACE_AUTOMATIC_PORTS, 0), text);
			return FAIL(ERR_FORMAT);
		}
		TRY(add_any(b, (uint16_t)port));
		while (isspace((unsigned char)*at))
			at++;
	}
	return DONE;
}

static RESULT read_listen(const struct conf_clause *c, struct strbuf *report, struct serve_settings *s)
{
	uint16_t port = (uint16_t)conf_int(c, OPT_PORT);
	struct listen_build b = { s, c, report, ACCESS_UNSAID };
	bool automatic = conf_bool(c, OPT_INTERFACE_AUTOMATIC);
	size_t n = conf_count(c, OPT_INTERFACE);

	if (automatic) {
		const char *ports = conf_text(c, OPT_INTERFACE_AUTOMATIC_PORTS);

		while (ports != NULL && isspace((unsigned char)*ports))
			ports++;
		return ports != NULL && *ports != '\0' ? read_automatic_ports(&b, ports) : add_any(&b, port);
	}
	for (size_t i = 0; i < n; i++) {
		const char *text = conf_word(c, OPT_INTERFACE, i, 0);
		struct endpoint at;
		struct result r;

		b.access = interface_access(c, text);
		r = conf_word_endpoint(c, OPT_INTERFACE, i, 0, port, &at);
		if (OK(r)) {
			TRY(add_listen(&b, &at));
			continue;
		}
		r = interfaces_addresses(text, port, add_listen, &b);
		if (r.e == ERR_NOTFOUND) {
			strbuf_printf(report, "%s: error: interface: found \"%s\", expected an address or a network interface of this machine\n",
			    conf_where(c, OPT_INTERFACE, i), text);
			return FAIL(ERR_FORMAT);
		}
		TRY(r);
	}
	return DONE;
}

static RESULT bad_nsid(const struct conf_clause *c, const char *text, struct strbuf *report)
{
	strbuf_printf(report, "%s: error: nsid: found \"%s\", expected \"ascii_\" and a text, or pairs of hexadecimal digits, of at most 255 octets\n",
	    conf_where(c, OPT_NSID, 0), text);
	return FAIL(ERR_FORMAT);
}

static RESULT read_nsid(const struct conf_clause *c, struct strbuf *report, struct serve_settings *s)
{
	const char *text = conf_text(c, OPT_NSID);
	size_t n = text == NULL ? 0 : strlen(text);

	if (n == 0)
		return DONE;
	if (strncmp(text, "ascii_", 6) == 0) {
		n -= 6;
		if (n > sizeof s->nsid)
			return bad_nsid(c, text, report);
		s->nsid_len = (uint8_t)n;
		memcpy(s->nsid, text + 6, n);
		return DONE;
	}
	if (n % 2 != 0 || n / 2 > sizeof s->nsid)
		return bad_nsid(c, text, report);
	for (size_t i = 0; i < n; i += 2) {
		char pair[3] = { text[i], text[i + 1], '\0' };

		if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1]))
			return bad_nsid(c, text, report);
		s->nsid[i / 2] = (uint8_t)strtoul(pair, NULL, 16);
	}
	s->nsid_len = (uint8_t)(n / 2);
	return DONE;
}

static void read_text(const char *text, const char *otherwise, char to[SERVE_TEXT])
{
	(void)snprintf(to, SERVE_TEXT, "%s", text != NULL && *text != '\0' ? text : otherwise);
}

static RESULT add_secret(const char *path, const char *line, struct strbuf *report, struct cookie_secrets *s)
{
	if (s->count == COOKIE_SECRETS || !OK(cookie_secret_parse(line, &s->key[s->count]))) {
		strbuf_printf(report, "%s: error: cookie-secret-file: found other text, expected at most %d lines of 32 hexadecimal digits\n", path,
		    COOKIE_SECRETS);
		return FAIL(ERR_FORMAT);
	}
	s->count++;
	return DONE;
}

/* One secret a line, the active one first. */
static RESULT read_secrets_file(const struct conf_clause *c, const char *path, struct strbuf *report, struct cookie_secrets *s)
{
	AUTO_CHARS char *text = NULL;
	char *line;
	size_t n;

	if (!OK(file_read_all(path, SECRETS_FILE_OCTETS, &text, &n))) {
		strbuf_printf(report, "%s: error: cookie-secret-file: found \"%s\", which cannot be read\n",
		    conf_where(c, OPT_COOKIE_SECRET_FILE, 0), path);
		return FAIL(ERR_FORMAT);
	}
	line = text + strspn(text, "\r\n");
	while (line < text + n) {
		char *end = line + strcspn(line, "\r\n");

		*end = '\0'; /* at the end of the text there is one already */
		TRY(add_secret(path, line, report, s));
		line = end + 1 < text + n ? end + 1 + strspn(end + 1, "\r\n") : text + n;
	}
	return DONE;
}

static RESULT read_secrets(const struct conf_clause *c, struct rng *rng, const struct cookie_secrets *keep, struct strbuf *report,
    struct cookie_secrets *s)
{
	const char *hex = conf_text(c, OPT_COOKIE_SECRET), *path = conf_text(c, OPT_COOKIE_SECRET_FILE);

	if (path != NULL && *path != '\0')
		TRY(read_secrets_file(c, path, report, s));
	if (s->count == 0 && hex != NULL && *hex != '\0') {
		TRY(cookie_secret_parse(hex, &s->key[0]));
		s->count = 1;
	}
	if (s->count == 0 && keep != NULL && keep->drawn) {
		*s = *keep;
		return DONE;
	}
	if (s->count == 0) {
		s->key[0] = rng_hash_key(rng);
		s->count = 1;
		s->drawn = true;
	}
	return DONE;
}

static uint32_t number(const struct conf_clause *c, enum conf_opt o)
{
	int64_t v = conf_int(c, o);

	return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static uint16_t number16(const struct conf_clause *c, enum conf_opt o)
{
	uint32_t v = number(c, o);

	return v > UINT16_MAX ? UINT16_MAX : (uint16_t)v;
}

static void read_numbers(const struct conf_clause *c, struct serve_settings *s)
{
	char host[SERVE_TEXT];

	s->udp = conf_bool(c, OPT_DO_UDP);
	s->tcp = conf_bool(c, OPT_DO_TCP) && number(c, OPT_INCOMING_NUM_TCP) > 0;
	s->reuse_port = true; /* each worker has its own socket; with so-reuseport: no there is one worker */
	s->transparent = conf_bool(c, OPT_IP_TRANSPARENT);
	s->freebind = conf_bool(c, OPT_IP_FREEBIND);
	s->rcvbuf = (int)conf_int(c, OPT_SO_RCVBUF);
	s->sndbuf = (int)conf_int(c, OPT_SO_SNDBUF);
	s->tcp_mss = number16(c, OPT_TCP_MSS);
	s->queue_us = number(c, OPT_SOCK_QUEUE_TIMEOUT) * 1000000u;
	s->dscp = conf_int(c, OPT_IP_DSCP) > 0 ? (int)conf_int(c, OPT_IP_DSCP) : -1;

	s->rate_per_sec = number(c, OPT_IP_RATELIMIT);
	s->rate_cookie_per_sec = number(c, OPT_IP_RATELIMIT_COOKIE);
	s->rate_factor = number(c, OPT_IP_RATELIMIT_FACTOR);
	s->rate_backoff = conf_bool(c, OPT_IP_RATELIMIT_BACKOFF);
	s->rate_octets = (size_t)conf_int(c, OPT_IP_RATELIMIT_SIZE);
	s->wait_limit = number(c, OPT_WAIT_LIMIT);
	s->wait_limit_cookie = number(c, OPT_WAIT_LIMIT_COOKIE);

	s->max_udp_size = number16(c, OPT_MAX_UDP_SIZE);
	s->edns_size = number16(c, OPT_EDNS_BUFFER_SIZE);
	s->harden_short = conf_bool(c, OPT_HARDEN_SHORT_BUFSIZE);
	s->harden_large = conf_bool(c, OPT_HARDEN_LARGE_QUERIES);
	s->minimal = conf_bool(c, OPT_MINIMAL_RESPONSES);
	s->roundrobin = conf_bool(c, OPT_RRSET_ROUNDROBIN);
	s->deny_any = conf_bool(c, OPT_DENY_ANY);
	s->ede = conf_bool(c, OPT_EDE);
	s->ede_expired = s->ede && conf_bool(c, OPT_EDE_SERVE_EXPIRED);
	s->original_ttl = conf_bool(c, OPT_SERVE_ORIGINAL_TTL);
	s->hide_identity = conf_bool(c, OPT_HIDE_IDENTITY);
	s->hide_version = conf_bool(c, OPT_HIDE_VERSION);
	s->hide_trustanchor = conf_bool(c, OPT_HIDE_TRUSTANCHOR);
	s->ignore_cd = conf_bool(c, OPT_IGNORE_CD_FLAG);
	s->no_do = conf_bool(c, OPT_DISABLE_EDNS_DO);
	interfaces_host_name(host, sizeof host);
	read_text(conf_text(c, OPT_IDENTITY), host, s->identity);
	read_text(conf_text(c, OPT_VERSION), "cairn " PACKAGE_VERSION, s->version);
	s->cookies = conf_bool(c, OPT_ANSWER_COOKIE);

	s->max_waiting = number(c, OPT_NUM_QUERIES_PER_THREAD);
	s->jostle_ms = number(c, OPT_JOSTLE_TIMEOUT);
	s->discard_ms = number(c, OPT_DISCARD_TIMEOUT);
	s->prefetch = conf_bool(c, OPT_PREFETCH);
	s->serve_expired = conf_bool(c, OPT_SERVE_EXPIRED);
	s->expired_ttl_sec = number(c, OPT_SERVE_EXPIRED_TTL);
	s->expired_reply_ttl_sec = number(c, OPT_SERVE_EXPIRED_REPLY_TTL);
	s->expired_wait_ms = number(c, OPT_SERVE_EXPIRED_CLIENT_TIMEOUT);

	s->tcp_sessions = number(c, OPT_INCOMING_NUM_TCP);
	s->tcp_idle_ms = number(c, OPT_TCP_IDLE_TIMEOUT);
	s->tcp_keepalive = conf_bool(c, OPT_EDNS_TCP_KEEPALIVE);
	s->tcp_keepalive_ms = number(c, OPT_EDNS_TCP_KEEPALIVE_TIMEOUT);
	s->tcp_unsent_octets = (size_t)conf_int(c, OPT_STREAM_WAIT_SIZE);
	s->tcp_pipeline = TCP_PIPELINE;

	s->log_queries = conf_bool(c, OPT_LOG_QUERIES);
	s->log_replies = conf_bool(c, OPT_LOG_REPLIES);
	s->log_tag = conf_bool(c, OPT_LOG_TAG_QUERYREPLY);
	s->log_destaddr = conf_bool(c, OPT_LOG_DESTADDR);
	s->log_servfail = conf_bool(c, OPT_LOG_SERVFAIL);
	s->log_local = conf_bool(c, OPT_LOG_LOCAL_ACTIONS);
}

static enum answer_routes answer_routes_of(const struct conf *c)
{
	int64_t word = conf_int(conf_single(c, CLAUSE_ROUTE_VALIDATION), OPT_ROUTE_VALIDATION_ANSWER_POLICY);

	return word == CONF_ANSWERS_BLOCK ? ANSWER_ROUTES_BLOCK : word == CONF_ANSWERS_LOG ? ANSWER_ROUTES_LOG : ANSWER_ROUTES_OFF;
}

RESULT serve_settings_make(const struct conf *conf, struct rng *rng, const struct cookie_secrets *keep, struct strbuf *report,
    struct serve_settings **ret_settings)
{
	AUTO(serve_settings_free) struct serve_settings *s = mem_alloc(sizeof *s);
	const struct conf_clause *c = conf_server(conf);

	if (s == NULL)
		return FAIL(ERR_NOMEM);
	read_numbers(c, s);
	s->answer_routes = answer_routes_of(conf);
	TRY(read_nsid(c, report, s));
	TRY(read_access(c, s));
	TRY(read_listen(c, report, s));
	TRY(read_limits(c, OPT_WAIT_LIMIT_NETBLOCK, &s->wait));
	TRY(read_limits(c, OPT_WAIT_LIMIT_COOKIE_NETBLOCK, &s->wait_cookie));
	TRY(read_limits(c, OPT_TCP_CONNECTION_LIMIT, &s->tcp_limit));
	TRY(read_secrets(c, rng, keep, report, &s->secrets));
	*ret_settings = MOVE(s);
	return DONE;
}
