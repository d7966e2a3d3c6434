/*
 * rootxml.h: the root's trust anchors as IANA publishes them: root-anchors.xml (RFC 9718) and its detached CMS signature root-anchors.p7s. The XML is from outside: it is read
 * by libexpat within limits of size, depth and number, and a document with a DTD, and so one with entities of its own, is refused.
 */
#ifndef VALIDATOR_ROOTXML_H
#define VALIDATOR_ROOTXML_H

#include "base/cursor.h"
#include "base/own.h"

struct strbuf;

#define ROOTXML_MAX (1u << 20) /* octets */
#define ROOTXML_KEYS 64
#define ROOTXML_FIELD 4096     /* octets of text in one element */

/* Adds a line ". IN DS ..." to out for each key that is valid at wall (seconds since 1970: validFrom and validUntil). A public key beside a digest must be the one that
 * the digest is of. ERR_FORMAT: a line "where:LINE: found ..., expected ..." is in report; also when no key is valid. ERR_LIMIT, ERR_NOMEM. */
RESULT rootxml_text(const char *where, struct span xml, int64_t wall, struct strbuf *out, struct strbuf *report) NONNULL;

/* Whether signature (CMS, DER) is one over the octets of xml by a certificate that one in ca (PEM, one or more) vouches for, at wall. ERR_REFUSED: it is not; ERR_FORMAT: signature or ca
 * cannot be read; why is in report. ERR_NOMEM. */
RESULT rootxml_verify(const char *where, struct span xml, struct span signature, struct span ca, int64_t wall, struct strbuf *report) NONNULL;

#endif
