/*
 * obvious.h: DNSSEC once more, slowly and straight from the text of the RFCs, to compare the validator with. Nothing of validator/ is used here: names are taken apart as
 * octets, the canonical form is one buffer, a key is made for each check and by libcrypto's other interface (EVP). What it says is meant to be plain, not fast.
 */
#ifndef TESTS_UNIT_VALIDATOR_OBVIOUS_H
#define TESTS_UNIT_VALIDATOR_OBVIOUS_H

#include "dns/rrset.h"

uint16_t obvious_tag(struct span dnskey);
/* RFC 4034 section 3.1.8.1: what the signature of this RRSIG is over. false: the RRSIG is malformed, its labels are more than the owner's, or no room. */
bool obvious_signed_data(struct span rrsig, const struct rrset *set, uint8_t *room, size_t cap, size_t *ret_n);
/* Whether this key made this signature over the set: the mathematics alone, with a key of a form and size that may be used. */
bool obvious_verify(struct span dnskey, struct span rrsig, const struct rrset *set);
/* RFC 4034 section 5.1.4. */
bool obvious_ds_matches(struct span ds, struct name owner, struct span dnskey);

struct obvious_time {
	uint32_t now, skew_min, skew_max;
};
/* RFC 4035 section 5.3: some signature of the set is good by some of the keys. */
bool obvious_is_signed(const struct rrset *set, const struct rrset *dnskeys, const struct obvious_time *t);

#endif
