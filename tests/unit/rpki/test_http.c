/* cairn-rpki's HTTP service on the loopback: paths, formats, selectors, differences, validity, status and metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/http_head.h"
#include "rpki/serve/http.h"
#include "rpki/serve/json.h"
#include "rpki/serve/output.h"
#include "tests/unit/net/net_test.h"
#include "tests/unit/rpki/stream_client.h"

LOOP_HANDLE_IMPL(user)
LOOP_HANDLE(rig)
LOOP_HANDLE_IMPL(rig)

struct rig {
	struct stream_client client; /* first */
	struct user *u;
	struct rtr_feed *feed;
	struct rtr_server *rtr;
	struct rpki_http *http;
	struct endpoint where;
	rig_h self;
	struct http_head head;
	const char *body;
};

static struct rig rig;

/* ---------------------------------------------------------------------------------------------------------------------- data */

/* round: what differs between two tables. */
static struct payload_table *table(unsigned int round)
{
	struct table_builder *b = table_builder_new(NULL);
	struct payload_source ripe = { .kind = SOURCE_ROA, .tal = "ripe", .uri = "rsync://r.example/a.roa", .not_after = 1800000000 };
	struct payload_source arin = { .kind = SOURCE_ROA, .tal = "arin", .uri = "rsync://a.example/b.roa", .not_after = 1800000000 };
	struct payload_source local = { .kind = SOURCE_EXCEPTION, .tal = "", .uri = "/etc/slurm.json" };
	const char *const prefixes[] = { "10.0.0.0/8", "10.1.0.0/16", "192.0.2.0/24", "2001:db8::/32" };
	const uint32_t providers[] = { 64501, 64502 };
	const uint8_t spki[] = { 0x30, 0x01, 0x02 };
	struct router_key key = { .asn = 64496, .ski = { 1, 2, 3 }, .spki = span_of(spki, sizeof spki) };
	struct payload_table *t = NULL;
	uint32_t ids[3];

	assert_true(OK(table_builder_add_source(b, &ripe, &ids[0])) && OK(table_builder_add_source(b, &arin, &ids[1])) && OK(table_builder_add_source(b, &local, &ids[2])));
	for (unsigned int i = 0; i < 4; i++) {
		struct prefix p;
		struct vrp v;

		assert_true(OK(prefix_parse(prefixes[i], &p)));
		assert_true(OK(vrp_make(&p, (uint8_t)(p.len + 8 > 32 && i < 3 ? 32 : p.len + 8), 64496 + i, &v)));
		if (i != 2 || round == 0)
			assert_true(OK(table_builder_add_vrp(b, &v, ids[i % 2])));
		if (i == 0)
			assert_true(OK(table_builder_add_vrp(b, &v, ids[1]))); /* ARIN says so too */
		if (i == 3) {
			v.asn = 65000 + round;
			assert_true(OK(table_builder_add_vrp(b, &v, ids[2])));
		}
	}
	assert_true(OK(table_builder_add_key(b, &key, ids[0])));
	assert_true(OK(table_builder_add_aspa(b, 64496, providers, 2, ids[0])));
	assert_true(OK(table_builder_finish(b, round + 1, &t)));
	return t;
}

static struct status *facts(void)
{
	struct status *s = status_new();
	struct status_anchor *a = status_add_anchor(s, "ripe");
	struct status_repository *r = status_add_repository(s, "https://r.example/<b>\"notification\".xml");

	a->usable = true;
	a->objects.valid[COUNTED_ROA] = 17;
	a->objects.points = 9;
	a->objects.points_failed = 2;
	s->run_start = 1700000000;
	s->run_done = s->table_time = 1700000042;
	s->run_ms = 42007;
	s->log = status_text(s, "[WARN] repository r.example: gone\n");
	r->outcome = STATUS_DELTAS;
	r->failures = 3;
	r->serial = 77;
	r->http_status = 200;
	r->session = status_text(s, "a-session");
	assert_non_null(status_add_alarm(s, STATUS_ALARM, 1700000000, "ripe & arin"));
	return s;
}

/* ----------------------------------------------------------------------------------------------------------------------- rig */

static void begin(struct user *u)
{
	struct rpki_http_options o = { .server = HTTP_SERVER_USUAL, .shelf = 1 << 20, .version = "9.9" };
	struct rtr_feed_options fo = { .timers = { 3600, 600, 7200 }, .history = { 4, 1 << 20 } };
	struct rtr_server_options so = RTR_SERVER_USUAL;
	struct rtr_state state = { { 1, 2, 3 }, 7 };
	struct listen_options lo = { .dscp = -1 };
	unsigned int port = 20000 + (unsigned int)getpid() % 20000;

	o.server.max_clients = 6;
	memset(&rig, 0, sizeof rig);
	rig.u = u;
	rig.self = rig_enlist(u->loop, &rig);
	rig.feed = rtr_feed_new(&fo, &state);
	rig.rtr = rtr_server_new(u->host, rig.feed, &so);
	rig.http = rpki_http_new(u->host, rig.feed, rig.rtr, &o);
	assert_non_null(rig.http);
	for (unsigned int i = 0; i < 50; i++) {
		char text[32];

		(void)snprintf(text, sizeof text, "127.0.0.1@%u", port + i);
		lo.at = rig.where = at(text);
		if (OK(rpki_http_listen(rig.http, u->host, &lo)))
			return;
	}
	fail();
}

static void finish(void)
{
	host_stream_close(rig.u->host, rig.client.stream);
	rpki_http_free(rig.http);
	rtr_server_free(rig.rtr);
	rtr_feed_free(rig.feed);
	rig_retire(rig.u->loop, rig.self);
	loop_turn(rig.u->loop, false);
}

static void publish(unsigned int round)
{
	bool changed;

	assert_true(OK(rtr_feed_publish(rig.feed, table(round), &changed)));
	assert_true(OK(rpki_http_publish(rig.http, facts())));
}

static void ask(const char *method, const char *path, const char *fields, const char *body)
{
	struct exchange_options o = { .to = rig.where };
	char text[8192];

	(void)snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n%s", method, path, fields, body);
	stream_client_open(rig.u->host, &rig.client, &o, &rig_loop_type, rig.self.v);
	assert_true(OK(host_stream_write(rig.u->host, rig.client.stream, span_text(text))));
}

static bool is_whole(void)
{
	size_t end = http_head_end(span_of(rig.client.heard, rig.client.n));

	return end > 0 && OK(http_head_parse(span_of(rig.client.heard, end), &rig.head)) && rig.head.has_length && rig.client.n == end + rig.head.length;
}

static unsigned int answer(void)
{
	size_t end;

	RUN_UNTIL(rig.u, rig.client.closed || is_whole());
	end = http_head_end(span_of(rig.client.heard, rig.client.n));
	assert_true(end > 0 && OK(http_head_parse(span_of(rig.client.heard, end), &rig.head)));
	rig.body = rig.client.heard + end;
	return rig.head.status;
}

static unsigned int get(const char *path)
{
	ask("GET", path, "", "");
	return answer();
}

static bool says(const char *text)
{
	return strstr(rig.body, text) != NULL;
}

static size_t times(const char *text)
{
	size_t n = 0;

	for (const char *p = rig.body; (p = strstr(p, text)) != NULL; p++)
		n++;
	return n;
}

static bool is_json(void)
{
	struct arena *a = arena_new(1 << 24);
	const struct json *top;
	struct json_error wrong;
	bool is = OK(json_read(span_text(rig.body), a, &top, &wrong));

	arena_free(a);
	return is;
}

/* --------------------------------------------------------------------------------------------------------------------- tests */

static void before_the_first_run(void **state)
{
	begin((struct user *)*state);
	assert_int_equal(get("/json"), 503);
	assert_int_equal(get("/metrics"), 503);
	assert_int_equal(get("/log"), 503);
	assert_int_equal(get("/status"), 503);
	assert_int_equal(get("/json-delta"), 503);
	assert_int_equal(get("/validity?asn=1&prefix=10.0.0.0/8"), 503);
	assert_int_equal(get("/api/v1/status"), 503);
	assert_true(is_json() && says("\"error\""));
	assert_int_equal(get("/version"), 200);
	assert_string_equal(rig.body, "9.9");
	assert_int_equal(get("/nothing"), 404);
	finish();
}

/* Each format is what a file of it is. */
static void formats(void **state)
{
	static const struct {
		const char *path;
		enum output_format format;
	} all[] = { { "/json", OUTPUT_JSON }, { "/jsonext", OUTPUT_JSONEXT }, { "/csv", OUTPUT_CSV }, { "/csvcompat", OUTPUT_CSVCOMPAT }, { "/csvext", OUTPUT_CSVEXT },
		{ "/openbgpd", OUTPUT_OPENBGPD }, { "/bird1", OUTPUT_BIRD1 }, { "/bird2", OUTPUT_BIRD2 }, { "/rpsl", OUTPUT_RPSL }, { "/slurm", OUTPUT_SLURM },
		{ "/slurm2", OUTPUT_SLURM2 }, { "/api/v1/origins/", OUTPUT_JSON } };
	struct payload_table *t = table(0);
	struct output_info info = { .generated_sec = 1700000042 };

	begin((struct user *)*state);
	publish(0);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct strbuf *b = strbuf_new(1 << 20);
		struct output *o;

		assert_true(OK(output_new(all[i].format, t, &info, &o)));
		while (output_more(o, b, 1 << 20))
			;
		assert_int_equal(get(all[i].path), 200);
		assert_string_equal(rig.body, strbuf_text(b));
		output_free(o);
		strbuf_free(b);
	}
	assert_int_equal(get("/summary"), 200);
	assert_true(says("            ROAs:      17 verified;\n            VRPs:       2 verified,       2 final;\n"));
	assert_true(says("total: \n"));
	assert_int_equal(get("/rpki-client.json"), 200);
	assert_true(is_json() && says("\"uniquevrps\": 5") && says("\"buildtime\": \"2023-11-14T22:14:02Z\""));
	ask("POST", "/json", "Content-Length: 0\r\n", "");
	assert_int_equal(answer(), 405);
	table_unref(t);
	finish();
}

static void selectors(void **state)
{
	static const struct {
		const char *query;
		size_t vrps, keys, aspas; /* lines */
	} all[] = {
		{ "", 5, 1, 1 },
		{ "?select-asn=AS64496", 1, 1, 1 },
		{ "?filter-asn=64497&select-asn=as65000", 2, 0, 0 },
		{ "?select-prefix=10.1.2.0/24", 2, 0, 0 },
		{ "?select-prefix=10.0.0.0%2F8", 1, 0, 0 },
		{ "?select-prefix=10.0.0.0/8&include=more-specifics", 2, 0, 0 },
		{ "?select-prefix=2001:db8:1::/48", 2, 0, 0 },
		{ "?select-asn=1", 0, 0, 0 },
		{ "?exclude=routeOrigins", 0, 1, 1 },
		{ "?exclude=routerKeys,aspas", 5, 0, 0 },
	};
	static const char *const bad[] = { "?select-asn=x", "?select-prefix=10.0.0.1/8", "?select-prefix=10.0.0.0", "?include=less", "?exclude=all", "?other=1", "?select-asn=%4" };

	begin((struct user *)*state);
	publish(0);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		char path[100];

		(void)snprintf(path, sizeof path, "/json%s", all[i].query);
		assert_int_equal(get(path), 200);
		assert_true(is_json());
		if (times("\"maxLength\"") != all[i].vrps || times("\"SKI\"") != all[i].keys || times("\"customer\"") != all[i].aspas)
			fail_msg("%s: %s", all[i].query, rig.body);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char path[100];

		(void)snprintf(path, sizeof path, "/csv%s", bad[i]);
		assert_int_equal(get(path), 400);
	}
	finish();
}

static void validators(void **state)
{
	char tag[HTTP_TAG_MAX + 1], field[HTTP_TAG_MAX + 40];

	begin((struct user *)*state);
	publish(0);
	assert_int_equal(get("/csv"), 200);
	memcpy(tag, rig.head.etag, sizeof tag);
	assert_true(*tag != '\0' && *rig.head.modified != '\0');
	(void)snprintf(field, sizeof field, "If-None-Match: %s\r\n", tag);
	ask("GET", "/csv", field, "");
	assert_int_equal(answer(), 304);
	ask("GET", "/json?select-asn=1", field, "");
	assert_int_equal(answer(), 304);
	publish(0); /* the same payloads, of another time */
	ask("GET", "/csv", field, "");
	assert_int_equal(answer(), 200);
	ask("GET", "/csv", "Accept-Encoding: gzip\r\n", "");
	assert_int_equal(answer(), 200);
	assert_true(rig.head.gzip && strncmp(rig.head.etag, "W/\"", 3) == 0);
	finish();
}

static void differences(void **state)
{
	unsigned long long session;
	stream_h held[3];

	begin((struct user *)*state);
	publish(0);
	assert_int_equal(get("/json-delta"), 200);
	assert_true(is_json() && says("\"reset\": true") && says("\"serial\": 7,") && times("\"routeOrigin\"") == 5 && times("\"aspa\"") == 1 && times("\"routerKey\"") == 1);
	assert_true(strstr(strstr(rig.body, "\"routerKey\""), "\"asn\": \"AS64496\",\n      \"keyInfo\": \"MAEC\"") != NULL);
	assert_int_equal(sscanf(strstr(rig.body, "\"session\": \""), "\"session\": \"%llu\"", &session), 1);
	assert_true(session == (2ull << 16 | 3));
	assert_int_equal(get("/json-delta?session=131075"), 400);
	assert_int_equal(get("/json-delta?session=131075&serial=7&serial=7"), 400);
	assert_int_equal(get("/json-delta?session=131075&serial=7"), 200);
	assert_true(says("\"reset\": false") && times("\"type\"") == 0);
	/* somebody waits for the next serial */
	ask("GET", "/json-delta/notify?session=131075&serial=7", "", "");
	for (unsigned int i = 0; i < 5; i++)
		loop_turn(rig.u->loop, false);
	publish(0);
	loop_turn(rig.u->loop, false);
	assert_int_equal(rig.client.n, 0);
	publish(1);
	assert_int_equal(answer(), 200);
	assert_true(is_json() && says("\"serial\": 8"));
	assert_int_equal(get("/json-delta/notify?session=131075&serial=7"), 200);
	assert_int_equal(get("/json-delta/notify?session=1&serial=8"), 200);
	/* no more than half of the connections wait: there are 6 */
	for (unsigned int i = 0; i < 4; i++) {
		ask("GET", "/json-delta/notify", "", "");
		for (unsigned int n = 0; n < 5; n++)
			loop_turn(rig.u->loop, false);
		if (i == 3)
			assert_int_equal(answer(), 503);
		else
			held[i] = rig.client.stream;
		rig.client.stream.v = i == 3 ? rig.client.stream.v : 0;
	}
	for (unsigned int i = 0; i < 3; i++)
		host_stream_close(rig.u->host, held[i]);
	for (unsigned int n = 0; n < 20; n++)
		loop_turn(rig.u->loop, false);
	ask("GET", "/json-delta/notify", "", "");
	for (unsigned int n = 0; n < 5; n++)
		loop_turn(rig.u->loop, false);
	assert_int_equal(rig.client.n, 0);
	assert_int_equal(get("/json-delta?session=131075&serial=7"), 200);
	assert_true(is_json() && says("\"fromSerial\": 7") && says("\"reset\": false") && times("\"routeOrigin\"") == 3);
	assert_true(strstr(strstr(rig.body, "\"withdrawn\""), "192.0.2.0/24") != NULL);
	assert_int_equal(get("/json-delta?session=1&serial=7"), 200);
	assert_true(says("\"reset\": true"));
	finish();
}

static const char valid[] = "{\n  \"validated_route\": {\n    \"route\": {\n      \"origin_asn\": \"AS64497\",\n      \"prefix\": \"10.1.0.0/16\"\n    },\n    \"validity\": {\n"
			    "      \"state\": \"valid\",\n      \"description\": \"At least one VRP Matches the Route Prefix\",\n      \"VRPs\": {\n"
			    "        \"matched\": [\n          {\n            \"asn\": \"AS64497\",\n            \"prefix\": \"10.1.0.0/16\",\n"
			    "            \"max_length\": \"24\"\n          }\n        ],\n        \"unmatched_as\": [\n          {\n            \"asn\": \"AS64496\",\n"
			    "            \"prefix\": \"10.0.0.0/8\",\n            \"max_length\": \"16\"\n          }\n        ],\n        \"unmatched_length\": [\n        ]\n"
			    "      }\n    }\n  },\n  \"generatedTime\": \"2023-11-14T22:14:02Z\"\n}\n";

static void validity(void **state)
{
	char fields[100];
	const char *body = "{\"routes\":[{\"asn\":\"AS64497\",\"prefix\":\"10.1.0.0/16\"},{\"asn\":64496,\"prefix\":\"10.0.0.0/24\"},{\"asn\":\"1\",\"prefix\":\"9.0.0.0/8\"}]}";

	begin((struct user *)*state);
	publish(0);
	assert_int_equal(get("/api/v1/validity/AS64497/10.1.0.0/16"), 200);
	assert_string_equal(rig.body, valid);
	assert_int_equal(get("/validity?prefix=10.1.0.9%2F16&asn=64497"), 200);
	assert_string_equal(rig.body, valid);
	assert_int_equal(get("/validity?prefix=10.0.0.0/24&asn=64496"), 200);
	assert_true(says("\"state\": \"invalid\"") && says("\"reason\": \"length\"") && is_json());
	assert_int_equal(get("/validity?prefix=10.0.0.0/9&asn=1"), 200);
	assert_true(says("\"state\": \"invalid\"") && says("\"reason\": \"as\""));
	assert_int_equal(get("/validity?prefix=::/0&asn=1"), 200);
	assert_true(says("\"state\": \"not-found\"") && !says("reason"));
	assert_int_equal(get("/validity?prefix=10.0.0.0/33&asn=1"), 400);
	assert_int_equal(get("/validity?prefix=10.0.0.0/8"), 400);
	assert_int_equal(get("/api/v1/validity/AS1/10.0.0.0"), 400);
	assert_true(is_json());
	(void)snprintf(fields, sizeof fields, "Content-Length: %zu\r\nContent-Type: application/json\r\n", strlen(body));
	ask("POST", "/validity", fields, body);
	assert_int_equal(answer(), 200);
	assert_true(is_json() && times("\"state\": \"valid\"") == 1 && times("\"state\": \"invalid\"") == 1 && times("\"state\": \"not-found\"") == 1);
	(void)snprintf(fields, sizeof fields, "Content-Length: %zu\r\nContent-Type: application/x-www-form-urlencoded\r\n", strlen(body)); /* curl -d */
	ask("POST", "/validity", fields, body);
	assert_int_equal(answer(), 200);
	ask("POST", "/validity", "Content-Length: 2\r\nContent-Type: text/plain\r\n", "{}");
	assert_int_equal(answer(), 415);
	ask("POST", "/validity", "Content-Length: 2\r\n", "{}");
	assert_int_equal(answer(), 400);
	finish();
}

static void status(void **state)
{
	begin((struct user *)*state);
	publish(0);
	assert_int_equal(get("/api/v1/status"), 200);
	assert_true(is_json() && says("\"version\": \"cairn-rpki/9.9\"") && says("\"serial\": 7,") && says("\"lastUpdateDuration\": 42.007"));
	assert_true(says("\"failuresInARow\": 3"));
	assert_true(says("\"validROAs\": 17") && says("\"rejectedPublicationPoints\": 2") && says("\"session\": \"a-session\"") && says("\"vrpsAddedLocally\": 1"));
	/* ARIN was not in the facts: it is counted from the table, where one of its VRPs is RIPE's too */
	assert_true(strstr(strstr(rig.body, "\"arin\""), "\"vrpsTotal\": 3") != NULL && strstr(strstr(rig.body, "\"arin\""), "\"vrpsDuplicate\": 1") != NULL);
	assert_int_equal(get("/status"), 200);
	assert_true(says("version: cairn-rpki/9.9\nserial: 7\n") && says("final-vrps: 5\n") && says("vrps-per-tal: ripe=2 arin=3 \n"));
	ask("GET", "/status", "Accept: text/html,application/xhtml+xml\r\n", "");
	assert_int_equal(answer(), 200);
	assert_true(says("https://r.example/&lt;b&gt;&quot;notification&quot;.xml") && says("ripe &amp; arin") && !says("<script") && !says("src="));
	assert_non_null(strstr(rig.client.heard, "Content-Security-Policy: default-src 'none'"));
	ask("GET", "/status", "Accept: application/json\r\n", "");
	assert_int_equal(answer(), 200);
	assert_true(is_json());
	assert_int_equal(get("/"), 302);
	assert_int_equal(get("/log"), 200);
	assert_string_equal(rig.body, "[WARN] repository r.example: gone\n");
	finish();
}

static void metrics(void **state)
{
	begin((struct user *)*state);
	publish(0);
	assert_int_equal(get("/metrics"), 200);
	assert_true(says("\nroutinator_serial 7\n") && says("\nroutinator_vrps_final 5\n") && says("\nroutinator_ta_contributed_vrps_total{name=\"ripe\"} 2\n"));
	assert_true(says("\nroutinator_rrdp_serial_info{uri=\"https://r.example/<b>\\\"notification\\\".xml\"} 77\n"));
	assert_true(says("\nroutinator_ta_publication_points_total{name=\"ripe\",state=\"rejected\"} 2\n") && says("cairn_rpki_alarms{gravity=\"alarm\"} 1\n"));
	assert_true(says("\nroutinator_ta_unsafe_vrps_total{name=\"ripe\"} 0\n") && says("\ncairn_rpki_repository_failures{uri=\"https://r.example/<b>\\\"notification\\\".xml\"} 3\n"));
	/* each metric once, with its lines together */
	for (const char *p = rig.body; (p = strstr(p, "# TYPE ")) != NULL; p++) {
		char name[120], again[140];

		assert_int_equal(sscanf(p, "# TYPE %119s", name), 1);
		(void)snprintf(again, sizeof again, "# TYPE %s ", name);
		assert_int_equal(times(again), 1);
	}
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(before_the_first_run, user_start, user_end),
		cmocka_unit_test_setup_teardown(formats, user_start, user_end),
		cmocka_unit_test_setup_teardown(selectors, user_start, user_end),
		cmocka_unit_test_setup_teardown(validators, user_start, user_end),
		cmocka_unit_test_setup_teardown(differences, user_start, user_end),
		cmocka_unit_test_setup_teardown(validity, user_start, user_end),
		cmocka_unit_test_setup_teardown(status, user_start, user_end),
		cmocka_unit_test_setup_teardown(metrics, user_start, user_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
