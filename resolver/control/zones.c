/* zones.c: verbs about zones: those answered locally, and where questions are sent. Changes last until the next reload. */
#include <stdio.h>
#include <strings.h>

#include "base/mem.h"
#include "resolver/control/verbs.h"
#include "resolver/local/local.h"

#define TEXT_MAX (256u << 20)

/* ---- local zones: a copy is changed, then published --------------------------------------------------------------------------------------- */

static bool copy_zones(struct command *c)
{
	if (OK(local_zones_copy(daemon_zones(c->daemon)->z, &c->zones)))
		return true;
	reply_error(c, "out of memory");
	return false;
}

static void publish(struct command *c)
{
	if (!OK(daemon_set_zones(c->daemon, MOVE(c->zones))))
		reply_error(c, "out of memory");
	else if (c->line == NULL)
		reply_ok(c);
}

/* "NAME TYPE". What is wrong; NULL: nothing. */
static const char *change_zone(struct local_zones *z, const char *text) BORROWED;
static const char *change_zone(struct local_zones *z, const char *text)
{
	char name_text[NAME_TEXT];
	size_t n = strcspn(text, " \t");
	struct name_buf name;
	enum local_type t;

	if (n >= sizeof name_text)
		return "expected a domain name and a type";
	memcpy(name_text, text, n);
	name_text[n] = '\0';
	text += n + strspn(text + n, " \t");
	if (!OK(name_from_text(name_text, NULL, &name)) || !OK(local_type_parse(text, &t)))
		return "expected a domain name and a type such as static";
	if (t == LOCAL_NODEFAULT)
		return "nodefault has no effect at run time: local_zone_remove takes a zone away";
	return OK(local_add_zone(z, name_of(&name), CLASS_IN, t)) ? NULL : "out of memory";
}

static const char *change_zone_remove(struct local_zones *z, const char *text) BORROWED;
static const char *change_zone_remove(struct local_zones *z, const char *text)
{
	struct name_buf name;

	if (!OK(name_from_text(text, NULL, &name)))
		return "expected a domain name";
	(void)!OK(local_remove_zone(z, name_of(&name), CLASS_IN)); /* what is not there is removed */
	return NULL;
}

static const char *change_data(struct local_zones *z, const char *text) BORROWED;
static const char *change_data(struct local_zones *z, const char *text)
{
	const char *msg = "";
	struct result r = local_add_data(z, text, &msg);

	return OK(r) ? NULL : r.e == ERR_NOMEM ? "out of memory" : msg[0] != '\0' ? msg : "expected an RR in presentation form";
}

static const char *change_data_remove(struct local_zones *z, const char *text) BORROWED;
static const char *change_data_remove(struct local_zones *z, const char *text)
{
	struct name_buf name;

	if (!OK(name_from_text(text, NULL, &name)))
		return "expected a domain name";
	(void)!OK(local_remove_data(z, name_of(&name), CLASS_IN));
	return NULL;
}

typedef const char *change_fn(struct local_zones *z, const char *text);

static void change_one(struct command *c, change_fn *fn)
{
	const char *wrong;

	if (!copy_zones(c))
		return;
	wrong = fn(c->zones, c->words.rest[1]);
	if (wrong != NULL)
		reply_error(c, "found \"%s\", %s", c->words.rest[1], wrong);
	else
		publish(c);
}

static void verb_local_zone(struct command *c) { change_one(c, change_zone); }
static void verb_local_zone_remove(struct command *c) { change_one(c, change_zone_remove); }
static void verb_local_data(struct command *c) { change_one(c, change_data); }
static void verb_local_data_remove(struct command *c) { change_one(c, change_data_remove); }

/* Lines: all are applied to one copy, which is published at the end. */
static void lines(struct command *c, struct span line, change_fn *fn, const char *what)
{
	AUTO_CHARS char *text = line.p == NULL ? NULL : mem_strndup((const char *)line.p, line.n);
	const char *wrong;

	if (line.p == NULL) {
		publish(c);
		c->line = NULL;
		reply_line(c, "%s %llu %s", c->flag ? "removed" : "added", (unsigned long long)c->count, what);
		reply_end(c);
		return;
	}
	if (text == NULL || text[strspn(text, " \t")] == '\0')
		return;
	wrong = fn(c->zones, text + strspn(text, " \t"));
	if (wrong != NULL)
		reply_line(c, "error for input line: \"%s\": %s", text, wrong);
	else
		c->count++;
}

static void line_zone(struct command *c, struct span line) { lines(c, line, change_zone, "zones"); }
static void line_zone_remove(struct command *c, struct span line) { lines(c, line, change_zone_remove, "zones"); }
static void line_data(struct command *c, struct span line) { lines(c, line, change_data, "datas"); }
static void line_data_remove(struct command *c, struct span line) { lines(c, line, change_data_remove, "datas"); }

static void take_lines(struct command *c, void (*line)(struct command *c, struct span line), bool removes)
{
	c->flag = removes;
	if (copy_zones(c))
		c->line = line;
}

static void verb_local_zones(struct command *c) { take_lines(c, line_zone, false); }
static void verb_local_zones_remove(struct command *c) { take_lines(c, line_zone_remove, true); }
static void verb_local_datas(struct command *c) { take_lines(c, line_data, false); }
static void verb_local_datas_remove(struct command *c) { take_lines(c, line_data_remove, true); }

static void verb_list_local_zones(struct command *c)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(TEXT_MAX);

	if (text == NULL)
		return;
	local_print_zones(daemon_zones(c->daemon)->z, text);
	reply_lines(c, strbuf_text(text));
}

static void verb_list_local_data(struct command *c)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(TEXT_MAX);

	if (text == NULL)
		return;
	local_print_data(daemon_zones(c->daemon)->z, text);
	reply_lines(c, strbuf_text(text));
}

/* ---- where questions are sent: the configuration with one clause more or less -------------------------------------------------------------- */

struct kind {
	enum conf_clause_kind clause;
	const char *header BORROWED_FIELD;
	enum conf_opt name, addr, first, host;
	const char *addr_option BORROWED_FIELD;
	const char *list_word BORROWED_FIELD;
};
static const struct kind forward_kind = { CLAUSE_FORWARD_ZONE, "forward-zone:", OPT_FORWARD_ZONE_NAME, OPT_FORWARD_ZONE_FORWARD_ADDR, OPT_FORWARD_ZONE_FORWARD_FIRST,
	OPT_FORWARD_ZONE_FORWARD_HOST, "forward-addr", "forward" };
static const struct kind stub_kind = { CLAUSE_STUB_ZONE, "stub-zone:", OPT_STUB_ZONE_NAME, OPT_STUB_ZONE_STUB_ADDR, OPT_STUB_ZONE_STUB_FIRST,
	OPT_STUB_ZONE_STUB_HOST, "stub-addr", "stub" };

static bool is_zone(const char *text, struct name zone)
{
	struct name_buf nb;

	return text != NULL && OK(name_from_text(text, NULL, &nb)) && name_equal(name_of(&nb), zone);
}

/* The name in a line "\tname: X" as conf_print writes it, quotes taken off; false: another line. */
static bool name_line(struct span line, char out[NAME_TEXT])
{
	static const char option[] = "\tname: ";
	size_t skip = sizeof option - 1, n;

	if (line.n <= skip || memcmp(line.p, option, skip) != 0)
		return false;
	line = span_of(line.p + skip, line.n - skip);
	if (line.n >= 2 && (line.p[0] == '"' || line.p[0] == '\''))
		line = span_of(line.p + 1, line.n - 2);
	n = line.n < NAME_TEXT - 1 ? line.n : NAME_TEXT - 1;
	memcpy(out, line.p, n);
	out[n] = '\0';
	return true;
}

static struct span next_line(struct span *rest)
{
	const uint8_t *end = memchr(rest->p, '\n', rest->n);
	struct span line = span_of(rest->p, end == NULL ? rest->n : (size_t)(end - rest->p) + 1);

	*rest = span_of(rest->p + line.n, rest->n - line.n);
	return line;
}

/* Copies the printed configuration without the clauses of that kind for that zone. */
static bool copy_without(struct span text, const struct kind *k, struct name zone, struct strbuf *out)
{
	bool found = false;

	while (text.n > 0) {
		struct span clause = text, rest = text, line = next_line(&rest);
		bool same_kind = line.n == strlen(k->header) + 1 && memcmp(line.p, k->header, line.n - 1) == 0, same_zone = false;

		while (rest.n > 0 && rest.p[0] == '\t') {
			char name[NAME_TEXT];

			line = next_line(&rest);
			if (same_kind && name_line(span_of(line.p, line.n - 1), name))
				same_zone |= is_zone(name, zone);
		}
		if (!same_zone)
			strbuf_add(out, clause.p, clause.n - rest.n);
		found |= same_zone;
		text = rest;
	}
	return found;
}

/* Works by the configuration without that zone's clauses and with `more`. */
static void change_conf(struct command *c, const struct kind *k, struct name zone, const char *more)
{
	AUTO(strbuf_free) struct strbuf *before = strbuf_new(TEXT_MAX), *after = strbuf_new(TEXT_MAX), *report = strbuf_new(1u << 20);
	AUTO(conf_free) struct conf *changed = NULL;

	if (before == NULL || after == NULL || report == NULL || !OK(conf_print(daemon_plan(c->daemon)->conf, before))) {
		reply_error(c, "out of memory");
		return;
	}
	(void)copy_without(strbuf_span(before), k, zone, after);
	strbuf_puts(after, more);
	if (!OK(strbuf_result(after)) || !OK(conf_load_text(strbuf_text(after), "control", report, &changed)) ||
	    !OK(daemon_set_conf(c->daemon, MOVE(changed), report)))
		reply_error(c, "%s", strbuf_text(report));
	else
		reply_ok(c);
}

/* [+OPTIONS] ZONE ADDRESS ... */
static void add_clause(struct command *c, const struct kind *k)
{
	size_t i = 1;
	bool prime = false, tls = false;
	struct name_buf zone;
	AUTO(strbuf_free) struct strbuf *more = strbuf_new(1u << 20);
	char text[NAME_TEXT];

	if (c->words.word[1][0] == '+') {
		prime = strchr(c->words.word[1], 'p') != NULL;
		tls = strchr(c->words.word[1], 't') != NULL;
		i++;
	}
	if (more == NULL || i + 1 >= c->words.count || tls) {
		reply_error(c, "expected: [+i%s] ZONE ADDRESS ... (+t, TLS, is not used yet)", k == &stub_kind ? "p" : "");
		return;
	}
	if (!command_name(c, i, &zone))
		return;
	strbuf_printf(more, "%s\n\tname: \"%s\"\n", k->header, name_to_text(name_of(&zone), text));
	if (prime)
		strbuf_puts(more, "\tstub-prime: yes\n");
	for (i++; i < c->words.count; i++) {
		struct endpoint e;

		if (!OK(endpoint_parse(c->words.word[i], 53, &e))) {
			reply_error(c, "found \"%s\", expected ADDRESS[@PORT]", c->words.word[i]);
			return;
		}
		strbuf_printf(more, "\t%s: %s\n", k->addr_option, c->words.word[i]);
	}
	change_conf(c, k, name_of(&zone), strbuf_text(more));
}

static void remove_clause(struct command *c, const struct kind *k)
{
	size_t i = c->words.word[1][0] == '+' ? 2 : 1;
	struct name_buf zone;

	if (i >= c->words.count)
		reply_error(c, "expected: [+i] ZONE");
	else if (command_name(c, i, &zone))
		change_conf(c, k, name_of(&zone), "");
}

static void list_clauses(struct command *c, const struct kind *k)
{
	const struct conf *conf = daemon_plan(c->daemon)->conf;

	for (size_t i = 0; i < conf_clause_count(conf, k->clause); i++) {
		const struct conf_clause *cl = conf_clause(conf, k->clause, i);
		AUTO(strbuf_free) struct strbuf *text = strbuf_new(1u << 20);
		char name[NAME_TEXT];
		struct name_buf zone;

		if (text == NULL || conf_text(cl, k->name) == NULL || !OK(name_from_text(conf_text(cl, k->name), NULL, &zone)))
			continue;
		strbuf_printf(text, "%s IN %s", name_to_text(name_of(&zone), name), k->list_word);
		if (k == &stub_kind)
			strbuf_puts(text, conf_bool(cl, OPT_STUB_ZONE_STUB_PRIME) ? " prime" : " noprime");
		if (conf_bool(cl, k->first))
			strbuf_puts(text, " +first");
		for (size_t a = 0; a < conf_count(cl, k->host); a++)
			strbuf_printf(text, " %s", conf_item(cl, k->host, a));
		for (size_t a = 0; a < conf_count(cl, k->addr); a++)
			strbuf_printf(text, " %s", conf_item(cl, k->addr, a));
		reply_line(c, "%s", strbuf_text(text));
	}
}

static void verb_forward_add(struct command *c) { add_clause(c, &forward_kind); }
static void verb_forward_remove(struct command *c) { remove_clause(c, &forward_kind); }
static void verb_stub_add(struct command *c) { add_clause(c, &stub_kind); }
static void verb_stub_remove(struct command *c) { remove_clause(c, &stub_kind); }
static void verb_list_forwards(struct command *c) { list_clauses(c, &forward_kind); }
static void verb_list_stubs(struct command *c) { list_clauses(c, &stub_kind); }

/* "forward" tells, "forward off" and "forward ADDRESS ..." set where everything is sent. */
static void verb_forward(struct command *c)
{
	AUTO(strbuf_free) struct strbuf *more = strbuf_new(1u << 20);
	const struct conf *conf = daemon_plan(c->daemon)->conf;

	if (more == NULL)
		return;
	if (c->words.count == 1) {
		for (size_t i = 0; i < conf_clause_count(conf, CLAUSE_FORWARD_ZONE); i++) {
			const struct conf_clause *cl = conf_clause(conf, CLAUSE_FORWARD_ZONE, i);

			for (size_t a = 0; is_zone(conf_text(cl, OPT_FORWARD_ZONE_NAME), name_root) && a < conf_count(cl, OPT_FORWARD_ZONE_FORWARD_ADDR); a++)
				strbuf_printf(more, "%s%s", a == 0 ? "" : " ", conf_item(cl, OPT_FORWARD_ZONE_FORWARD_ADDR, a));
		}
		reply_line(c, "%s", strbuf_len(more) > 0 ? strbuf_text(more) : "off (using root hints)");
		return;
	}
	if (strcasecmp(c->words.word[1], "off") != 0) {
		strbuf_puts(more, "forward-zone:\n\tname: \".\"\n");
		for (size_t i = 1; i < c->words.count; i++) {
			struct endpoint e;

			if (!OK(endpoint_parse(c->words.word[i], 53, &e))) {
				reply_error(c, "found \"%s\", expected ADDRESS[@PORT]", c->words.word[i]);
				return;
			}
			strbuf_printf(more, "\tforward-addr: %s\n", c->words.word[i]);
		}
	}
	change_conf(c, &forward_kind, name_root, strbuf_text(more));
}

const struct verb zone_verbs[] = {
	{ "local_zone", 2, 2, verb_local_zone, "NAME TYPE" },
	{ "local_zone_remove", 1, 1, verb_local_zone_remove, "NAME" },
	{ "local_data", 3, REQUEST_WORDS, verb_local_data, "RR" },
	{ "local_data_remove", 1, 1, verb_local_data_remove, "NAME" },
	{ "local_zones", 0, 0, verb_local_zones, "(lines)" },
	{ "local_zones_remove", 0, 0, verb_local_zones_remove, "(lines)" },
	{ "local_datas", 0, 0, verb_local_datas, "(lines)" },
	{ "local_datas_remove", 0, 0, verb_local_datas_remove, "(lines)" },
	{ "list_local_zones", 0, 0, verb_list_local_zones, "" },
	{ "list_local_data", 0, 0, verb_list_local_data, "" },
	{ "list_forwards", 0, 0, verb_list_forwards, "" },
	{ "list_stubs", 0, 0, verb_list_stubs, "" },
	{ "forward_add", 2, REQUEST_WORDS, verb_forward_add, "[+i] ZONE ADDRESS ..." },
	{ "forward_remove", 1, 2, verb_forward_remove, "[+i] ZONE" },
	{ "stub_add", 2, REQUEST_WORDS, verb_stub_add, "[+ip] ZONE ADDRESS ..." },
	{ "stub_remove", 1, 2, verb_stub_remove, "[+i] ZONE" },
	{ "forward", 0, REQUEST_WORDS, verb_forward, "[off | ADDRESS ...]" },
	{ NULL, 0, 0, NULL, NULL },
};
