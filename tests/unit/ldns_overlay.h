/*
 * ldns_overlay.h: libldns, the second opinion of our tests, with the words of base/own.h on what is used of it. No other file includes its headers, and
 * nothing but tests links it here: it only ever sees texts and rdata that our own readers have accepted.
 */
#ifndef TESTS_UNIT_LDNS_OVERLAY_H
#define TESTS_UNIT_LDNS_OVERLAY_H

#include "base/own.h"

#include <ldns/ldns.h>

extern void ldns_rr_free(ldns_rr *rr) TAKES(1);
extern ldns_status ldns_rr_new_frm_str(ldns_rr **ret_rr, const char *text, uint32_t default_ttl, const ldns_rdf *origin, ldns_rdf **prev);
extern ldns_status ldns_wire2rr(ldns_rr **ret_rr, const uint8_t *wire, size_t max, size_t *pos, ldns_pkt_section section);
extern char *ldns_rr2str(const ldns_rr *rr) OWNED_BY(free);
extern void ldns_buffer_free(ldns_buffer *buffer) TAKES(1);
extern ldns_buffer *ldns_buffer_new(size_t capacity) OWNED_BY(ldns_buffer_free);
extern ldns_status ldns_rr_rdata2buffer_wire(ldns_buffer *buffer, const ldns_rr *rr);
DEFINE_AUTO(ldns_rr, ldns_rr_free)
DEFINE_AUTO(ldns_buffer, ldns_buffer_free)

#endif
