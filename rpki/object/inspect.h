/*
 * inspect.h: any object looked at for people: what it is, what it says, whether it is valid, and every rule that it breaks. The chain up to a trust anchor is
 * looked for among certificates that the caller has at hand; nothing is fetched.
 */
#ifndef RPKI_OBJECT_INSPECT_H
#define RPKI_OBJECT_INSPECT_H

#include "rpki/object/aspa.h"
#include "rpki/object/cms.h"
#include "rpki/object/crl.h"
#include "rpki/object/ghostbusters.h"
#include "rpki/object/manifest.h"
#include "rpki/object/prefix_list.h"
#include "rpki/object/roa.h"
#include "rpki/object/rsc.h"
#include "rpki/object/tak.h"
#include "rpki/object/tal.h"

struct strbuf;

/* What is known of the certificates from the object up to a trust anchor. */
enum chain {
	CHAIN_ABSENT, /* the issuer is not at hand: its signature, times, revocation and resources are not looked at */
	CHAIN_BROKEN, /* the issuer is at hand, and is itself not valid, or its own issuers are not at hand */
	CHAIN_GOOD,
};
const char *chain_text(enum chain c) BORROWED;

struct inspect_context {
	int64_t now;
	const char *ignore BORROWED_FIELD;       /* names of rules, divided by commas; NULL: none */
	const struct span *certs BORROWED_FIELD; /* candidates for the chain, as they are in their files */
	size_t cert_count;
	const struct span *crls BORROWED_FIELD;  /* candidates for the issuer's CRL */
	size_t crl_count;
};

#define INSPECT_MAX_CHAIN 32

struct inspection {
	enum object_type type;
	bool valid;                  /* no rule is broken; the chain is told apart from that */
	enum chain state;
	struct report report;
	struct span whole;
	struct cert cert;            /* the certificate, or the EE certificate of a signed object */
	struct crl crl;
	struct cms cms;
	union {
		struct roa roa;
		struct manifest manifest;
		struct ghostbusters ghostbusters;
		struct aspa aspa;
		struct tak tak;
		struct rsc rsc;
		struct prefix_list prefix_list;
		struct tal tal;
	} u;
	struct resources effective;  /* with inherit resolved, when there is a chain */
	struct span chain[INSPECT_MAX_CHAIN]; /* the issuers' certificates, from the object upwards */
	size_t chain_count;
	bool readable;               /* the fields were read to the end */
};

/* name: of the file, for its suffix; it may be empty. All in the arena or the octets. ERR_NOTFOUND: ignore names a rule that is none; ERR_NOMEM. */
RESULT rpki_inspect(struct span octets, struct span name, const struct inspect_context *ctx, struct arena *a, struct inspection *ret) NONNULL;
/* Verdict, rules, fields: in words, or as one JSON object. */
void inspection_print(const struct inspection *i, const char *name, bool json, struct strbuf *out) NONNULL;

#endif
