#include "resolver/serve/policy_note.h"

#include <string.h>

void policy_note_rule(struct policy_note *n, const char *text)
{
	size_t len = strlen(text);

	if (len > POLICY_RULE_MAX)
		len = POLICY_RULE_MAX;
	memcpy(n->rule, text, len);
	n->rule[len] = '\0';
}

void policy_note_addr(struct policy_note *n, const struct addr *a)
{
	n->value_len = (uint8_t)addr_octets(a);
	memcpy(n->value, a->b, n->value_len);
}

void policy_note_name(struct policy_note *n, struct name name)
{
	n->value_len = name.len;
	memcpy(n->value, name.wire, name.len);
}
