/*
 * local.h: names that we answer ourselves: local-zone: (all of Unbound's types), local-data:, local-data-ptr:, /etc/hosts, the special names of RFC 6761 and
 * the empty zones of RFC 6303. An immutable tree, made from the configuration; a run-time change (local_zone, local_data verbs) makes a copy
 * that shares nothing, changes it, and publishes it like any other shared object. Consulted for each question before the answer cache; a miss costs one hash look-up per
 * label at most, and nothing at all when no zone exists under the top label.
 */
#ifndef RESOLVER_LOCAL_LOCAL_H
#define RESOLVER_LOCAL_LOCAL_H

#include "base/addr.h"
#include "dns/msg.h"
#include "resolver/core/answer.h"

struct local_zones;
struct conf;
struct conf_clause;
struct strbuf;

/* unbound.conf(5), local-zone. */
enum local_type {
	LOCAL_DENY, LOCAL_REFUSE, LOCAL_STATIC, LOCAL_TRANSPARENT, LOCAL_REDIRECT, LOCAL_NODEFAULT, LOCAL_TYPETRANSPARENT, LOCAL_INFORM, LOCAL_INFORM_DENY,
	LOCAL_INFORM_REDIRECT, LOCAL_ALWAYS_TRANSPARENT, LOCAL_BLOCK_A, LOCAL_BLOCK_AAAA, LOCAL_BLOCK_A_WDATA, LOCAL_BLOCK_AAAA_WDATA, LOCAL_ALWAYS_REFUSE, LOCAL_ALWAYS_NXDOMAIN,
	LOCAL_ALWAYS_NODATA, LOCAL_ALWAYS_NULL, LOCAL_ALWAYS_DENY, LOCAL_TRUNCATE, LOCAL_NOVIEW, LOCAL_TYPES
};
const char *local_type_text(enum local_type t) BORROWED;
RESULT local_type_parse(const char *text, enum local_type *ret_type) NONNULL;

enum local_verdict {
	LOCAL_PASS,   /* not ours: resolve it */
	LOCAL_ANSWER, /* ret_answer is filled */
	LOCAL_DROP,   /* deny: no answer at all */
	LOCAL_TRUNCATE_UDP, /* truncate: an empty answer with TC over UDP; resolve it over TCP */
};

void local_zones_free(struct local_zones *z) TAKES(1);
/* server: clause (views come with their issue). defaults: the built-in zones, unless switched off by nodefault or unblock-lan-zones. */
RESULT local_zones_make(const struct conf_clause *server, struct strbuf *report, struct local_zones **ret_zones) NONNULL;
DEFINE_AUTO(struct local_zones, local_zones_free)

/*
 * Judges a question of class IN or CH. client is for inform's log line. The answer lives in the arena; its sets may borrow from the zones. A CNAME in local data whose
 * target is not local gives LOCAL_ANSWER with the CNAME alone and *ret_follow set to the target, which the caller resolves and appends.
 */
enum local_verdict local_answer(const struct local_zones *z, const struct question *q, const struct endpoint *client, struct arena *a,
    struct answer *ret_answer, struct name *ret_follow) NONNULL;
/* Cheap first look on the way of a hit: false when no zone can hold the name, so that local_answer need not be called. */
bool local_may_match(const struct local_zones *z, struct name n) NONNULL;

/*
 * For the control socket. A copy that nobody else sees yet is changed as often as is wanted and then published; what was published is never changed.
 */
RESULT local_zones_copy(const struct local_zones *z, struct local_zones **ret_copy) NONNULL;
RESULT local_add_zone(struct local_zones *z, struct name zone, uint16_t rclass, enum local_type t) NONNULL;
/* The zone and all data below it, but for zones below. ERR_NOTFOUND. */
RESULT local_remove_zone(struct local_zones *z, struct name zone, uint16_t rclass) NONNULL;
/* An RR in presentation form. On ERR_FORMAT *ret_msg says what was expected. Data outside of every zone makes a transparent zone. */
RESULT local_add_data(struct local_zones *z, const char *rr_text, const char **ret_msg) NONNULL;
/* All RRs at owner. ERR_NOTFOUND when there are none. */
RESULT local_remove_data(struct local_zones *z, struct name owner, uint16_t rclass) NONNULL;
void local_print_zones(const struct local_zones *z, struct strbuf *out) NONNULL; /* "name type" lines, in canonical order */
void local_print_data(const struct local_zones *z, struct strbuf *out) NONNULL;  /* RRs, in canonical order */
size_t local_zone_count(const struct local_zones *z) NONNULL;

#endif
