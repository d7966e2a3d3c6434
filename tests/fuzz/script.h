/*
 * script.h: what fuzz_resolve reads: a whole run of the resolver in the simulator, as a short list of operations. Any octets are a script; what makes no sense does
 * nothing.
 *
 *   header   8 octets: seed (2), setup and workers, how the root is signed, which allocation fails (2), how it fails,
 *            what is known of routes
 *   op       8 octets: its code and seven arguments; those whose code has SCRIPT_BLOB are followed by an octet of length, and that many octets
 *
 * Operations up to the first event describe the world and the configuration; then everything happens in order. All numbers are taken modulo what there is: a zone that
 * was not described is another one. docs of each operation: enum script_code; of the changes to replies: meddle.h.
 */
#ifndef TESTS_FUZZ_SCRIPT_H
#define TESTS_FUZZ_SCRIPT_H

#include "base/cursor.h"

#define SCRIPT_HEAD 8u
#define SCRIPT_ARGS 7u
#define SCRIPT_OPS 96u  /* the rest is not read */
#define SCRIPT_BLOB 0x80 /* bit of the code */
#define SCRIPT_MAX (SCRIPT_HEAD + SCRIPT_OPS * (2 + SCRIPT_ARGS + 255))

enum script_head { HEAD_SEED, HEAD_SEED_HIGH, HEAD_SETUP, HEAD_ROOT, HEAD_FAIL, HEAD_FAIL_HIGH, HEAD_FAIL_HOW, HEAD_ROUTES };

enum script_code {
	/* The world. */
	OP_ZONE,    /* parent (0: root); servers (2 bits) and kind (2): own, another's, lost; denial (2), algorithm (2), bits: two algorithms, one key, salt, signed;
	               bits: no DS, unknown DS, anchored, switched off, and iterations (2); fault */
	OP_RECORD,  /* zone; template; number; zone of the target; TTL */
	OP_TEMPER,  /* zone (0: the forwarders); server; temper */
	OP_OPTION,  /* line of the configuration */
	/* Events. */
	OP_ASK,     /* client (3 bits), manner (3), hold; zone; template and number; type; flags; EDNS option and size; time until the next event */
	OP_WAIT,    /* unit; how many */
	OP_CONTROL, /* verb; argument; another */
	OP_FORGE,   /* zone; server; near miss; how often */
	OP_LINK,    /* loss, duplication, longest delay; bit: a millisecond each way, always */
	OP_CODES,
	/* with a blob */
	OP_MEDDLE,  /* zone; server; which replies; how many pass first; how many are changed; action; argument; blob */
	OP_RAW,     /* port; what is put right; time until the next event; bits: over TCP, hangs up; length told (2); when it hangs up; blob: a datagram */
	OP_NAME,    /* as OP_ASK; the blob is the name, as labels with their lengths */
	OP_ALL
};

struct script_op {
	uint8_t code; /* enum script_code */
	uint8_t arg[SCRIPT_ARGS];
	uint8_t len;
	uint8_t blob[255];
};
struct script {
	uint8_t head[SCRIPT_HEAD];
	struct script_op ops[SCRIPT_OPS];
	size_t count;
};

static inline bool script_has_blob(unsigned int code) { return code > OP_CODES; }
/* Any octets. */
void script_read(struct span in, struct script *ret) NONNULL;
/* The octets written; less than all when cap is too small, at the end of an operation. */
size_t script_write(const struct script *s, uint8_t *out, size_t cap) NONNULL;

/* script_mutate.c */
struct script_dice {
	uint64_t state; /* not 0 */
};
uint32_t script_draw(struct script_dice *d, uint32_t n) NONNULL; /* below n */
void script_mutate(struct script *s, struct script_dice *d) NONNULL;
void script_cross(struct script *s, const struct script *with, struct script_dice *d) NONNULL;

#endif
