/*
 * local.c: judging a question. The closest enclosing zone decides by its type; data at the name decides before it, unless the type begins with "always".
 */
#include "resolver/local/local.h"

#include <strings.h>

#include "base/arena.h"
#include "base/log.h"
#include "resolver/local/zones.h"

static const char *const type_text[LOCAL_TYPES] = {
	[LOCAL_DENY] = "deny",
	[LOCAL_REFUSE] = "refuse",
	[LOCAL_STATIC] = "static",
	[LOCAL_TRANSPARENT] = "transparent",
	[LOCAL_REDIRECT] = "redirect",
	[LOCAL_NODEFAULT] = "nodefault",
	[LOCAL_TYPETRANSPARENT] = "typetransparent",
	[LOCAL_INFORM] = "inform",
	[LOCAL_INFORM_DENY] = "inform_deny",
	[LOCAL_INFORM_REDIRECT] = "inform_redirect",
	[LOCAL_ALWAYS_TRANSPARENT] = "always_transparent",
	[LOCAL_BLOCK_A] = "block_a",
	[LOCAL_BLOCK_AAAA] = "block_aaaa",
	[LOCAL_BLOCK_A_WDATA] = "block_a_wdata",
	[LOCAL_BLOCK_AAAA_WDATA] = "block_aaaa_wdata",
	[LOCAL_ALWAYS_REFUSE] = "always_refuse",
	[LOCAL_ALWAYS_NXDOMAIN] = "always_nxdomain",
	[LOCAL_ALWAYS_NODATA] = "always_nodata",
	[LOCAL_ALWAYS_NULL] = "always_null",
	[LOCAL_ALWAYS_DENY] = "always_deny",
	[LOCAL_TRUNCATE] = "truncate",
	[LOCAL_NOVIEW] = "noview",
};

const char *local_type_text(enum local_type t)
{
	return type_text[t];
}

RESULT local_type_parse(const char *text, enum local_type *ret_type)
{
	for (unsigned int t = 0; t < LOCAL_TYPES; t++) {
		if (strcasecmp(text, type_text[t]) == 0) {
			*ret_type = (enum local_type)t;
			return DONE;
		}
	}
	return FAIL(ERR_FORMAT);
}

bool local_may_match(const struct local_zones *z, struct name n)
{
	if (z->root_zone)
		return true;
	return n.labels > 0 && nametable_get(&z->tops, name_suffix(n, 1), 0) != NULL;
}

const struct local_zone *local_find_zone(const struct local_zones *z, struct name n, uint16_t rclass)
{
	unsigned int labels = n.labels < z->max_labels ? n.labels : z->max_labels;

	for (unsigned int k = labels + 1; k-- > 0;) {
		const struct local_zone *found = local_zone_of(nametable_get(&z->zones, name_suffix(n, k), rclass));

		if (found != NULL && !found->gone)
			return found;
	}
	return NULL;
}

const struct local_node *local_find_node(const struct local_zones *z, struct name n, uint16_t rclass)
{
	const struct local_node *found = local_node_of(nametable_get(&z->nodes, n, rclass));

	return found == NULL || (found->count == 0 && found->below == 0) ? NULL : found;
}

const struct rrset *local_node_set(const struct local_node *n, uint16_t type)
{
	for (size_t i = 0; i < n->count; i++) {
		if (n->sets[i]->type == type)
			return n->sets[i];
	}
	return NULL;
}

/* What one judgement passes around. */
struct judgement {
	const struct local_zones *z BORROWED_FIELD;
	const struct local_zone *zone BORROWED_FIELD;
	enum local_type type; /* of the zone, for this client */
	const struct question *q BORROWED_FIELD;
	struct arena *arena BORROWED_FIELD;
	struct answer *answer BORROWED_FIELD;
	struct name *follow BORROWED_FIELD;
};

static bool is_redirect(enum local_type t)
{
	return t == LOCAL_REDIRECT || t == LOCAL_INFORM_REDIRECT;
}

/* Types that look at local data before they do what they are for. */
static bool uses_data(enum local_type t)
{
	switch (t) {
	case LOCAL_ALWAYS_TRANSPARENT:
	case LOCAL_ALWAYS_REFUSE:
	case LOCAL_ALWAYS_NXDOMAIN:
	case LOCAL_ALWAYS_NODATA:
	case LOCAL_ALWAYS_NULL:
	case LOCAL_ALWAYS_DENY:
	case LOCAL_BLOCK_A:
	case LOCAL_BLOCK_AAAA:
	case LOCAL_NOVIEW:
		return false;
	default:
		return true;
	}
}

static void add_ede(struct answer *a, uint16_t code)
{
	a->ede[a->ede_count++] = (struct ede){ .code = code };
}

/* Adds a set under the name that was asked for. False: the arena is full. */
static bool add_set(const struct judgement *j, const struct rrset *rs, size_t *count)
{
	struct answer *a = j->answer;
	struct answer_set *set = &a->sets[a->answer_count + a->authority_count];

	if (!name_equal_case(rrset_name(rs), j->q->name) && count == &a->answer_count)
		rs = rrset_renamed_in(j->arena, rs, j->q->name);
	if (rs == NULL)
		return false;
	*set = (struct answer_set){ rs, rs->ttl };
	if (rs->ttl < a->ttl)
		a->ttl = rs->ttl;
	(*count)++;
	return true;
}

static bool begin_answer(const struct judgement *j, uint16_t rcode, size_t sets)
{
	struct answer *a = j->answer;

	*a = (struct answer){ .q = *j->q, .rcode = rcode, .authoritative = true, .security = SECURITY_INSECURE, .ttl = 3600 };
	a->sets = arena_alloc_array(j->arena, sets + 1, sizeof *a->sets);
	return a->sets != NULL;
}

static enum local_verdict out_of_memory(const struct judgement *j)
{
	*j->answer = (struct answer){ .q = *j->q, .rcode = RCODE_SERVFAIL };
	return LOCAL_ANSWER;
}

/* blocked: by the operator's will, which is said as such. As in Unbound a zone without a SOA of its own has none in its answers. */
static enum local_verdict answer_negative(const struct judgement *j, uint16_t rcode, bool blocked)
{
	const struct local_node *apex = local_find_node(j->z, j->zone->named.name, j->q->rclass);
	const struct rrset *soa = apex == NULL ? NULL : local_node_set(apex, RR_SOA);

	if (!begin_answer(j, rcode, 1))
		return out_of_memory(j);
	if (soa != NULL) {
		struct span rdata = rrset_rdata(soa, 0);
		struct answer_set *set = j->answer->sets;
		uint32_t minimum = load32(rdata.p + rdata.n - 4);

		/* RFC 2308 section 5: the lesser of the SOA's TTL and its MINIMUM. */
		*set = (struct answer_set){ soa, soa->ttl < minimum ? soa->ttl : minimum };
		j->answer->ttl = set->ttl;
		j->answer->authority_count = 1;
	}
	if (blocked)
		add_ede(j->answer, EDE_BLOCKED);
	return LOCAL_ANSWER;
}

static enum local_verdict answer_refused(const struct judgement *j)
{
	if (!begin_answer(j, RCODE_REFUSED, 0))
		return out_of_memory(j);
	add_ede(j->answer, EDE_PROHIBITED);
	return LOCAL_ANSWER;
}

static enum local_verdict answer_null(const struct judgement *j)
{
	const struct rrset *rs = j->q->type == RR_A ? j->z->null_a : j->q->type == RR_AAAA ? j->z->null_aaaa : NULL;

	if (rs == NULL)
		return answer_negative(j, RCODE_NOERROR, true);
	if (!begin_answer(j, RCODE_NOERROR, 1) || !add_set(j, rs, &j->answer->answer_count))
		return out_of_memory(j);
	add_ede(j->answer, EDE_BLOCKED);
	return LOCAL_ANSWER;
}

/* The data at the name (redirect: at the zone's apex) that answers the question, if any. */
static bool answer_from_data(const struct judgement *j, const struct local_node *node, enum local_verdict *ret_verdict)
{
	const struct rrset *one = local_node_set(node, j->q->type);
	bool any = j->q->type == RR_ANY && node->count > 0;

	if (one == NULL && !any)
		one = local_node_set(node, RR_CNAME);
	if (one == NULL && !any)
		return false;
	*ret_verdict = LOCAL_ANSWER;
	if (!begin_answer(j, RCODE_NOERROR, node->count)) {
		*ret_verdict = out_of_memory(j);
		return true;
	}
	for (size_t i = 0; i < node->count; i++) {
		if ((any || node->sets[i] == one) && !add_set(j, node->sets[i], &j->answer->answer_count)) {
			*ret_verdict = out_of_memory(j);
			return true;
		}
	}
	if (!any && one->type == RR_CNAME && j->q->type != RR_CNAME && !rrset_target(one, 0, j->follow))
		*ret_verdict = out_of_memory(j);
	return true;
}

/* Nothing in the data: what the zone's type says. */
static enum local_verdict judge_by_type(const struct judgement *j, const struct local_node *node)
{
	switch (j->type) {
	case LOCAL_DENY:
	case LOCAL_INFORM_DENY:
	case LOCAL_ALWAYS_DENY:
		return LOCAL_DROP;
	case LOCAL_REFUSE:
	case LOCAL_ALWAYS_REFUSE:
		return answer_refused(j);
	case LOCAL_STATIC:
		return answer_negative(j, node != NULL ? RCODE_NOERROR : RCODE_NXDOMAIN, false);
	case LOCAL_REDIRECT:
	case LOCAL_INFORM_REDIRECT:
		return answer_negative(j, RCODE_NOERROR, false);
	case LOCAL_ALWAYS_NODATA:
		return answer_negative(j, RCODE_NOERROR, true);
	case LOCAL_ALWAYS_NXDOMAIN:
		return answer_negative(j, RCODE_NXDOMAIN, true);
	case LOCAL_ALWAYS_NULL:
		return answer_null(j);
	case LOCAL_TRUNCATE:
		return LOCAL_TRUNCATE_UDP;
	case LOCAL_BLOCK_A:
	case LOCAL_BLOCK_A_WDATA:
		return j->q->type == RR_A ? answer_negative(j, RCODE_NOERROR, true) : LOCAL_PASS;
	case LOCAL_BLOCK_AAAA:
	case LOCAL_BLOCK_AAAA_WDATA:
		return j->q->type == RR_AAAA ? answer_negative(j, RCODE_NOERROR, true) : LOCAL_PASS;
	case LOCAL_TRANSPARENT:
	case LOCAL_INFORM:
		/* The name has data of another type: there is no such type (an empty non-terminal is left to the real zone). */
		return node != NULL && node->count > 0 ? answer_negative(j, RCODE_NOERROR, false) : LOCAL_PASS;
	case LOCAL_TYPETRANSPARENT:
	case LOCAL_ALWAYS_TRANSPARENT:
	case LOCAL_NODEFAULT:
	case LOCAL_NOVIEW:
	case LOCAL_TYPES:
		return LOCAL_PASS;
	}
	return LOCAL_PASS;
}

static void inform(const struct judgement *j, const struct endpoint *client)
{
	char zone[NAME_TEXT], name[NAME_TEXT], from[ENDPOINT_TEXT], type[RRTYPE_TEXT], rclass[RRTYPE_TEXT];

	log_limited(LOG_LEVEL_INFO, "%s %s %s %s %s %s", name_to_text(j->zone->named.name, zone), local_type_text(j->type),
	    endpoint_text(client, from), name_to_text(j->q->name, name), rrtype_text(j->q->type, type), rrclass_text(j->q->rclass, rclass));
}

/* The type that the longest matching override names, or the zone's own. */
static enum local_type type_for(const struct local_zone *zone, const struct addr *client)
{
	enum local_type t = zone->type;
	int longest = -1;

	for (const struct local_override *o = zone->overrides; o != NULL; o = o->next) {
		if (o->clients.len > longest && prefix_covers(&o->clients, client)) {
			longest = o->clients.len;
			t = o->type;
		}
	}
	return t;
}

enum local_verdict local_answer(const struct local_zones *z, const struct question *q, const struct endpoint *client, struct arena *a,
    struct answer *ret_answer, struct name *ret_follow)
{
	struct judgement j = { .z = z, .q = q, .arena = a, .answer = ret_answer, .follow = ret_follow };
	const struct local_node *node;
	enum local_verdict verdict;
	/* DS belongs to the parent's side of the cut (RFC 4035 section 3.1.4.1). */
	struct name within = rrtype_is_at_parent(q->type) && q->name.labels > 0 ? name_parent(q->name) : q->name;

	ret_follow->wire = NULL;
	j.zone = local_find_zone(z, within, q->rclass);
	if (j.zone == NULL)
		return LOCAL_PASS;
	j.type = type_for(j.zone, &client->a);
	if (j.type == LOCAL_INFORM || j.type == LOCAL_INFORM_DENY || j.type == LOCAL_INFORM_REDIRECT)
		inform(&j, client);
	node = local_find_node(z, is_redirect(j.type) ? j.zone->named.name : q->name, q->rclass);
	if (node == NULL || !uses_data(j.type) || !answer_from_data(&j, node, &verdict))
		verdict = judge_by_type(&j, node);
	if (verdict != LOCAL_PASS && z->log_actions && j.type != LOCAL_INFORM)
		inform(&j, client);
	return verdict;
}
