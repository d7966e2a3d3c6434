/*
 * Messages by our reader and by libldns. Where both take one, they agree on header, question and every record: owner, type, class and data in canonical form. A message that we take
 * libldns takes too, but for what it has no form for, or another one.
 */
#include "base/arena.h"
#include "dns/msg.h"
#include "dns/rdata.h"
#include "tests/fuzz/kit.h"
#include "tests/fuzz/msg_mutate.h"
#include "tests/unit/ldns_overlay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
	size_t ours, theirs;
	bool odd; /* a type of which libldns has another form */
};

/* As tests/unit/dns/test_rdata_ldns.c has them; and what it checks less of, or more. */
static bool is_odd(uint16_t type)
{
	switch (type) {
	case RR_NSAP_PTR: case RR_SINK: case RR_ATMA: case RR_NXT: case RR_SVCB: case RR_HTTPS: case RR_NULL: case RR_EID: case RR_NIMLOC: case RR_GID: case RR_UID:
	case RR_A6: case RR_LOC: case RR_APL: case RR_WKS: case RR_IPSECKEY: case RR_AMTRELAY: case RR_HIP: case RR_ISDN: case RR_X25: case RR_TKEY: case RR_TSIG: case RR_OPT:
	case RR_DOA: case RR_IPN: case RR_KEY: case RR_SIG: case RR_GPOS: case RR_CAA: case RR_URI: case RR_ZONEMD: case RR_NSEC3: case RR_NSEC: case RR_CSYNC: case RR_UNSPEC:
	case RR_UINFO: case RR_NXNAME: case RR_NSAP: case RR_TALINK: case RR_RKEY: case RR_NINFO: case RR_TXT: case RR_SPF: case RR_AVC: case RR_RESINFO: case RR_WALLET: case RR_CLA:
	case RR_DHCID: case RR_OPENPGPKEY:
		return true;
	default:
		return false;
	}
}

static bool has_record(const struct msg_section *s, struct name owner, uint16_t type, uint16_t rclass, struct span rdata)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct rrset *rs = s->sets[i];

		if (!name_equal(rrset_name(rs), owner) || rs->rclass != rclass)
			continue;
		for (size_t k = 0; k < (size_t)rs->count + rs->sigs; k++) {
			struct span mine = rrset_item_(rs, k);

			if ((k < rs->count ? rs->type : RR_RRSIG) == type && rdata_compare(type, mine, rdata) == 0)
				return true;
		}
	}
	return false;
}

static void compare_section(const struct msg_section *s, const ldns_rr_list *list, struct tally *t)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		AUTO(ldns_buffer_free) ldns_buffer *b = ldns_buffer_new(70000);
		uint16_t type = (uint16_t)ldns_rr_get_type(rr);
		struct name owner;

		t->theirs++;
		if (t->odd || is_odd(type)) { /* behind a record whose end it sees elsewhere it reads something else */
			t->odd = true;
			continue;
		}
		CHECK(b != NULL && ldns_rr_rdata2buffer_wire(b, rr) == LDNS_STATUS_OK);
		CHECK(OK(name_from_wire(span_of(ldns_rdf_data(ldns_rr_owner(rr)), ldns_rdf_size(ldns_rr_owner(rr))), &owner)));
		CHECK(has_record(s, owner, type, (uint16_t)ldns_rr_get_class(rr), span_of(ldns_buffer_begin(b), ldns_buffer_position(b))));
	}
}

static void count_ours(const struct msg_section *s, struct tally *t)
{
	for (size_t i = 0; i < s->count; i++) {
		t->ours += (size_t)s->sets[i]->count + s->sets[i]->sigs;
		t->odd = t->odd || is_odd(s->sets[i]->type);
	}
}

static void compare(const struct msg *m, const ldns_pkt *p)
{
	struct tally t = { 0, 0, false };

	CHECK(m->id == ldns_pkt_id(p) && ((m->flags & MSG_QR) != 0) == ldns_pkt_qr(p) && ((m->flags & MSG_AA) != 0) == ldns_pkt_aa(p) &&
	    ((m->flags & MSG_TC) != 0) == ldns_pkt_tc(p) && ((m->flags & MSG_AD) != 0) == ldns_pkt_ad(p) && ((m->flags & MSG_CD) != 0) == ldns_pkt_cd(p) &&
	    msg_opcode(m->flags) == (unsigned int)ldns_pkt_get_opcode(p) && msg_rcode(m->flags) == (unsigned int)ldns_pkt_get_rcode(p));
	CHECK(m->edns.present == ldns_pkt_edns(p));
	if (m->edns.present)
		CHECK(m->edns.udp_size == ldns_pkt_edns_udp_size(p) && m->edns.dnssec_ok == ldns_pkt_edns_do(p) && m->edns.version == ldns_pkt_edns_version(p));
	compare_section(&m->answer, ldns_pkt_answer(p), &t);
	compare_section(&m->authority, ldns_pkt_authority(p), &t);
	compare_section(&m->additional, ldns_pkt_additional(p), &t);
	count_ours(&m->answer, &t);
	count_ours(&m->authority, &t);
	count_ours(&m->additional, &t);
	CHECK(t.odd || t.ours <= t.theirs + 1); /* a TSIG stands apart there; what is there twice counts once here */
}

static bool all_plain(const struct msg *m)
{
	struct tally t = { 0, 0, false };

	count_ours(&m->answer, &t);
	count_ours(&m->authority, &t);
	count_ours(&m->additional, &t);
	return !t.odd;
}

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define LDNS_IS_OPAQUE 1 /* what libldns writes MemorySanitizer does not see */
#endif
#endif
#ifndef LDNS_IS_OPAQUE
#define LDNS_IS_OPAQUE 0
#endif

/* What libldns leaks of messages that it refuses is not ours to find. Absent where no LeakSanitizer is. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static bool read_theirs(const uint8_t *data, size_t size, ldns_pkt **ret)
{
	bool good;

	if (__lsan_disable != NULL)
		__lsan_disable();
	good = ldns_wire2pkt(ret, data, size) == LDNS_STATUS_OK;
	if (__lsan_enable != NULL)
		__lsan_enable();
	return good;
}

static void one_input(const uint8_t *data, size_t size)
{
	AUTO(arena_free) struct arena *a = arena_new(0);
	struct msg_limits limits = { .max_options = 100 };
	ldns_pkt *p = NULL;
	struct msg m;
	bool ours, theirs;

	if (LDNS_IS_OPAQUE || a == NULL || size > 4096)
		return;
	ours = OK(msg_read(a, span_of(data, size), &limits, &m));
	theirs = read_theirs(data, size, &p);
	if (ours && theirs)
		compare(&m, p);
	if (ours && all_plain(&m))
		CHECK(theirs);
	if (theirs)
		ldns_pkt_free(p);
}

KIT_TARGET(one_input)

MSG_MUTATOR(0)
