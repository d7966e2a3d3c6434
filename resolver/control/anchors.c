/* anchors.c: verbs about what is trusted: negative trust anchors (RFC 7646), names that are not validated, trust anchors in use. */
#include <stdlib.h>

#include "resolver/anchors.h"
#include "resolver/control/verbs.h"
#include "validator/anchors.h"

#define TEXT_MAX (16u << 20)

typedef void print_fn(const struct anchor_keeper *k, struct strbuf *out);

static void print(struct command *c, print_fn *fn)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(TEXT_MAX);

	if (text == NULL) {
		reply_error(c, "out of memory");
		return;
	}
	fn(daemon_keeper(c->daemon), text);
	reply_lines(c, strbuf_text(text));
}

/* "90", "90m", "12h", "7d". false: none of these, or longer than a week. */
static bool read_time(const char *text, uint32_t *ret_sec)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10), unit = 1;

	if (*text < '0' || *text > '9' || n == 0 || n > NTA_LIFETIME_MAX)
		return false;
	switch (*end) {
	case '\0':
	case 's':
		break;
	case 'm':
		unit = 60;
		break;
	case 'h':
		unit = 3600;
		break;
	case 'd':
		unit = 86400;
		break;
	default:
		return false;
	}
	if (*end != '\0' && end[1] != '\0')
		return false;
	*ret_sec = (uint32_t)(n * unit);
	return n * unit <= NTA_LIFETIME_MAX;
}

static void add_negative(struct command *c)
{
	size_t n = c->words.count;
	bool force = n > 3 && strcmp(c->words.word[n - 1], "force") == 0;
	uint32_t sec = 0;
	struct name_buf name;
	struct result r;

	if (n - force > 4 || (n - force == 4 && !read_time(c->words.word[3], &sec))) {
		reply_error(c, "expected: nta add NAME [TIME] [force]; TIME is seconds, or a number with m, h or d behind it, and at most a week");
		return;
	}
	if (!command_name(c, 2, &name))
		return;
	r = anchor_keeper_set_negative(daemon_keeper(c->daemon), name_of(&name), sec, force);
	if (OK(r))
		reply_ok(c);
	else
		reply_error(c, "%s", err_text(r.e));
}

static void remove_negative(struct command *c)
{
	struct name_buf name;

	if (c->words.count != 3)
		reply_error(c, "expected: nta remove NAME");
	else if (!command_name(c, 2, &name))
		return;
	else if (anchor_keeper_remove_negative(daemon_keeper(c->daemon), name_of(&name)))
		reply_ok(c);
	else
		reply_error(c, "%s has no negative trust anchor", c->words.word[2]);
}

static void verb_nta(struct command *c)
{
	const char *what = c->words.word[1];

	if (strcmp(what, "list") == 0 && c->words.count == 2)
		print(c, anchor_keeper_print_negative);
	else if (strcmp(what, "add") == 0 && c->words.count > 2)
		add_negative(c);
	else if (strcmp(what, "remove") == 0)
		remove_negative(c);
	else
		reply_error(c, "expected: nta add NAME [TIME] [force], nta remove NAME, or nta list");
}

static void set_insecure(struct command *c, bool insecure)
{
	struct name_buf name;
	struct result r;

	if (!command_name(c, 1, &name))
		return;
	r = anchor_keeper_insecure(daemon_keeper(c->daemon), name_of(&name), insecure);
	if (OK(r))
		reply_ok(c);
	else
		reply_error(c, "%s", err_text(r.e));
}

static void verb_insecure_add(struct command *c) { set_insecure(c, true); }
static void verb_insecure_remove(struct command *c) { set_insecure(c, false); }
static void verb_list_insecure(struct command *c) { print(c, anchor_keeper_print_insecure); }
static void verb_list_anchors(struct command *c) { print(c, anchor_keeper_print_anchors); }

const struct verb anchor_verbs[] = {
	{ "nta", 1, 4, verb_nta, "add NAME [TIME] [force] | remove NAME | list" },
	{ "insecure_add", 1, 1, verb_insecure_add, "NAME" },
	{ "insecure_remove", 1, 1, verb_insecure_remove, "NAME" },
	{ "list_insecure", 0, 0, verb_list_insecure, "" },
	{ "list_anchors", 0, 0, verb_list_anchors, "" },
	{ NULL, 0, 0, NULL, NULL },
};
