#include "rpki/object/rule.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/strbuf.h"

struct row {
	const char *name SHARED_FIELD;
	const char *text SHARED_FIELD;
};

static const struct row rows[RULE_COUNT] = {
	[RULE_NONE] = { "", "no rule is broken" },
#define RULE(id, name, text) [RULE_##id] = { name, text },
	RPKI_RULES(RULE)
#undef RULE
};

const char *rule_name(enum rule r) { return rows[r].name; }
const char *rule_text(enum rule r) { return rows[r].text; }

const char *rule_place(enum rule r, char room[64])
{
	const char *name = rows[r].name;
	size_t document = strcspn(name, "#"), section;

	room[0] = '\0';
	if (name[document] == '\0')
		return room;
	section = strcspn(name + document + 1, "/");
	if (strncmp(name, "rfc", 3) == 0)
		snprintf(room, 64, "RFC %.*s section %.*s", (int)document - 3, name + 3, (int)section, name + document + 1);
	else
		snprintf(room, 64, "%.*s section %.*s", (int)document, name, (int)section, name + document + 1);
	return room;
}

void report_init_all(struct report *rep, struct arena *notes)
{
	report_init(rep);
	rep->all = true;
	rep->notes = notes;
}

RESULT report_ignore(struct report *rep, const char *names, const char **ret_bad)
{
	while (*names != '\0') {
		size_t n = strcspn(names, ",");
		bool found = n == 0;

		for (unsigned int i = 1; i < RULE_COUNT; i++) {
			if (strncmp(rows[i].name, names, n) != 0 || rows[i].name[n] != '\0')
				continue;
			rep->ignored[i / 64] |= UINT64_C(1) << (i % 64);
			found = true;
		}
		if (!found) {
			*ret_bad = names;
			return FAIL(ERR_NOTFOUND);
		}
		names += n + (names[n] == ',');
	}
	return DONE;
}

/* True when it counts. */
static bool note(struct report *rep, enum rule r)
{
	if ((rep->ignored[r / 64] >> (r % 64) & 1) != 0)
		return false;
	rep->broken[r / 64] |= UINT64_C(1) << (r % 64);
	rep->count++;
	if (rep->first == RULE_NONE)
		rep->first = r;
	return true;
}

static void keep(struct report *rep, enum rule r, const char *detail)
{
	struct finding *f;

	if (rep->notes == NULL || rep->count > REPORT_MAX_FINDINGS)
		return;
	f = arena_alloc(rep->notes, sizeof *f);
	if (f == NULL)
		return; /* the rule is noted all the same */
	*f = (struct finding){ r, detail != NULL ? arena_strdup(rep->notes, detail) : NULL, rep->findings };
	rep->findings = f;
}

bool report_broken(struct report *rep, enum rule r)
{
	if (!note(rep, r))
		return false;
	keep(rep, r, NULL);
	return !rep->all;
}

bool report_broken_at(struct report *rep, enum rule r, const char *fmt, ...)
{
	char detail[200];
	va_list ap;

	if (!note(rep, r))
		return false;
	if (rep->notes != NULL) {
		va_start(ap, fmt);
		vsnprintf(detail, sizeof detail, fmt, ap);
		va_end(ap);
		keep(rep, r, detail);
	}
	return !rep->all;
}

bool report_names(const struct report *rep, const char *name)
{
	for (unsigned int i = 1; i < RULE_COUNT; i++)
		if (report_has(rep, (enum rule)i) && strcmp(rows[i].name, name) == 0)
			return true;
	return false;
}

void report_print(const struct report *rep, const char *object, struct strbuf *out)
{
	const struct finding *order[REPORT_MAX_FINDINGS];
	size_t n = 0, printed;
	char place[64];

	for (const struct finding *f = rep->findings; f != NULL && n < REPORT_MAX_FINDINGS; f = f->next)
		order[n++] = f;
	printed = n;
	while (n-- > 0) {
		strbuf_printf(out, "%s: %s: %s", object, rule_place(order[n]->rule, place), rule_text(order[n]->rule));
		if (order[n]->detail != NULL)
			strbuf_printf(out, " (%s)", order[n]->detail);
		strbuf_putc(out, '\n');
	}
	if (printed == 0 && rep->first != RULE_NONE)
		strbuf_printf(out, "%s: %s: %s\n", object, rule_place(rep->first, place), rule_text(rep->first));
	if (printed > 0 && rep->count > printed)
		strbuf_printf(out, "%s: and %zu more\n", object, rep->count - printed);
}
