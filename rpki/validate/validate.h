/*
 * validate.h: from trust anchors to payloads. Publication points are validated in parallel; each yields all or nothing (RFC 9286 section 6.6): its products are told to the sink when the whole
 * point has been looked at. Nothing here fetches, and the time is an argument: the same objects at the same time give the same payloads, however many threads there are.
 */
#ifndef RPKI_VALIDATE_VALIDATE_H
#define RPKI_VALIDATE_VALIDATE_H

#include "rpki/object/resources.h"
#include "rpki/object/rule.h"
#include "rpki/validate/objects.h"

struct roa;

/* Each bounds what one CA, or all below it, can make of work. Those that bite are counted. Defaults are above the largest that is met. */
struct validate_limits {
	unsigned int depth;    /* CAs from the trust anchor down to an object's; 32 */
	uint32_t branch;       /* publication points below one member of a registry, itself included; 50,000 */
	uint32_t files;        /* on one manifest; 100,000 */
	uint32_t children;     /* CA certificates of one CA; 100,000 */
	uint32_t payloads;     /* prefixes of ROAs, AS numbers of router keys and providers of ASPAs of one CA, together; 500,000 */
	uint32_t object;       /* octets; 16 MiB */
};
struct validate_limits validate_limits_default(void);

/* What a product comes from: for formats that tell it. Spans and texts last as long as the call. */
struct origin {
	const char *tal BORROWED_FIELD;
	struct span uri;                             /* of the object */
	int64_t not_before, not_after;               /* of its own certificate */
	int64_t chain_not_before, chain_not_after;   /* of all certificates up to the trust anchor together */
	int64_t stale;                               /* when the first manifest or CRL on the way ends */
};

/* What a publication point wants: as it is published, whatever serves instead. */
enum wanting { WANTING_MANIFEST /* none is there */, WANTING_FRESH_MANIFEST /* its nextUpdate is over */, WANTING_FRESH_CRL, WANTINGS };

/* Lasts as long as the call. */
struct told_point {
	struct span repository, notify; /* where it is; notify.n 0: rsync alone has it */
	struct span cert;               /* where its CA's certificate is; n 0: it is a trust anchor's */
	bool failed, kept;              /* failed: nothing of it counts; kept: its last good state does */
	const uint64_t *valid BORROWED_FIELD, *invalid BORROWED_FIELD; /* COUNTED of each */
	const bool *wanting BORROWED_FIELD;                            /* WANTINGS of them */
};

struct validate_sink;
/* Called by any thread, by one at a time. An error ends the run. */
struct validate_sink_ops {
	RESULT (*roa)(struct validate_sink *s, const struct origin *o, const struct roa *roa);
	RESULT (*aspa)(struct validate_sink *s, const struct origin *o, uint32_t customer, const uint32_t *providers, size_t n);
	RESULT (*router_key)(struct validate_sink *s, const struct origin *o, uint32_t as, struct span ski, struct span spki);
	/* What was refused, and why: one line for an object, without its name. */
	void (*refused)(struct validate_sink *s, const char *tal, struct span uri, const char *why);
	/* A publication point was looked at. May be NULL. */
	RESULT (*point)(struct validate_sink *s, const struct told_point *p);
	/* A publication point failed, of a CA with these effective resources. May be NULL. */
	RESULT (*unsafe)(struct validate_sink *s, const struct resources *r);
};
struct validate_sink {
	const struct validate_sink_ops *ops SHARED_FIELD;
};

struct anchor_locator {
	const char *name BORROWED_FIELD; /* of the locator's file, without ".tal" */
	struct span text;
};

enum counted { COUNTED_CERT, COUNTED_CRL, COUNTED_MANIFEST, COUNTED_ROA, COUNTED_ASPA, COUNTED_ROUTER, COUNTED_GHOSTBUSTERS, COUNTED_TAK, COUNTED_OTHER, COUNTED };

struct anchor_result {
	bool usable;                       /* its certificate was there and valid, and its own publication point too */
	uint64_t points, points_failed;    /* failed: neither what is published is good, nor what was */
	uint64_t points_remembered;        /* nothing of them was looked at: what was remembered holds */
	uint64_t points_kept;              /* what is published is not good, and the last good state was used */
	uint64_t valid[COUNTED], invalid[COUNTED];
	uint64_t wanting[WANTINGS];        /* publication points */
	uint64_t payloads;                 /* told to the sink, duplicates included */
	uint64_t limits;                   /* times that a limit has bitten */
	int64_t not_after;                 /* of the trust anchor's certificate */
};

/* A publication point that is about to be looked at. */
struct validate_point {
	size_t anchor;
	struct span notify, manifest;                       /* URIs; notify.n 0: none */
	uint32_t *branch_repositories BORROWED_FIELD; /* the gate's own count for all below one member of a registry; NULL near the trust anchor */
};

/*
 * Who says when a point may be looked at, while repositories are being fetched. Both are called by any thread, by one at a time, with the run's lock: they call nothing of the run.
 */
struct validate_gate {
	/* False: the point waits for validate_release() of *ret_place, a number from 0 on, without large gaps. */
	bool (*may_pass)(struct validate_gate *g, const struct validate_point *p, uint32_t *ret_place);
	/* Nobody is at work, and nothing is to be done but what waits. */
	void (*idle)(struct validate_gate *g);
};

struct validate_options {
	int64_t now;
	unsigned int threads;              /* at least 1 */
	struct validate_limits limits;
	const struct objects *objects BORROWED_FIELD;
	struct validate_sink *sink BORROWED_FIELD;
	struct objects_keeper *keeper BORROWED_FIELD; /* gets the last good state of each publication point (RFC 9286 section 6.6); NULL: nothing is kept */
	struct validate_gate *gate BORROWED_FIELD; /* NULL: nobody waits */
	const struct anchor_locator *anchors BORROWED_FIELD;
	size_t anchor_count;
};

/* ret: one for each anchor. What is wrong with objects is no error. ERR_NOMEM, ERR_SYSTEM, or what the sink gave: the run was not finished. */
RESULT validate_run(const struct validate_options *o, struct anchor_result *ret) NONNULL;

/*
 * The same in pieces, for a run that fetches: validate_begin() starts threads, which wait; validate_anchor() gives them a trust anchor, from what is there now; validate_release() the points
 * that wait at a place, for which the gate is asked again. When validate_is_idle() says so and nothing is left to be released, validate_end(). All by one thread.
 */
struct validation;
/* o is copied, but not what it points to. results: one for each anchor, until the end. ERR_NOMEM, ERR_SYSTEM: no thread. */
RESULT validate_begin(const struct validate_options *o, struct anchor_result *results, struct validation **ret) NONNULL;
RESULT validate_anchor(struct validation *v, size_t at) NONNULL;
void validate_release(struct validation *v, uint32_t place) NONNULL;
bool validate_is_idle(struct validation *v) NONNULL; /* or an error has stopped it: */
bool validate_has_failed(struct validation *v) NONNULL;
/* Waits for the threads. What still waits at a place was not looked at. The run's error, as of validate_run(). */
RESULT validate_end(struct validation *v) TAKES(1) NONNULL;
void validate_abort(struct validation *v) TAKES(1); /* without a result */

#endif
