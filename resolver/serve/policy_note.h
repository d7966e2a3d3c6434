/*
 * policy_note.h: what an operator's policy decided about one reply, for whoever watches (dnstap's Policy; its words and numbers). Who decides fills one in and
 * names it where the reply is made:
 *
 *   an answer            a->policy (core/answer.h): it is kept with the answer in the cache, and told again at each hit
 *   a code, serve_code() s->policy (serve.h), just before; it is forgotten when the reply was sent
 *
 * It is read before the call returns, and may be on the stack. Of several deciders the first one that changed the reply counts; one that only would have is POLICY_PASS.
 */
#ifndef RESOLVER_SERVE_POLICY_NOTE_H
#define RESOLVER_SERVE_POLICY_NOTE_H

#include "base/addr.h"
#include "dns/name.h"

enum policy_action { POLICY_NXDOMAIN = 1, POLICY_NODATA, POLICY_PASS, POLICY_DROP, POLICY_TRUNCATE, POLICY_LOCAL_DATA };
enum policy_match { POLICY_QNAME = 1, POLICY_CLIENT_IP, POLICY_RESPONSE_IP, POLICY_NS_NAME, POLICY_NS_IP };

#define POLICY_RULE_MAX 255u /* octets of a rule that are told */

struct policy_note {
	const char *type BORROWED_FIELD; /* static: "filter", "route" */
	enum policy_action action;       /* 0: none of them fits */
	enum policy_match match;         /* 0: not said */
	char rule[POLICY_RULE_MAX + 1];  /* the rule, or the reason; "": none */
	uint8_t value_len;
	uint8_t value[NAME_MAX_OCTETS];  /* what was matched: the octets of an address, or a name on the wire */
};

/* Text that is too long is cut. */
void policy_note_rule(struct policy_note *n, const char *text) NONNULL;
void policy_note_addr(struct policy_note *n, const struct addr *a) NONNULL;
void policy_note_name(struct policy_note *n, struct name name) NONNULL;

#endif
