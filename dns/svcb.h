/* svcb.h: the parameters of SVCB and HTTPS RRs (RFC 9460) and the keys that are registered for them. Internal to dns/. */
#ifndef DNS_SVCB_H
#define DNS_SVCB_H

#include "base/cursor.h"
#include "base/own.h"

struct strbuf;

/* IANA "DNS SVCB Service Parameter Keys": all that are registered. */
enum {
	SVCB_MANDATORY = 0, SVCB_ALPN = 1, SVCB_NO_DEFAULT_ALPN = 2, SVCB_PORT = 3, SVCB_IPV4HINT = 4, SVCB_ECH = 5, SVCB_IPV6HINT = 6,
	SVCB_DOHPATH = 7, SVCB_OHTTP = 8, SVCB_TLS_SUPPORTED_GROUPS = 9, SVCB_DOCPATH = 10, SVCB_PVD = 11, SVCB_INVALID_KEY = 65535,
};

/* Reads all that is left: keys strictly rising, each value in the form of its key (section 2.2). Fails the reader otherwise. That what `mandatory`
 * lists is there, and that no-default-alpn comes with alpn, binds clients and zone authors: only svcb_parse asks for it. */
void svcb_skip(struct reader *r) NONNULL;
/* Prints " key=value" for each parameter of what svcb_skip has accepted. */
void svcb_print(struct span params, struct strbuf *out) NONNULL;

/* From text: put one parameter ("key" or "key=value", quotes taken off, escapes still in) after the other, then finish. */
struct svcb_params;
void svcb_params_free(struct svcb_params *p) TAKES(1);
struct svcb_params *svcb_params_new(void) OWNED_BY(svcb_params_free); /* NULL when out of memory */
DEFINE_AUTO(struct svcb_params, svcb_params_free)
/* ERR_FORMAT: *ret_msg says why; ERR_SPACE: more than an RR can hold. */
RESULT svcb_params_add(struct svcb_params *p, struct span key, bool has_value, struct span value, const char **ret_msg) NONNULL;
/* Sorts, checks the rules of section 8 and writes the parameters. */
RESULT svcb_params_write(struct svcb_params *p, struct writer *out, const char **ret_msg) NONNULL;

#endif
