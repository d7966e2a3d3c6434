/*
 * fields.h: the one table of rdata formats, and the checks of single fields. A format is a list of fields in wire order, which is also the order of
 * the text. Reading, writing, canonical form, printing and parsing (rdata.c, rdata_print.c, rdata_parse.c) are loops over it. Internal to dns/.
 */
#ifndef DNS_FIELDS_H
#define DNS_FIELDS_H

#include "dns/name.h"
#include "dns/rrtype.h"

enum field {
	F_END = 0,
	F_NAME,        /* never compressed, case kept in canonical form (RFC 6840 section 5.1) */
	F_NAME_LOWER,  /* never compressed, lower-cased in canonical form */
	F_NAME_OLD,    /* the types of RFC 3597 section 4: decompressed when read, never compressed; lower-cased */
	F_NAME_1035,   /* compressed both ways; lower-cased */
	F_U8,
	F_U16,
	F_U32,
	F_U64,
	F_PERIOD,      /* 32 bits; text may have units: 1d12h */
	F_TIME,        /* 32 bits; YYYYMMDDHHMMSS (RFC 4034 section 3.2) */
	F_TIME48,      /* TSIG */
	F_TYPE,        /* 16 bits, as a mnemonic */
	F_ALGORITHM,   /* 8 bits, DNSSEC; text may be a mnemonic */
	F_CERT_TYPE,   /* 16 bits, RFC 4398 section 2.1 */
	F_SCHEME,      /* 8 bits, DSYNC (RFC 9859) */
	F_A,
	F_AAAA,
	F_NODE64,      /* four groups of hexadecimal digits (RFC 6742) */
	F_EUI48,
	F_EUI64,
	F_STRING,      /* character-string of RFC 1035 section 3.3 */
	F_STRING_OPT,  /* one or none */
	F_STRINGS,     /* one and more */
	F_LONG_TEXT,   /* all that is left, at least one octet, in quotes (URI) */
	F_TAG,         /* length and letters or digits (CAA) */
	F_VALUE,       /* all that is left, in quotes */
	F_BASE64,      /* all that is left, at least one octet */
	F_BASE64_OPT,  /* all that is left */
	F_BASE64_DASH, /* all that is left, "-" when that is nothing (DOA) */
	F_DATA16,      /* 16 bits of length, base64; text "LENGTH DATA" */
	F_HEX,         /* all that is left, at least one octet */
	F_DIGEST,      /* all that is left, at least twelve octets (RFC 8976 section 2.2.4) */
	F_SALT,        /* 8 bits of length, hexadecimal, "-" for none */
	F_HASH,        /* 8 bits of length, base32hex */
	F_BITMAP,      /* type bit maps of RFC 4034 section 4.1.2 */
	F_NXT,         /* bit map of RFC 2535 section 5.2 */
	F_APL,
	F_LOC,
	F_WKS,         /* protocol and bit map of ports */
	F_NSAP,
	F_ATMA,
	F_A6,
	F_IPSECKEY,    /* gateway type, algorithm, gateway */
	F_AMTRELAY,    /* D and type, relay */
	F_HIP,         /* all of RFC 8005 section 5 */
	F_PARAMS,      /* SvcParams */
	F_EMPTY,       /* nothing may be here (NXNAME) */
	F_OPAQUE,      /* all that is left, shown as RFC 3597 has it */
};

#define FORMAT_FIELDS 10

/* The fields of a type, F_END after the last; {F_OPAQUE, F_END} for those that the table does not know. */
const uint8_t *format_of(uint16_t type) BORROWED;
static inline bool field_is_name(uint8_t f) { return f >= F_NAME && f <= F_NAME_1035; }
static inline bool field_is_lowered(uint8_t f) { return f >= F_NAME_LOWER && f <= F_NAME_1035; }
static inline bool field_may_be_compressed(uint8_t f) { return f == F_NAME_OLD || f == F_NAME_1035; }

/* Leaves the reader behind one field that is no compressed name; the reader ends with the rdata. Fails it when the field is malformed. */
void field_skip(uint8_t field, struct reader *r) NONNULL;

/* DNSSEC algorithm, certificate type and DSYNC scheme mnemonics. NULL, or ERR_NOTFOUND, when there is none. */
const char *field_mnemonic(uint8_t field, uint16_t value) BORROWED;
RESULT field_mnemonic_parse(uint8_t field, struct span word, uint16_t *ret) NONNULL;

#endif
