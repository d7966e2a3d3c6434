/*
 * cairn-fuzz.h: Cairn's readers and writers for harnesses of other projects, which link with libcairn-fuzz.a (docs/fuzzing.md has a whole example). Plain
 * C that needs nothing of Cairn's own headers. The functions keep no state, read no file and no clock, and are safe in several threads.
 *
 * Each takes octets as they are in the fuzzer's input and writes a result of at most `cap` octets to `out`; it returns how many octets the whole result has,
 * like snprintf(): more than cap means that it was cut. Text is followed by a NUL where there is room for it, which is not counted. A refusal is negative.
 * A function that is here stays, with its meaning; new ones raise CAIRN_FUZZ_VERSION.
 */
#ifndef CAIRN_FUZZ_H
#define CAIRN_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CAIRN_FUZZ_VERSION 1
enum {
	CAIRN_FUZZ_REFUSED = -1, /* malformed */
	CAIRN_FUZZ_LIMIT = -2,   /* more than Cairn takes */
	CAIRN_FUZZ_MEMORY = -3,  /* out of memory */
};
int cairn_fuzz_version(void);

/* A DNS message as lines like those of dig. */
long cairn_fuzz_message_text(const uint8_t *packet, size_t n, char *out, size_t cap);
/* The same message, written anew: RRs grouped to RRsets, duplicates dropped, names compressed. What comes out reads as the same message. */
long cairn_fuzz_message_wire(const uint8_t *packet, size_t n, uint8_t *out, size_t cap);

/* A name at the start of `wire`, uncompressed; and a name from text, completed by the root. */
long cairn_fuzz_name_text(const uint8_t *wire, size_t n, char *out, size_t cap);
long cairn_fuzz_name_wire(const char *text, size_t n, uint8_t *out, size_t cap);

/* Rdata of a type, uncompressed, as in zone files; and back. */
long cairn_fuzz_rdata_text(uint16_t type, const uint8_t *rdata, size_t n, char *out, size_t cap);
long cairn_fuzz_rdata_wire(uint16_t type, const char *text, size_t n, uint8_t *out, size_t cap);

/* A zone file's records, a line each: "OWNER TTL CLASS TYPE RDATA". $INCLUDE is refused. *ret_errors (may be NULL) counts lines of the error report. */
long cairn_fuzz_zone_text(const char *text, size_t n, char *out, size_t cap, unsigned int *ret_errors);

/* A configuration, printed in full. include: finds no file. */
long cairn_fuzz_conf_text(const char *text, size_t n, char *out, size_t cap);

/* What the resolver would believe of a packet that is the reply of a server of `zone` (wire form) to the packet's own question. First line: what kind of
 * reply it is; then a line "SECTION OWNER TYPE COUNT" for each RRset that is kept. */
long cairn_fuzz_reply_text(const uint8_t *zone, size_t zone_n, const uint8_t *packet, size_t n, char *out, size_t cap);

/* Allocations of Cairn that are alive in this process: the same before and after each call above. */
unsigned long cairn_fuzz_live(void);

#ifdef __cplusplus
}
#endif
#endif
