/* addr.h: network addresses as values: endpoints, prefixes, and a longest-match table of prefixes. Knows no sockets. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include "base/own.h"

enum addr_family { ADDR_NONE = 0, ADDR_V4 = 4, ADDR_V6 = 6, ADDR_UNIX = 1 };

struct addr {
	uint8_t family; /* enum addr_family */
	uint8_t b[16];  /* network order; 4 octets used for IPv4, the others zero */
};

struct endpoint {
	struct addr a;
	uint16_t port;
	uint32_t scope; /* interface index of a link-local IPv6 address, else 0 */
};

struct prefix {
	struct addr a; /* host bits zero */
	uint8_t len;
};

#define ADDR_TEXT 56  /* room for an address, with a %scope and final NUL */
#define ENDPOINT_TEXT 64 /* "address@port" */

static inline size_t addr_octets(const struct addr *a) { return a->family == ADDR_V4 ? 4 : a->family == ADDR_V6 ? 16 : 0; }
bool addr_equal(const struct addr *a, const struct addr *b) NONNULL;
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b) NONNULL;
RESULT addr_parse(const char *text, struct addr *ret) NONNULL;
/* "ADDRESS[@PORT]" or, for IPv6 link-local, "fe80::1%eth0[@PORT]"; port is default_port without one. */
RESULT endpoint_parse(const char *text, uint16_t default_port, struct endpoint *ret) NONNULL;
RESULT prefix_parse(const char *text, struct prefix *ret) NONNULL; /* "A/len", or "A" for a host; set host bits are refused: ERR_RANGE */
bool prefix_covers(const struct prefix *p, const struct addr *a) NONNULL;
char *addr_text(const struct addr *a, char buf[ADDR_TEXT]) BORROWED;
char *endpoint_text(const struct endpoint *e, char buf[ENDPOINT_TEXT]) BORROWED;
bool addr_is_loopback(const struct addr *a) NONNULL;
bool addr_is_unspecified(const struct addr *a) NONNULL;
bool addr_is_multicast(const struct addr *a) NONNULL; /* also the IPv4 limited broadcast */
struct addr addr_unmap(const struct addr *a) NONNULL; /* ::ffff:1.2.3.4 becomes 1.2.3.4, others stay */

/* Longest-match table: prefix -> 32-bit value; later inserts of the same prefix replace. Built once, then read by any thread. */
struct prefix_map;
void prefix_map_free(struct prefix_map *m) TAKES(1);
struct prefix_map *prefix_map_new(void) OWNED_BY(prefix_map_free);
RESULT prefix_map_put(struct prefix_map *m, const struct prefix *p, uint32_t value) NONNULL;
bool prefix_map_get(const struct prefix_map *m, const struct addr *a, uint32_t *ret_value) NONNULL;
size_t prefix_map_count(const struct prefix_map *m) NONNULL;
DEFINE_AUTO(struct prefix_map, prefix_map_free)

#endif
