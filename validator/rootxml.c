#include "validator/rootxml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/libcms.h"
#include "base/libexpat.h"
#include "base/strbuf.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "validator/ds.h"

enum field { FIELD_NONE, FIELD_ZONE, FIELD_TAG, FIELD_ALGORITHM, FIELD_DIGEST_TYPE, FIELD_DIGEST, FIELD_PUBLIC, FIELD_FLAGS };

static const struct {
	const char *name BORROWED_FIELD;
	enum field field;
} fields[] = {
	{ "KeyTag", FIELD_TAG }, { "Algorithm", FIELD_ALGORITHM }, { "DigestType", FIELD_DIGEST_TYPE }, { "Digest", FIELD_DIGEST }, { "PublicKey", FIELD_PUBLIC },
	{ "Flags", FIELD_FLAGS },
};
#define FIELDS (FIELD_FLAGS + 1)

struct xml {
	XML_Parser parser BORROWED_FIELD;
	const char *where BORROWED_FIELD;
	struct strbuf *report BORROWED_FIELD;
	struct strbuf *out BORROWED_FIELD;
	int64_t wall;
	struct result result;        /* the first that went wrong */
	unsigned int depth;
	enum field field;            /* whose text is read */
	struct strbuf *text[FIELDS] OWNED_FIELD; /* of this key; a field that was not given is empty */
	bool in_key, usable;         /* this KeyDigest is valid now */
	bool zone;                   /* <Zone> was there, and was the root */
	unsigned int keys, taken;
};

static void stop(struct xml *x, enum err e)
{
	if (OK(x->result))
		x->result = FAIL(e);
	(void)XML_StopParser(x->parser, XML_FALSE);
}

static void wrong(struct xml *x, const char *found, const char *expected)
{
	if (OK(x->result))
		strbuf_printf(x->report, "%s:%lu: found %s, expected %s\n", x->where, (unsigned long)XML_GetCurrentLineNumber(x->parser), found, expected);
	stop(x, ERR_FORMAT);
}

/* "2017-02-02T00:00:00+00:00" or with Z (RFC 3339). */
static bool read_date(const char *s, int64_t *ret)
{
	unsigned int hour = 0, minute = 0;
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	char digits[15];
	size_t n = 0;
	int sign = 0;

	for (size_t i = 0; form[i] != '\0'; i++, s++) {
		if (form[i] == 'd' ? *s < '0' || *s > '9' : *s != form[i])
			return false;
		if (form[i] == 'd')
			digits[n++] = *s;
	}
	digits[n] = '\0';
	if (strcmp(s, "Z") != 0) {
		if ((*s != '+' && *s != '-') || strlen(s) != 6 || strspn(s + 1, "0123456789") != 2 || s[3] != ':' || strspn(s + 4, "0123456789") != 2)
			return false;
		sign = *s == '+' ? 1 : -1;
		hour = (unsigned int)(s[1] - '0') * 10 + (unsigned int)(s[2] - '0');
		minute = (unsigned int)(s[4] - '0') * 10 + (unsigned int)(s[5] - '0');
	}
	if (!OK(clock_parse(digits, ret)))
		return false;
	*ret -= sign * (int64_t)(hour * 3600 + minute * 60);
	return true;
}

/* The attributes of a KeyDigest. */
static void begin_key(struct xml *x, const XML_Char **attributes)
{
	int64_t when;

	x->in_key = x->usable = true;
	for (size_t i = 0; i < FIELDS; i++)
		strbuf_clear(x->text[i]);
	if (++x->keys > ROOTXML_KEYS) {
		wrong(x, "too many keys", "no more than 64");
		return;
	}
	for (size_t i = 0; attributes[i] != NULL; i += 2) {
		bool from = strcmp(attributes[i], "validFrom") == 0, until = strcmp(attributes[i], "validUntil") == 0;

		if (!from && !until)
			continue;
		if (!read_date(attributes[i + 1], &when)) {
			wrong(x, "a date of another form", "YYYY-MM-DDTHH:MM:SS+HH:MM");
			return;
		}
		if (from ? x->wall < when : x->wall >= when)
			x->usable = false;
	}
}

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attributes)
{
	struct xml *x = user;

	x->depth++;
	x->field = FIELD_NONE;
	if (x->depth == 1 && strcmp(name, "TrustAnchor") != 0)
		wrong(x, "another document", "TrustAnchor");
	else if (x->depth == 2 && strcmp(name, "Zone") == 0)
		x->field = FIELD_ZONE;
	else if (x->depth == 2 && strcmp(name, "KeyDigest") == 0)
		begin_key(x, attributes);
	else if (x->depth == 3 && x->in_key) {
		for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
			if (strcmp(fields[i].name, name) == 0)
				x->field = fields[i].field;
		}
		if (x->field != FIELD_NONE && strbuf_len(x->text[x->field]) > 0)
			wrong(x, "an element twice", "one of each in a KeyDigest");
	} else if (x->depth > 3) {
		wrong(x, "elements in elements", "no more than three deep");
	}
}

static void XMLCALL on_text(void *user, const XML_Char *s, int n)
{
	struct xml *x = user;

	if (x->field == FIELD_NONE)
		return;
	/* blanks mean nothing in any of them */
	for (int i = 0; i < n; i++) {
		if (strchr(" \t\r\n", s[i]) == NULL)
			strbuf_putc(x->text[x->field], s[i]);
	}
	if (!strbuf_ok(x->text[x->field]))
		wrong(x, "an element that is too long", "at most 4096 octets");
}

/* Decimal. false: no number, or above max. */
static bool number(const struct strbuf *b, unsigned int max, unsigned int *ret)
{
	const char *s = strbuf_text(b);
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (*s < '0' || *s > '9' || *end != '\0' || v > max)
		return false;
	*ret = (unsigned int)v;
	return true;
}

/* The rdata of a DNSKEY with that public key. */
static bool public_rdata(struct xml *x, unsigned int flags, unsigned int algorithm, uint8_t *room, size_t size, struct span *ret)
{
	AUTO(strbuf_free) struct strbuf *text = strbuf_new(2 * ROOTXML_FIELD);
	struct writer w = writer_of(room, size);
	const char *msg;

	if (text == NULL) {
		stop(x, ERR_NOMEM);
		return false;
	}
	strbuf_printf(text, "%u 3 %u %s", flags, algorithm, strbuf_text(x->text[FIELD_PUBLIC]));
	if (!strbuf_ok(text) || !OK(rdata_parse(RR_DNSKEY, strbuf_text(text), NULL, &w, &msg)))
		return false;
	*ret = span_of(room, w.pos);
	return true;
}

static void check_public(struct xml *x, struct span ds_rdata, unsigned int algorithm)
{
	uint8_t room[ROOTXML_FIELD + 4];
	unsigned int flags = 257;
	struct work work = { WORK_UNIT };
	struct span key;
	struct ds ds;

	if (strbuf_len(x->text[FIELD_FLAGS]) > 0 && !number(x->text[FIELD_FLAGS], UINT16_MAX, &flags))
		wrong(x, "flags that are no number", "a number");
	else if (!public_rdata(x, flags, algorithm, room, sizeof room, &key))
		wrong(x, "a public key that cannot be read", "base64");
	else if (!OK(ds_parse(ds_rdata, &ds)) || !OK(ds_matches(&ds, name_root, key, &work)))
		wrong(x, "a public key that the digest is not of", "one that matches");
}

static void end_key(struct xml *x)
{
	unsigned int tag, algorithm, type;
	uint8_t room[ROOTXML_FIELD];
	struct writer w = writer_of(room, sizeof room);
	AUTO(strbuf_free) struct strbuf *text = NULL;
	const char *msg;

	x->in_key = false;
	if (!number(x->text[FIELD_TAG], UINT16_MAX, &tag) || !number(x->text[FIELD_ALGORITHM], UINT8_MAX, &algorithm) ||
	    !number(x->text[FIELD_DIGEST_TYPE], UINT8_MAX, &type)) {
		wrong(x, "a KeyDigest without its numbers", "KeyTag, Algorithm and DigestType");
		return;
	}
	text = strbuf_new(2 * ROOTXML_FIELD);
	if (text == NULL) {
		stop(x, ERR_NOMEM);
		return;
	}
	strbuf_printf(text, "%u %u %u %s", tag, algorithm, type, strbuf_text(x->text[FIELD_DIGEST]));
	if (strbuf_len(x->text[FIELD_DIGEST]) == 0 || !strbuf_ok(text) || !OK(rdata_parse(RR_DS, strbuf_text(text), NULL, &w, &msg))) {
		wrong(x, "a digest that cannot be read", "hexadecimal digits");
		return;
	}
	if (strbuf_len(x->text[FIELD_PUBLIC]) > 0)
		check_public(x, span_of(room, w.pos), algorithm);
	if (!x->usable || !OK(x->result))
		return;
	x->taken++;
	strbuf_puts(x->out, ". IN DS ");
	rdata_print(RR_DS, span_of(room, w.pos), x->out);
	strbuf_putc(x->out, '\n');
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
	struct xml *x = user;

	if (x->depth == 2 && x->in_key) {
		end_key(x);
	} else if (x->depth == 2 && strcmp(name, "Zone") == 0) {
		x->zone = strcmp(strbuf_text(x->text[FIELD_ZONE]), ".") == 0;
		if (!x->zone)
			wrong(x, "anchors of another zone", "the root's");
	}
	x->depth--;
	x->field = FIELD_NONE;
}

static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid, int has_subset)
{
	(void)name, (void)sysid, (void)pubid, (void)has_subset;
	wrong(user, "a document type declaration", "none");
}

static void xml_done(struct xml *x)
{
	for (size_t i = 0; i < FIELDS; i++)
		strbuf_free(MOVE(x->text[i]));
}

static struct result run(struct xml *x, struct span text)
{
	XML_SetUserData(x->parser, x);
	XML_SetElementHandler(x->parser, on_start, on_end);
	XML_SetCharacterDataHandler(x->parser, on_text);
	XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
	if (XML_Parse(x->parser, (const char *)text.p, (int)text.n, 1) == XML_STATUS_OK)
		return x->result;
	if (!OK(x->result))
		return x->result;
	if (XML_GetErrorCode(x->parser) == XML_ERROR_NO_MEMORY)
		return FAIL(ERR_NOMEM);
	strbuf_printf(x->report, "%s:%lu: found no XML (%s), expected that of RFC 9718\n", x->where, (unsigned long)XML_GetCurrentLineNumber(x->parser),
	    XML_ErrorString(XML_GetErrorCode(x->parser)));
	return FAIL(ERR_FORMAT);
}

struct result rootxml_text(const char *where, struct span text, int64_t wall, struct strbuf *out, struct strbuf *report)
{
	AUTO(XML_ParserFree) struct XML_ParserStruct *parser = NULL;
	__attribute__((cleanup(xml_done))) struct xml x = { .where = where, .report = report, .out = out, .wall = wall, .result = DONE };

	if (text.n > ROOTXML_MAX)
		return FAIL(ERR_LIMIT);
	for (size_t i = 0; i < FIELDS; i++) {
		x.text[i] = strbuf_new(ROOTXML_FIELD);
		if (x.text[i] == NULL)
			return FAIL(ERR_NOMEM);
	}
	parser = XML_ParserCreate("UTF-8");
	if (parser == NULL)
		return FAIL(ERR_NOMEM);
	x.parser = parser;
	TRY(run(&x, text));
	if (!x.zone || x.taken == 0) {
		strbuf_printf(report, "%s: found no key that is valid now, expected one of the root's\n", where);
		return FAIL(ERR_FORMAT);
	}
	return strbuf_result(out);
}

/* --- the signature */

static struct result refuse(const char *where, const char *what, enum err e, struct strbuf *report)
{
	unsigned long code = ERR_peek_last_error();
	const char *why = code != 0 ? ERR_reason_error_string(code) : NULL;

	strbuf_printf(report, "%s: %s%s%s\n", where, what, why != NULL ? ": " : "", why != NULL ? why : "");
	ERR_clear_error();
	return FAIL(e);
}

static BIO *memory_of(struct span s) OWNED_BY(BIO_free);
static BIO *memory_of(struct span s)
{
	return BIO_new_mem_buf(s.p, (int)s.n);
}

/* All certificates of the text. */
static struct result read_ca(const char *where, struct span ca, X509_STORE *store, struct strbuf *report)
{
	AUTO(BIO_free) BIO *in = memory_of(ca);
	unsigned int n = 0;

	if (in == NULL)
		return FAIL(ERR_NOMEM);
	for (;;) {
		AUTO(X509_free) X509 *c = PEM_read_bio_X509(in, NULL, NULL, NULL);

		if (c == NULL)
			break;
		if (X509_STORE_add_cert(store, c) != 1)
			return refuse(where, "a certificate that cannot be used", ERR_FORMAT, report);
		n++;
	}
	ERR_clear_error(); /* the end of the text is one */
	return n > 0 ? DONE : refuse(where, "found no certificate, expected PEM", ERR_FORMAT, report);
}

struct result rootxml_verify(const char *where, struct span xml, struct span signature, struct span ca, int64_t wall, struct strbuf *report)
{
	AUTO(X509_STORE_free) X509_STORE *store = X509_STORE_new();
	AUTO(BIO_free) BIO *der = NULL;
	AUTO(BIO_free) BIO *data = NULL;
	AUTO(CMS_ContentInfo_free) CMS_ContentInfo *cms = NULL;

	if (xml.n > ROOTXML_MAX || signature.n > ROOTXML_MAX || ca.n > ROOTXML_MAX)
		return FAIL(ERR_LIMIT);
	der = memory_of(signature);
	data = memory_of(xml);
	if (store == NULL || der == NULL || data == NULL)
		return FAIL(ERR_NOMEM);
	TRY(read_ca(where, ca, store, report));
	X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)wall);
	cms = d2i_CMS_bio(der, NULL);
	if (cms == NULL)
		return refuse(where, "found no CMS signature", ERR_FORMAT, report);
	if (CMS_verify(cms, NULL, store, data, NULL, CMS_BINARY) != 1)
		return refuse(where, "the signature is not good", ERR_REFUSED, report);
	return DONE;
}
