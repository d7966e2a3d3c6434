/* hosts.c: addresses with their names: files in the form of /etc/hosts, local-data-ptr:, and the reverse names of addresses. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "resolver/local/zones.h"

#define HOSTS_TTL 3600
#define HOSTS_MAX (256u << 20) /* octets of a file */

RESULT local_reverse_name(const struct addr *a, struct name_buf *ret_name)
{
	char text[128];
	size_t n = 0;

	if (a->family == ADDR_V4) {
		(void)snprintf(text, sizeof text, "%u.%u.%u.%u.in-addr.arpa.", a->b[3], a->b[2], a->b[1], a->b[0]);
	} else if (a->family == ADDR_V6) {
		for (int i = 15; i >= 0; i--)
			n += (size_t)snprintf(text + n, sizeof text - n, "%x.%x.", a->b[i] & 15, a->b[i] >> 4);
		(void)snprintf(text + n, sizeof text - n, "ip6.arpa.");
	} else {
		return FAIL(ERR_RANGE);
	}
	return name_from_text(text, NULL, ret_name);
}

static RESULT add_reverse(struct local_zones *z, const struct addr *a, struct name target, uint32_t ttl)
{
	struct name_buf reverse;

	TRY(local_reverse_name(a, &reverse));
	return local_add_rr(z, name_of(&reverse), RR_PTR, CLASS_IN, ttl, span_of(target.wire, target.len));
}

/* The next word of *text, cut off with a NUL; NULL at the end of the line or at a comment. */
static char *next_word(char **text) BORROWED;
static char *next_word(char **text)
{
	char *p = *text + strspn(*text, " \t\r"), *word = p;

	if (*p == '\0' || *p == '#')
		return NULL;
	p += strcspn(p, " \t\r");
	if (*p != '\0')
		*p++ = '\0';
	*text = p;
	return word;
}

RESULT local_add_ptr(struct local_zones *z, const char *text, const char **ret_msg)
{
	AUTO_CHARS char *copy = mem_strdup(text);
	char *rest = copy, *address, *word, *end;
	struct addr a;
	struct name_buf name;
	unsigned long ttl = HOSTS_TTL;

	if (copy == NULL)
		return FAIL(ERR_NOMEM);
	*ret_msg = "an address, perhaps a TTL, and a name";
	address = next_word(&rest);
	word = next_word(&rest);
	if (address == NULL || word == NULL || !OK(addr_parse(address, &a)))
		return FAIL(ERR_FORMAT);
	if (isdigit((unsigned char)word[0])) {
		char *name_word = next_word(&rest);

		if (name_word != NULL) {
			ttl = strtoul(word, &end, 10);
			if (*end != '\0' || ttl > INT32_MAX)
				return FAIL(ERR_FORMAT);
			word = name_word;
		}
	}
	if (!OK(name_from_text(word, NULL, &name)))
		return FAIL(ERR_FORMAT);
	return add_reverse(z, &a, name_of(&name), (uint32_t)ttl);
}

/* One line: an address, then its names, the first of which its reverse name points to. */
static RESULT add_line(struct local_zones *z, char *line, const char **ret_bad)
{
	char *address = next_word(&line), *word, *zone_id;
	bool first = true;
	struct addr a;

	*ret_bad = NULL;
	if (address == NULL)
		return DONE;
	zone_id = strchr(address, '%');
	if (zone_id != NULL)
		*zone_id = '\0'; /* a link-local address's interface means nothing to who asks us */
	if (!OK(addr_parse(address, &a))) {
		*ret_bad = address;
		return DONE;
	}
	while ((word = next_word(&line)) != NULL) {
		struct name_buf name;

		if (!OK(name_from_text(word, NULL, &name)) || name.labels == 0) {
			*ret_bad = word;
			continue;
		}
		TRY(local_add_rr(z, name_of(&name), a.family == ADDR_V4 ? RR_A : RR_AAAA, CLASS_IN, HOSTS_TTL, span_of(a.b, addr_octets(&a))));
		if (first && !addr_is_unspecified(&a))
			TRY(add_reverse(z, &a, name_of(&name), HOSTS_TTL));
		first = false;
	}
	return DONE;
}

RESULT local_add_hosts(struct local_zones *z, const char *path, struct strbuf *report)
{
	AUTO_CHARS char *text = NULL;
	size_t n;
	char *line;
	unsigned int number = 0;

	TRY(file_read_all(path, HOSTS_MAX, &text, &n));
	for (line = text; line != NULL;) {
		char *next = strchr(line, '\n');
		const char *bad;

		if (next != NULL)
			*next++ = '\0';
		number++;
		TRY(add_line(z, line, &bad));
		if (bad != NULL)
			strbuf_printf(report, "%s:%u: warning: found \"%s\", expected an address and its names\n", path, number, bad);
		line = next;
	}
	return DONE;
}
