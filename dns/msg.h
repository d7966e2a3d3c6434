/*
 * msg.h: messages read. Two readers: msg_read_query for what clients ask (in place, no allocation: it is on the hit path) and msg_read for
 * whole messages (RRs grouped into RRsets in an arena).
 */
#ifndef DNS_MSG_H
#define DNS_MSG_H

#include "dns/edns.h"
#include "dns/name.h"
#include "dns/rrset.h"

#define MSG_HEADER 12
#define MSG_MAX 65535

/* Flag bits of the third and fourth octets as one 16-bit number. */
enum { MSG_QR = 0x8000, MSG_AA = 0x0400, MSG_TC = 0x0200, MSG_RD = 0x0100, MSG_RA = 0x0080, MSG_Z = 0x0040, MSG_AD = 0x0020, MSG_CD = 0x0010 };
static inline unsigned int msg_opcode(uint16_t flags) { return flags >> 11 & 15; }
static inline unsigned int msg_rcode(uint16_t flags) { return flags & 15; }

struct arena;
struct strbuf;

struct question {
	struct name name;
	uint16_t type;
	uint16_t rclass;
};

/* A client's query, read in place. */
struct msg_query {
	uint16_t id;
	uint16_t flags;
	struct question q;    /* borrows from the packet; as the client wrote it */
	uint16_t question_end; /* offset behind the question */
	struct edns edns;     /* options borrow from the packet */
	struct span tail;     /* TSIG or SIG(0) at the end, not understood: {NULL, 0} when none */
};

enum msg_verdict {
	MSG_GOOD,    /* answer it */
	MSG_DROP,    /* shorter than a header, or QR set: no answer (Loop DoS) */
	MSG_FORMERR, /* id and flags are set; q when it was readable (question_end > 0) */
	MSG_NOTIMP,  /* another opcode than QUERY */
	MSG_BADVERS, /* EDNS version above 0 */
};
/* max_options 0: no limit. Anything but one question, an answer in the query, two OPTs or trailing octets: MSG_FORMERR. */
enum msg_verdict msg_read_query(struct span packet, unsigned int max_options, struct msg_query *ret) NONNULL;

struct msg_section {
	const struct rrset **sets ARENA_FIELD; /* in order of first appearance */
	size_t count;
};

/* A whole message. Lives in the arena it was read into, but for edns.options and question.name, which are copied there as well. */
struct msg {
	uint16_t id;
	uint16_t flags;
	uint16_t rcode;       /* with the extended bits */
	bool has_question;
	struct question q;
	struct edns edns;
	struct msg_section answer, authority, additional; /* RRSIGs stand in the set they cover; without it in a set of count 0 */
	unsigned int bad_rdata; /* RRs that were left out (msg_limits.drop_bad_rdata) */
};

/* Limits that keep a hostile message cheap; 0 in a field: no limit but the message's size. */
struct msg_limits {
	unsigned int max_rrs;
	unsigned int max_options;
	unsigned int max_hops; /* compression pointers followed in the whole message; 0: MSG_HOPS */
	bool drop_bad_rdata;   /* an RR whose rdata is not of its type's form, but ends where it says, is left out and counted in bad_rdata */
	const struct hash_key *key BORROWED_FIELD; /* secret, of tables that group RRs; NULL: a fixed one, for trusted messages and tests */
};
#define MSG_HOPS 65536u
/* ERR_FORMAT: malformed; ERR_LIMIT; ERR_NOMEM. Class and name rules of sections are the caller's (scrubber's). More than one question, or an
 * OPT outside of additional, or two of them: ERR_FORMAT. Trailing octets: ERR_FORMAT. TTLs above 2^31-1 read as 0 (RFC 2181 section 8). An RRset's
 * TTL is the least of its RRs and signatures; duplicates are dropped. Records of question types (251 to 255, 0) are malformed. Linear time. *ret is
 * written on success only; limits may be NULL: none. */
RESULT msg_read(struct arena *a, struct span packet, const struct msg_limits *limits, struct msg *ret) __attribute__((nonnull(1, 4)));

/* As dig prints it: header, OPT, sections. For logs, the control socket and tests. */
void msg_print(const struct msg *m, struct strbuf *out) NONNULL;

#endif
