#include "resolver/dnstap/tap_settings.h"

#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "config.h"
#include "resolver/dnstap/event.h"
#include "resolver/interfaces.h"

void tap_settings_free(struct tap_settings *s)
{
	if (s == NULL)
		return;
	mem_free(MOVE(s->identity));
	mem_free(MOVE(s->version));
	mem_free(MOVE(s->path));
	mem_free(MOVE(s->tls_name));
	mem_free(MOVE(s->tls_bundle));
	mem_free(MOVE(s->tls_key));
	mem_free(MOVE(s->tls_certificate));
	mem_free(s);
}

/* "" stands for nothing. */
static RESULT read_text(const struct conf_clause *c, enum conf_opt o, char **to)
{
	const char *text = conf_text(c, o);

	if (text == NULL || *text == '\0')
		return DONE;
	*to = mem_strdup(text);
	return *to != NULL ? DONE : FAIL(ERR_NOMEM);
}

static uint32_t wanted(const struct conf_clause *c)
{
	static const struct {
		enum conf_opt o;
		enum tap_type type;
	} all[] = {
		{ OPT_DNSTAP_DNSTAP_LOG_RESOLVER_QUERY_MESSAGES, TAP_RESOLVER_QUERY },
		{ OPT_DNSTAP_DNSTAP_LOG_RESOLVER_RESPONSE_MESSAGES, TAP_RESOLVER_RESPONSE },
		{ OPT_DNSTAP_DNSTAP_LOG_CLIENT_QUERY_MESSAGES, TAP_CLIENT_QUERY },
		{ OPT_DNSTAP_DNSTAP_LOG_CLIENT_RESPONSE_MESSAGES, TAP_CLIENT_RESPONSE },
		{ OPT_DNSTAP_DNSTAP_LOG_FORWARDER_QUERY_MESSAGES, TAP_FORWARDER_QUERY },
		{ OPT_DNSTAP_DNSTAP_LOG_FORWARDER_RESPONSE_MESSAGES, TAP_FORWARDER_RESPONSE },
	};
	uint32_t set = 0;

	for (size_t i = 0; conf_bool(c, OPT_DNSTAP_DNSTAP_ENABLE) && i < sizeof all / sizeof all[0]; i++)
		if (conf_bool(c, all[i].o))
			set |= 1u << all[i].type;
	return set;
}

static RESULT read_who(const struct conf_clause *c, struct tap_settings *s)
{
	char host[256];

	if (conf_bool(c, OPT_DNSTAP_DNSTAP_SEND_IDENTITY)) {
		TRY(read_text(c, OPT_DNSTAP_DNSTAP_IDENTITY, &s->identity));
		if (s->identity == NULL) {
			interfaces_host_name(host, sizeof host);
			s->identity = mem_strdup(host);
		}
		if (s->identity == NULL)
			return FAIL(ERR_NOMEM);
	}
	if (conf_bool(c, OPT_DNSTAP_DNSTAP_SEND_VERSION)) {
		TRY(read_text(c, OPT_DNSTAP_DNSTAP_VERSION, &s->version));
		if (s->version == NULL)
			s->version = mem_strdup("cairn " PACKAGE_VERSION);
		if (s->version == NULL)
			return FAIL(ERR_NOMEM);
	}
	return DONE;
}

/* The path as it is called inside: the root's own name is left out, where it stands before it. */
static const char *inside(const char *path, const char *root) BORROWED;
static const char *inside(const char *path, const char *root)
{
	size_t n = root != NULL ? strlen(root) : 0;

	while (n > 0 && root[n - 1] == '/')
		n--;
	return n > 0 && strncmp(path, root, n) == 0 && path[n] == '/' ? path + n : path;
}

static RESULT read_place(const struct conf *conf, const struct conf_clause *c, struct strbuf *report, struct tap_settings *s)
{
	const char *ip = conf_text(c, OPT_DNSTAP_DNSTAP_IP), *path = conf_text(c, OPT_DNSTAP_DNSTAP_SOCKET_PATH);

	s->bidirectional = conf_bool(c, OPT_DNSTAP_DNSTAP_BIDIRECTIONAL);
	if (ip == NULL || *ip == '\0') {
		s->path = mem_strdup(inside(path != NULL ? path : "", conf_text(conf_server(conf), OPT_CHROOT)));
		return s->path != NULL ? DONE : FAIL(ERR_NOMEM);
	}
	if (!OK(endpoint_parse(ip, TAP_PORT, &s->at))) {
		strbuf_printf(report, "%s: error: dnstap-ip: found %s, expected ADDRESS[@PORT]\n", conf_where(c, OPT_DNSTAP_DNSTAP_IP, 0), ip);
		return FAIL(ERR_FORMAT);
	}
	s->tls = conf_bool(c, OPT_DNSTAP_DNSTAP_TLS);
	if (!s->tls)
		return DONE;
	TRY(read_text(c, OPT_DNSTAP_DNSTAP_TLS_SERVER_NAME, &s->tls_name));
	TRY(read_text(c, OPT_DNSTAP_DNSTAP_TLS_CERT_BUNDLE, &s->tls_bundle));
	TRY(read_text(c, OPT_DNSTAP_DNSTAP_TLS_CLIENT_KEY_FILE, &s->tls_key));
	TRY(read_text(c, OPT_DNSTAP_DNSTAP_TLS_CLIENT_CERT_FILE, &s->tls_certificate));
	if ((s->tls_key == NULL) == (s->tls_certificate == NULL))
		return DONE;
	strbuf_printf(report, "%s: error: dnstap-tls-client-key-file and dnstap-tls-client-cert-file: found one, expected both\n",
	    conf_where(c, s->tls_key != NULL ? OPT_DNSTAP_DNSTAP_TLS_CLIENT_KEY_FILE : OPT_DNSTAP_DNSTAP_TLS_CLIENT_CERT_FILE, 0));
	return FAIL(ERR_FORMAT);
}

RESULT tap_settings_make(const struct conf *conf, struct strbuf *report, struct tap_settings **ret)
{
	const struct conf_clause *c = conf_single(conf, CLAUSE_DNSTAP);
	AUTO(tap_settings_free) struct tap_settings *s = mem_alloc(sizeof *s);

	if (s == NULL)
		return FAIL(ERR_NOMEM);
	s->wanted = wanted(c);
	s->sample = (uint32_t)conf_int(c, OPT_DNSTAP_DNSTAP_SAMPLE_RATE);
	s->queue_octets = (size_t)conf_int(c, OPT_DNSTAP_DNSTAP_QUEUE_SIZE);
	TRY(read_who(c, s));
	TRY(read_place(conf, c, report, s));
	if (conf_bool(c, OPT_DNSTAP_DNSTAP_ENABLE) && s->wanted == 0)
		strbuf_printf(report, "%s: warning: dnstap-enable: no dnstap-log-...-messages: is set: nothing is sent\n", conf_where(c, OPT_DNSTAP_DNSTAP_ENABLE, 0));
	*ret = MOVE(s);
	return DONE;
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool tap_settings_same_place(const struct tap_settings *a, const struct tap_settings *b)
{
	return same_text(a->path, b->path) && endpoint_equal(&a->at, &b->at) && a->bidirectional == b->bidirectional && a->tls == b->tls &&
	       same_text(a->tls_name, b->tls_name) && same_text(a->tls_bundle, b->tls_bundle) && same_text(a->tls_key, b->tls_key) &&
	       same_text(a->tls_certificate, b->tls_certificate);
}
