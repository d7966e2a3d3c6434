/*
 * rtr_pdu.h: the PDUs of the RPKI to Router protocol, versions 0 (RFC 6810), 1 (RFC 8210) and 2 (draft-ietf-sidrops-8210bis-26), read and written. A PDU is a header
 * of 8 octets (version, type, a field of 16 bits whose meaning hangs on the type, length of the whole) and a body.
 */
#ifndef RPKI_ROUTES_RTR_PDU_H
#define RPKI_ROUTES_RTR_PDU_H

#include "rpki/routes/payload.h"

#define RTR_VERSIONS 3       /* 0, 1 and 2 */
#define RTR_VERSION_MAX 2
#define RTR_HEADER 8         /* octets */
#define RTR_PDU_MAX 65535u   /* octets; a PDU that says more is corrupt */
#define RTR_REPORT_PDU_MAX 1024u  /* octets of the erroneous PDU that we send back in an Error Report */
#define RTR_REPORT_TEXT_MAX 256u

enum rtr_type {
	RTR_SERIAL_NOTIFY = 0,
	RTR_SERIAL_QUERY = 1,
	RTR_RESET_QUERY = 2,
	RTR_CACHE_RESPONSE = 3,
	RTR_IPV4 = 4,
	RTR_IPV6 = 6,
	RTR_END_OF_DATA = 7,
	RTR_CACHE_RESET = 8,
	RTR_ROUTER_KEY = 9, /* from version 1 on */
	RTR_ERROR = 10,
	RTR_ASPA = 11,      /* from version 2 on */
};

/* 8210bis section 14; codes from 9 on are of version 2. */
enum rtr_error {
	RTR_CORRUPT_DATA = 0,
	RTR_INTERNAL_ERROR = 1,
	RTR_NO_DATA = 2,
	RTR_INVALID_REQUEST = 3,
	RTR_UNSUPPORTED_VERSION = 4,
	RTR_UNSUPPORTED_TYPE = 5,
	RTR_UNKNOWN_WITHDRAWAL = 6,
	RTR_DUPLICATE_ANNOUNCEMENT = 7,
	RTR_UNEXPECTED_VERSION = 8,
	RTR_ASPA_PROVIDERS = 9,
	RTR_TRANSPORT_FAILURE = 10,
	RTR_ORDERING = 11,
	RTR_CACHE_RESTART = 12,
	RTR_CACHE_SHUTDOWN = 13,
};

/* In seconds; 8210bis section 6 and RFC 8210 section 6 have the same bounds. */
struct rtr_timers {
	uint32_t refresh; /* 1 to 86400, usually 3600 */
	uint32_t retry;   /* 1 to 7200, usually 600 */
	uint32_t expire;  /* 600 to 172800, usually 7200; greater than both others */
};
#define RTR_TIMERS_USUAL ((struct rtr_timers){ 3600, 600, 7200 })
bool rtr_timers_sound(const struct rtr_timers *t) NONNULL;

struct rtr_header {
	uint8_t version, type;
	uint16_t field; /* session ID, error code, flags */
	uint32_t length;
};

/* A PDU as read; what does not belong to its type is zero. Spans and providers are of the octets it was read from. */
struct rtr_pdu {
	struct rtr_header h;
	uint32_t serial;          /* Notify, Query, End of Data */
	struct rtr_timers timers; /* End of Data from version 1 on */
	bool announce;            /* payload PDUs */
	struct vrp vrp;
	struct router_key key;
	uint32_t customer;
	struct span providers; /* 4 octets each */
	struct span erroneous, text; /* Error Report */
};

struct rtr_header rtr_header_of(const uint8_t octets[RTR_HEADER]) NONNULL;
/*
 * One whole PDU; octets.n is what its header says. ERR_FORMAT: *ret_error is the code that fits and *ret_why a few words. The version is only looked at for
 * what a version lacks: whether it is the right one is for a session to know. Octets in fields that are zero or reserved are passed over.
 */
RESULT rtr_read(struct span octets, struct rtr_pdu *ret, enum rtr_error *ret_error, const char **ret_why) NONNULL;
/* The providers of an ASPA PDU in host order. room has providers.n / 4 elements. */
void rtr_providers(struct span providers, uint32_t *room) NONNULL;
/* True when a PDU of this type can be of that length; *ret_why says why not. For a reader that has only the header yet. */
bool rtr_length_fits(const struct rtr_header *h, enum rtr_error *ret_error, const char **ret_why) NONNULL;

/* Writing. What does not fit sets the writer's error. */
void rtr_write_serial_notify(struct writer *w, uint8_t version, uint16_t session, uint32_t serial) NONNULL;
void rtr_write_serial_query(struct writer *w, uint8_t version, uint16_t session, uint32_t serial) NONNULL;
void rtr_write_reset_query(struct writer *w, uint8_t version) NONNULL;
void rtr_write_cache_response(struct writer *w, uint8_t version, uint16_t session) NONNULL;
void rtr_write_cache_reset(struct writer *w, uint8_t version) NONNULL;
void rtr_write_end_of_data(struct writer *w, uint8_t version, uint16_t session, uint32_t serial, const struct rtr_timers *t) NONNULL;
void rtr_write_vrp(struct writer *w, uint8_t version, bool announce, const struct vrp *v) NONNULL;
void rtr_write_key(struct writer *w, uint8_t version, bool announce, const struct router_key *k) NONNULL; /* version 1 or more */
void rtr_write_aspa(struct writer *w, uint8_t version, bool announce, const struct aspa_payload *a) NONNULL;      /* version 2 or more */
/* At most RTR_REPORT_PDU_MAX octets of the erroneous PDU and RTR_REPORT_TEXT_MAX of the text are sent. */
#define RTR_REPORT_MAX (RTR_HEADER + 8 + RTR_REPORT_PDU_MAX + RTR_REPORT_TEXT_MAX)
void rtr_write_error(struct writer *w, uint8_t version, enum rtr_error code, struct span erroneous, const char *text) NONNULL;

const char *rtr_error_text(unsigned int code) BORROWED; /* "Corrupt Data"; "unknown error" for codes that nobody has defined */
const char *rtr_type_text(unsigned int type) BORROWED;  /* "Serial Query" */

#endif
