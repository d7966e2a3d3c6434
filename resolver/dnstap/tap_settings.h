/* tap_settings.h: the dnstap: clause in the form in which it is used. Part of a plan (plan.h): immutable. */
#ifndef RESOLVER_DNSTAP_TAP_SETTINGS_H
#define RESOLVER_DNSTAP_TAP_SETTINGS_H

#include "base/addr.h"
#include "conf/conf.h"

#define TAP_PORT 3333u /* of dnstap-ip without one, as Unbound has it */

struct tap_settings {
	uint32_t wanted;                 /* 1 << enum tap_type; 0: nothing is told */
	uint32_t sample;                 /* one message in so many; 0 and 1: all */
	char *identity OWNED_FIELD;      /* NULL: not told */
	char *version OWNED_FIELD;       /* NULL: not told */
	size_t queue_octets;             /* of each worker */
	/* Where to. */
	char *path OWNED_FIELD;          /* of a Unix socket, as it is called after chroot; NULL: `at` */
	struct endpoint at;
	bool bidirectional;
	bool tls;
	char *tls_name OWNED_FIELD;      /* whom the certificate must be for; NULL: the address */
	char *tls_bundle OWNED_FIELD;    /* NULL: the system's */
	char *tls_key OWNED_FIELD, *tls_certificate OWNED_FIELD; /* both, or NULL */
};

void tap_settings_free(struct tap_settings *s) TAKES(1);
/* What is wrong is added to report; ERR_FORMAT, ERR_NOMEM. */
RESULT tap_settings_make(const struct conf *c, struct strbuf *report, struct tap_settings **ret) NONNULL;
DEFINE_AUTO(struct tap_settings, tap_settings_free)
/* Do both send to the same place, in the same way? */
bool tap_settings_same_place(const struct tap_settings *a, const struct tap_settings *b) NONNULL;

#endif
