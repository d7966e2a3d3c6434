#include "rpki/object/ghostbusters.h"

static bool same_word(struct span s, const char *word)
{
	if (s.n != strlen(word))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] >= 'a' && s.p[i] <= 'z' ? s.p[i] - 0x20 : s.p[i]) != (uint8_t)word[i])
			return false;
	return true;
}

/* A line "NAME[;PARAMETERS]:VALUE". False: it is none; a folded line, which begins with a blank, has no name. */
static bool read_line(struct reader *r, struct span *ret_name, struct span *ret_value)
{
	struct reader look = *r, line;
	size_t n = 0, name = 0, head = 0;
	struct span s;

	while (!reader_end(&look) && read8(&look) != '\n')
		n++;
	s = der_take(r, n);
	read_skip(r, reader_end(r) ? 0 : 1);
	if (s.n > 0 && s.p[s.n - 1] == '\r')
		s.n--;
	*ret_name = *ret_value = (struct span){ s.p, 0 };
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == 0 || (s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	if (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		return true;
	while (name < s.n && s.p[name] != ':' && s.p[name] != ';')
		name++;
	for (head = name; head < s.n && s.p[head] != ':';)
		head++;
	if (head == s.n || name == 0)
		return s.n == 0; /* an empty line */
	line = reader_of(s);
	*ret_name = der_take(&line, name);
	read_skip(&line, head - name + 1);
	*ret_value = der_rest(&line);
	return true;
}

static bool read_all(const struct cms *cms, struct report *rep, struct ghostbusters *g)
{
	struct reader r = reader_of(cms->content);
	struct span name, value;
	bool version = false, end = false;

	g->vcard = cms->content;
	if (!read_line(&r, &name, &value) || !same_word(name, "BEGIN") || !same_word(value, "VCARD"))
		UNREADABLE(rep, GBR_NOT_VCARD);
	while (!reader_end(&r)) {
		if (!read_line(&r, &name, &value) || (end && name.n > 0))
			UNREADABLE(rep, GBR_NOT_VCARD);
		if (same_word(name, "VERSION"))
			version = same_word(value, "4.0") || same_word(value, "3.0"); /* the latter is met, and is good */
		else if (same_word(name, "FN"))
			g->name = value;
		else if (same_word(name, "ORG"))
			g->organization = value;
		else if (same_word(name, "ADR"))
			g->address = value;
		else if (same_word(name, "TEL"))
			g->telephone = value;
		else if (same_word(name, "EMAIL"))
			g->email = value;
		else if (same_word(name, "END"))
			end = same_word(value, "VCARD");
	}
	if (!end)
		UNREADABLE(rep, GBR_NOT_VCARD);
	if (!version)
		BROKEN(rep, GBR_VERSION);
	if (g->name.n == 0)
		BROKEN(rep, GBR_NO_NAME);
	if (g->address.n == 0 && g->telephone.n == 0 && g->email.n == 0)
		BROKEN(rep, GBR_NO_CONTACT);
	return true;
}

RESULT ghostbusters_read(const struct cms *cms, struct report *rep, struct ghostbusters *ret)
{
	size_t before = rep->count;

	*ret = (struct ghostbusters){ { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
	return read_all(cms, rep, ret) && rep->count == before ? DONE : FAIL(ERR_FORMAT);
}

RESULT ghostbusters_check(const struct cert *ee, struct report *rep)
{
	size_t before = rep->count;

	if (ee->claimed.ip4 == CLAIM_SET || ee->claimed.ip6 == CLAIM_SET || ee->claimed.as == CLAIM_SET)
		report_broken(rep, RULE_GBR_INHERIT);
	return rep->count == before ? DONE : FAIL(ERR_FORMAT);
}
