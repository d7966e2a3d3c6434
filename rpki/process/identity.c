#include "rpki/process/identity.h"

#include <errno.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#define WHY_OCTETS 4096u

bool identity_wanted(const struct conf *c)
{
	return conf_count(conf_single(c, CLAUSE_RTR), OPT_RTR_TLS_INTERFACE) > 0;
}

/* Four octets of length, and the octets. No path: of length 0. */
static RESULT gather_one(const struct conf_clause *rtr, enum conf_opt option, const char *name, bool needed, struct strbuf *out)
{
	const char *path = conf_text(rtr, option);
	AUTO_CHARS char *text = NULL;
	uint8_t length[4] = { 0 };
	size_t n = 0;

	if (path == NULL || *path == '\0') {
		if (needed)
			log_error("rtr: tls-interface: needs %s:", name);
		strbuf_add(out, length, sizeof length);
		return needed ? FAIL(ERR_FORMAT) : DONE;
	}
	if (!OK(file_read_all(path, IDENTITY_OCTETS / 4, &text, &n))) {
		log_error("%s: %s cannot be read: %s", name, path, strerror(errno));
		return FAIL(ERR_SYSTEM);
	}
	store32(length, (uint32_t)n);
	strbuf_add(out, length, sizeof length);
	strbuf_add(out, text, n);
	return DONE;
}

RESULT identity_gather(const struct conf *c, struct strbuf *out)
{
	const struct conf_clause *rtr = conf_single(c, CLAUSE_RTR);

	TRY(gather_one(rtr, OPT_RTR_TLS_CERTIFICATE, "tls-certificate", true, out));
	TRY(gather_one(rtr, OPT_RTR_TLS_KEY, "tls-key", true, out));
	TRY(gather_one(rtr, OPT_RTR_TLS_CLIENT_CA, "tls-client-ca", false, out));
	return strbuf_result(out);
}

RESULT identity_use(struct span gathered, bool client_address, struct tls_identity **ret)
{
	AUTO(strbuf_free) struct strbuf *why = strbuf_new(WHY_OCTETS);
	struct reader r = reader_of(gathered);
	struct tls_identity_pem pem = { .client_address = client_address };
	struct result x;

	if (why == NULL)
		return FAIL(ERR_NOMEM);
	pem.certificate = read_span(&r, read32(&r));
	pem.key = read_span(&r, read32(&r));
	pem.client_ca = read_span(&r, read32(&r));
	if (!reader_ok(&r))
		return FAIL(ERR_FORMAT);
	x = tls_identity_new(&pem, why, ret);
	if (!OK(x))
		log_error("rtr: TLS: %s", strbuf_text(why));
	return x;
}
