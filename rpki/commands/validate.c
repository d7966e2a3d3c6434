/* cairn-rpki validate ASN PREFIX... */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "conf/conf.h"
#include "rpki/commands/commands.h"
#include "rpki/commands/route_lines.h"
#include "rpki/commands/table_file.h"
#include "rpki/commands/table_of.h"
#include "rpki/routes/route_text.h"

#define ROUTES_OCTETS ((size_t)1 << 30)
#define WHY_MAX 65536u
#define PIECE 65536u

struct judging {
	const struct validity_index *index BORROWED_FIELD;
	struct strbuf *out BORROWED_FIELD;
	bool json, evidence, list; /* list: the routes are members of a list */
	size_t n;
};

static RESULT judge(void *ctx, const struct judged_route *r)
{
	struct judging *j = ctx;

	if (!j->json) {
		verdict_text(j->index, r, j->evidence, j->out);
	} else {
		strbuf_puts(j->out, j->list ? (j->n > 0 ? ",\n    " : "\n    ") : "");
		verdict_json(j->index, r, j->list ? "    " : "  ", j->out);
	}
	j->n++;
	if (strbuf_len(j->out) > PIECE && !command_print(j->out))
		return FAIL(ERR_SYSTEM);
	return strbuf_result(j->out);
}

struct validate_args {
	const char *conf BORROWED_FIELD;
	const char *routes BORROWED_FIELD; /* -f; NULL: argv */
	struct table_wanted wanted;
	bool json;
	int n;                             /* of words */
	char **words BORROWED_FIELD;       /* ASN PREFIX... */
};

static void json_end(struct judging *j)
{
	char iso[32];

	strbuf_printf(j->out, "%s,\n  \"generatedTime\": \"%s\"\n}\n", j->list ? "\n  ]" : "", clock_iso(clock_read().wall_sec, iso));
}

/* From the command line. */
static int judge_words(const struct validate_args *a, struct judging *j)
{
	struct judged_route r;

	if (!route_text_asn(span_text(a->words[0]), &r.origin))
		return command_fail("validate", "found \"%s\", expected an AS number", a->words[0]);
	for (int i = 1; i < a->n; i++) {
		if (!table_prefix(span_text(a->words[i]), &r.prefix))
			return command_fail("validate", "found \"%s\", expected a prefix without bits behind its length, such as 192.0.2.0/24", a->words[i]);
		if (!OK(judge(j, &r)))
			return command_fail("validate", "the output cannot be written");
	}
	return 0;
}

static int judge_file(const struct validate_args *a, struct judging *j, struct strbuf *why)
{
	bool input = strcmp(a->routes, "-") == 0;
	AUTO_CHARS char *text = NULL;
	size_t n = 0;
	struct result r = file_read_all(input ? "/dev/stdin" : a->routes, ROUTES_OCTETS, &text, &n);

	if (!OK(r))
		return command_fail("validate", "%s: %s", a->routes, r.e == ERR_SYSTEM ? strerror(errno) : err_text(r.e));
	r = route_lines_read(span_of(text, n), input ? "standard input" : a->routes, why, judge, j);
	return OK(r) ? 0 : command_report("validate", why, r);
}

static int judge_all(const struct validate_args *a, const struct payload_table *t, struct strbuf *why)
{
	AUTO(strbuf_free) struct strbuf *out = strbuf_new(COMMAND_TEXT_MAX);
	AUTO(validity_free) struct validity_index *x = NULL;
	struct judging j = { .out = out, .json = a->json, .evidence = a->routes == NULL, .list = a->routes != NULL || a->n > 2 };
	int status;

	if (out == NULL || !OK(validity_new(t, &x)))
		return command_fail("validate", "%s", err_text(ERR_NOMEM));
	j.index = x;
	if (a->json)
		strbuf_puts(out, j.list ? "{\n  \"validated_routes\": [" : "{\n  \"validated_route\": ");
	status = a->routes != NULL ? judge_file(a, &j, why) : judge_words(a, &j);
	if (status != 0)
		return status;
	if (a->json)
		json_end(&j);
	return command_print(out) && fflush(stdout) == 0 ? 0 : command_fail("validate", "the output cannot be written");
}

static int run(const struct validate_args *a)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(WHY_MAX);
	AUTO(table_unref) struct payload_table *t = NULL;
	AUTO(conf_free) struct conf *c = NULL;
	struct result r;

	if (why == NULL)
		return command_fail("validate", "%s", err_text(ERR_NOMEM));
	if (a->wanted.file == NULL && !OK(command_conf("validate", a->conf, &c)))
		return COMMAND_ERROR;
	r = table_of(&a->wanted, c, why, &t);
	if (!OK(r))
		return command_report("validate", why, r);
	(void)fputs(strbuf_text(why), stderr);
	strbuf_clear(why);
	return judge_all(a, t, why);
}

int command_validate(int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' }, { "table", required_argument, NULL, 't' }, { "offline", no_argument, NULL, 'o' },
		{ "at", required_argument, NULL, 'a' }, { "file", required_argument, NULL, 'f' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct validate_args a = { .conf = command_conf_path(), .wanted = { .now = clock_read().wall_sec } };
	int c;

	while ((c = getopt_long(argc, argv, "c:f:jh", longs, NULL)) != -1) {
		if (c == 'c')
			a.conf = optarg;
		else if (c == 'f')
			a.routes = optarg;
		else if (c == 'j')
			a.json = true;
		else if (c == 't')
			a.wanted.file = optarg;
		else if (c == 'o')
			a.wanted.offline = true;
		else if (c != 'a')
			return command_usage("validate");
		else if (!OK(clock_parse(optarg, &a.wanted.now)))
			return command_fail("validate", "--at %s: expected seconds, or 2026-01-31T12:00:00Z", optarg);
	}
	a.n = argc - optind;
	a.words = argv + optind;
	if (a.routes != NULL ? a.n != 0 : a.n < 2)
		return command_usage("validate");
	return run(&a);
}
