/* build.c: making struct local_zones from the configuration, and changing a copy that is not published yet. */
#include "base/arena.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "conf/conf.h"
#include "dns/zonefile.h"
#include "resolver/local/zones.h"

#define LOCAL_TTL 3600 /* seconds, of data given without one, as Unbound has it */

void local_zones_free(struct local_zones *z)
{
	if (z == NULL)
		return;
	nametable_done(&z->zones);
	nametable_done(&z->nodes);
	nametable_done(&z->tops);
	arena_free(MOVE(z->arena));
	mem_free(z);
}

static RESULT fixed_sets(struct local_zones *z)
{
	static const uint8_t zeros[16];
	struct span a = span_of(zeros, 4), aaaa = span_of(zeros, 16);

	z->null_a = rrset_make_in(z->arena, name_root, RR_A, CLASS_IN, LOCAL_TTL, &a, 1, 0);
	z->null_aaaa = rrset_make_in(z->arena, name_root, RR_AAAA, CLASS_IN, LOCAL_TTL, &aaaa, 1, 0);
	return z->null_a != NULL && z->null_aaaa != NULL ? DONE : FAIL(ERR_NOMEM);
}

RESULT local_zones_new(struct local_zones **ret_zones)
{
	AUTO(local_zones_free) struct local_zones *z = (struct local_zones *)mem_alloc(sizeof *z);

	if (z == NULL)
		return FAIL(ERR_NOMEM);
	z->arena = arena_new(0);
	if (z->arena == NULL)
		return FAIL(ERR_NOMEM);
	TRY(fixed_sets(z));
	*ret_zones = MOVE(z);
	return DONE;
}

static RESULT note_top(struct local_zones *z, struct name zone)
{
	struct named *top;

	if (zone.labels == 0) {
		z->root_zone = true;
		return DONE;
	}
	if (nametable_get(&z->tops, name_suffix(zone, 1), 0) != NULL)
		return DONE;
	top = arena_alloc(z->arena, sizeof *top);
	if (top == NULL)
		return FAIL(ERR_NOMEM);
	top->name = name_suffix(zone, 1);
	return nametable_add(&z->tops, top);
}

static RESULT put_zone(struct local_zones *z, struct name zone, uint16_t rclass, enum local_type t, bool implicit)
{
	struct local_zone *lz = local_zone_of(nametable_get(&z->zones, zone, rclass));

	if (lz == NULL) {
		lz = arena_alloc(z->arena, sizeof *lz);
		if (lz == NULL)
			return FAIL(ERR_NOMEM);
		lz->named.name = name_dup_in(z->arena, zone);
		lz->named.rclass = rclass;
		lz->gone = true;
		if (lz->named.name.wire == NULL)
			return FAIL(ERR_NOMEM);
		TRY(note_top(z, lz->named.name));
		TRY(nametable_add(&z->zones, &lz->named));
	}
	if (lz->gone)
		z->zone_count++;
	lz->gone = false;
	lz->type = t;
	lz->implicit = implicit;
	if (zone.labels > z->max_labels)
		z->max_labels = zone.labels;
	return DONE;
}

RESULT local_add_zone(struct local_zones *z, struct name zone, uint16_t rclass, enum local_type t)
{
	return put_zone(z, zone, rclass, t, false);
}

RESULT local_add_override(struct local_zones *z, struct name zone, uint16_t rclass, const struct prefix *clients, enum local_type t)
{
	struct local_zone *lz = local_zone_of(nametable_get(&z->zones, zone, rclass));
	struct local_override *o;

	if (lz == NULL || lz->gone)
		return FAIL(ERR_NOTFOUND);
	for (o = lz->overrides; o != NULL; o = o->next) {
		if (o->clients.len == clients->len && addr_equal(&o->clients.a, &clients->a)) {
			o->type = t; /* the last word counts, and the order of the others does not */
			return DONE;
		}
	}
	o = arena_alloc(z->arena, sizeof *o);
	if (o == NULL)
		return FAIL(ERR_NOMEM);
	*o = (struct local_override){ lz->overrides, *clients, t };
	lz->overrides = o;
	return DONE;
}

static RESULT node_at(struct local_zones *z, struct name name, uint16_t rclass, struct local_node **ret_node)
{
	struct local_node *node = local_node_of(nametable_get(&z->nodes, name, rclass));

	if (node == NULL) {
		node = arena_alloc(z->arena, sizeof *node);
		if (node == NULL)
			return FAIL(ERR_NOMEM);
		node->named.name = name_dup_in(z->arena, name);
		node->named.rclass = rclass;
		if (node->named.name.wire == NULL)
			return FAIL(ERR_NOMEM);
		TRY(nametable_add(&z->nodes, &node->named));
	}
	*ret_node = node;
	return DONE;
}

/* The set with one more RR. NULL: out of memory. */
static const struct rrset *extended(struct local_zones *z, const struct rrset *old, const struct local_node *node, uint16_t type, uint32_t ttl,
    struct span rdata) IN_ARENA;
static const struct rrset *extended(struct local_zones *z, const struct rrset *old, const struct local_node *node, uint16_t type, uint32_t ttl,
    struct span rdata)
{
	size_t had = old == NULL ? 0 : old->count;
	struct span *all;
	struct rrset *made;

	if (had == UINT16_MAX)
		return NULL;
	all = arena_alloc_array(z->arena, had + 1, sizeof *all);
	if (all == NULL)
		return NULL;
	for (size_t i = 0; i < had; i++)
		all[i] = rrset_rdata(old, i);
	all[had] = rdata;
	if (old != NULL && old->ttl < ttl)
		ttl = old->ttl; /* one TTL for a set: RFC 2181 section 5.2 */
	made = rrset_make_in(z->arena, node->named.name, type, node->named.rclass, ttl, all, had + 1, 0);
	if (made != NULL) {
		made->rank = RANK_LOCAL;
		made->security = SECURITY_INSECURE;
	}
	return made;
}

static RESULT add_to_node(struct local_zones *z, struct local_node *node, uint16_t type, uint32_t ttl, struct span rdata)
{
	size_t i = 0;
	const struct rrset *made;

	while (i < node->count && node->sets[i]->type != type)
		i++;
	made = extended(z, i < node->count ? node->sets[i] : NULL, node, type, ttl, rdata);
	if (made == NULL)
		return FAIL(ERR_NOMEM);
	if (i == node->count) {
		const struct rrset **sets = arena_alloc_array(z->arena, node->count + 1, sizeof *sets);

		if (sets == NULL)
			return FAIL(ERR_NOMEM);
		for (size_t k = 0; k < node->count; k++)
			sets[k] = node->sets[k];
		node->sets = sets;
		node->count++;
	}
	node->sets[i] = made;
	return DONE;
}

/* The first data at a name: all names above it exist now as well. */
static RESULT note_above(struct local_zones *z, struct name owner, uint16_t rclass)
{
	for (unsigned int k = owner.labels; k > 0; k--) {
		struct local_node *node;

		TRY(node_at(z, name_suffix(owner, k - 1), rclass, &node));
		node->below++;
	}
	return DONE;
}

static void forget_data(struct local_zones *z, struct local_node *node)
{
	if (node->count == 0)
		return;
	node->count = 0;
	for (unsigned int k = node->named.name.labels; k > 0; k--) {
		struct named *above = nametable_get(&z->nodes, name_suffix(node->named.name, k - 1), node->named.rclass);

		if (above != NULL && local_node_of(above)->below > 0)
			local_node_of(above)->below--;
	}
}

RESULT local_add_rr(struct local_zones *z, struct name owner, uint16_t type, uint16_t rclass, uint32_t ttl, struct span rdata)
{
	struct local_node *node;
	bool first;

	if (local_find_zone(z, owner, rclass) == NULL)
		TRY(put_zone(z, owner, rclass, LOCAL_TRANSPARENT, true));
	TRY(node_at(z, owner, rclass, &node));
	first = node->count == 0;
	TRY(add_to_node(z, node, type, ttl, rdata));
	return first ? note_above(z, owner, rclass) : DONE;
}

RESULT local_add_data(struct local_zones *z, const char *rr_text, const char **ret_msg)
{
	uint8_t room[UINT16_MAX];
	struct writer w = writer_of(room, sizeof room);
	struct name_buf owner;
	struct zone_rr rr;

	*ret_msg = "";
	TRY(zone_read_rr(rr_text, name_root, LOCAL_TTL, &owner, &rr, &w, ret_msg));
	return local_add_rr(z, name_of(&owner), rr.type, rr.rclass, rr.ttl, rr.rdata);
}

RESULT local_remove_data(struct local_zones *z, struct name owner, uint16_t rclass)
{
	struct local_node *node = local_node_of(nametable_get(&z->nodes, owner, rclass));

	if (node == NULL || node->count == 0)
		return FAIL(ERR_NOTFOUND);
	forget_data(z, node);
	return DONE;
}

RESULT local_remove_zone(struct local_zones *z, struct name zone, uint16_t rclass)
{
	struct local_zone *lz = local_zone_of(nametable_get(&z->zones, zone, rclass));

	if (lz == NULL || lz->gone)
		return FAIL(ERR_NOTFOUND);
	for (size_t i = 0; i < z->nodes.slots; i++) {
		struct local_node *node = local_node_of(z->nodes.slot[i]);

		if (node != NULL && node->named.rclass == rclass && local_find_zone(z, node->named.name, rclass) == lz)
			forget_data(z, node);
	}
	lz->gone = true;
	lz->overrides = NULL; /* a zone of that name that is made later is another one, as it would be in a copy */
	z->zone_count--;
	return DONE;
}

size_t local_zone_count(const struct local_zones *z)
{
	return z->zone_count;
}

RESULT local_zones_copy(const struct local_zones *z, struct local_zones **ret_copy)
{
	AUTO(local_zones_free) struct local_zones *copy = NULL;

	TRY(local_zones_new(&copy));
	copy->log_actions = z->log_actions;
	for (size_t i = 0; i < z->zones.slots; i++) {
		const struct local_zone *lz = local_zone_of(z->zones.slot[i]);

		if (lz == NULL || lz->gone)
			continue;
		TRY(put_zone(copy, lz->named.name, lz->named.rclass, lz->type, lz->implicit));
		for (const struct local_override *o = lz->overrides; o != NULL; o = o->next)
			TRY(local_add_override(copy, lz->named.name, lz->named.rclass, &o->clients, o->type));
	}
	for (size_t i = 0; i < z->nodes.slots; i++) {
		const struct local_node *node = local_node_of(z->nodes.slot[i]);
		struct local_node *made;

		if (node == NULL || node->count == 0)
			continue;
		TRY(node_at(copy, node->named.name, node->named.rclass, &made));
		made->sets = arena_alloc_array(copy->arena, node->count + 1, sizeof *made->sets);
		if (made->sets == NULL)
			return FAIL(ERR_NOMEM);
		for (; made->count < node->count; made->count++) {
			made->sets[made->count] = rrset_copy_in(copy->arena, node->sets[made->count]);
			if (made->sets[made->count] == NULL)
				return FAIL(ERR_NOMEM);
		}
		TRY(note_above(copy, node->named.name, node->named.rclass));
	}
	*ret_copy = MOVE(copy);
	return DONE;
}

/* ---- from the configuration ------------------------------------------------------------------------------------------------------- */

static RESULT conf_zones(struct local_zones *z, const struct conf_clause *server, struct strbuf *report)
{
	for (size_t i = 0; i < conf_count(server, OPT_LOCAL_ZONE); i++) {
		const char *text = conf_word(server, OPT_LOCAL_ZONE, i, 0), *type = conf_word(server, OPT_LOCAL_ZONE, i, 1);
		struct name_buf name;
		enum local_type t;

		if (text == NULL || type == NULL || !OK(name_from_text(text, NULL, &name)) || !OK(local_type_parse(type, &t))) {
			strbuf_printf(report, "%s: error: local-zone: found \"%s %s\", expected a name and a type such as static\n",
			    conf_where(server, OPT_LOCAL_ZONE, i), text == NULL ? "" : text, type == NULL ? "" : type);
			continue;
		}
		TRY(put_zone(z, name_of(&name), CLASS_IN, t, false));
	}
	return DONE;
}

static RESULT conf_overrides(struct local_zones *z, const struct conf_clause *server, struct strbuf *report)
{
	for (size_t i = 0; i < conf_count(server, OPT_LOCAL_ZONE_OVERRIDE); i++) {
		const char *word[3];
		struct name_buf name;
		struct prefix clients;
		enum local_type t;
		struct result r = FAIL(ERR_FORMAT);

		for (size_t w = 0; w < 3; w++)
			word[w] = conf_word(server, OPT_LOCAL_ZONE_OVERRIDE, i, w);
		if (word[0] != NULL && word[1] != NULL && word[2] != NULL && OK(name_from_text(word[0], NULL, &name)) &&
		    OK(prefix_parse(word[1], &clients)) && OK(local_type_parse(word[2], &t)))
			r = local_add_override(z, name_of(&name), CLASS_IN, &clients, t);
		if (r.e == ERR_NOMEM)
			return r;
		if (!OK(r))
			strbuf_printf(report, "%s: error: local-zone-override: found \"%s\", expected the name of a local-zone, a netblock and a type\n",
			    conf_where(server, OPT_LOCAL_ZONE_OVERRIDE, i), conf_item(server, OPT_LOCAL_ZONE_OVERRIDE, i));
	}
	return DONE;
}

static RESULT conf_data(struct local_zones *z, const struct conf_clause *server, struct strbuf *report)
{
	const char *msg = "";

	for (size_t i = 0; i < conf_count(server, OPT_LOCAL_DATA); i++) {
		struct result r = local_add_data(z, conf_item(server, OPT_LOCAL_DATA, i), &msg);

		if (r.e == ERR_NOMEM)
			return r;
		if (!OK(r))
			strbuf_printf(report, "%s: error: local-data: found \"%s\", expected %s\n", conf_where(server, OPT_LOCAL_DATA, i),
			    conf_item(server, OPT_LOCAL_DATA, i), msg);
	}
	for (size_t i = 0; i < conf_count(server, OPT_LOCAL_DATA_PTR); i++) {
		struct result r = local_add_ptr(z, conf_item(server, OPT_LOCAL_DATA_PTR, i), &msg);

		if (r.e == ERR_NOMEM)
			return r;
		if (!OK(r))
			strbuf_printf(report, "%s: error: local-data-ptr: found \"%s\", expected %s\n", conf_where(server, OPT_LOCAL_DATA_PTR, i),
			    conf_item(server, OPT_LOCAL_DATA_PTR, i), msg);
	}
	return DONE;
}

static RESULT conf_hosts(struct local_zones *z, const struct conf_clause *server, struct strbuf *report)
{
	for (size_t i = 0; i < conf_count(server, OPT_HOSTS_FILE); i++) {
		const char *path = conf_item(server, OPT_HOSTS_FILE, i);
		struct result r;

		if (path[0] == '\0')
			continue;
		r = local_add_hosts(z, path, report);
		if (r.e == ERR_NOMEM)
			return r;
		if (!OK(r))
			strbuf_printf(report, "%s: warning: hosts-file: \"%s\" cannot be read: %s\n", conf_where(server, OPT_HOSTS_FILE, i), path,
			    err_text(r.e));
	}
	return DONE;
}

RESULT local_zones_make(const struct conf_clause *server, struct strbuf *report, struct local_zones **ret_zones)
{
	AUTO(local_zones_free) struct local_zones *z = NULL;

	TRY(local_zones_new(&z));
	z->log_actions = conf_bool(server, OPT_LOG_LOCAL_ACTIONS);
	/* The operator's zones first: a default zone of the same name is left out, whatever their type. */
	TRY(conf_zones(z, server, report));
	TRY(local_add_defaults(z, !conf_bool(server, OPT_UNBLOCK_LAN_ZONES)));
	TRY(conf_overrides(z, server, report));
	TRY(conf_data(z, server, report));
	TRY(conf_hosts(z, server, report));
	*ret_zones = MOVE(z);
	return DONE;
}
