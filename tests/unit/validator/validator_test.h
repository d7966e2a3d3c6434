/* validator_test.h: what the unit tests of validator/ share: sets with signatures from text. */
#ifndef TESTS_UNIT_VALIDATOR_VALIDATOR_TEST_H
#define TESTS_UNIT_VALIDATOR_VALIDATOR_TEST_H

#include "tests/unit/dns/dns_test.h"

#include "validator/work.h"

/* Rdata from text, kept in the arena. */
static inline UNUSED struct span rdata_of(struct arena *a, uint16_t type, const char *text)
{
	static uint8_t room[65536];
	struct writer w = writer_of(room, sizeof room);
	const char *msg = "";
	void *p;

	if (!OK(rdata_parse(type, text, NULL, &w, &msg)))
		fail_msg("%s: expected %s", text, msg);
	p = arena_dup(a, room, w.pos);
	assert_non_null(p);
	return (struct span){ p, w.pos };
}

/* A set of RRs and signatures from text; signatures end with NULL, as do RRs. */
static inline UNUSED struct rrset *signed_set(struct arena *a, const char *owner, uint16_t type, uint32_t ttl, const char *const *rdata,
    const char *const *sigs)
{
	struct span spans[64];
	struct name_buf name = nb(owner);
	size_t n = 0, s = 0;
	struct rrset *rs;

	for (; rdata[n] != NULL; n++)
		spans[n] = rdata_of(a, type, rdata[n]);
	for (; sigs != NULL && sigs[s] != NULL; s++)
		spans[n + s] = rdata_of(a, RR_RRSIG, sigs[s]);
	rs = rrset_make_in(a, name_of(&name), type, CLASS_IN, ttl, spans, n, s);
	assert_non_null(rs);
	return rs;
}

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Keys and signatures of the RFCs. */
#define KEY_RFC4034 "256 3 5 AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBaMbCV" \
	"dFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw=="
#define KEY_RFC5702_8 "256 3 8 AwEAAcFcGsaxxdgiuuGmCkVImy4h99CqT7jwY3pexPGcnUFtR2Fh36BponcwtkZ4cAgtvd4Qs8PkxUdp6p/DlUmObdk="
#define SIG_RFC5702_8 "A 8 3 3600 20300101000000 20000101000000 9033 example.net. " \
	"kRCOH6u7l0QGy9qpC9l1sLncJcOKFLJ7GhiUOibu4teYp5VE9RncriShZNz85mwlMgNEacFYK/lPtPiVYP4bwg=="
#define KEY_RFC5702_10 "256 3 10 AwEAAdHoNTOW+et86KuJOWRDp1pndvwb6Y83nSVXXyLA3DLroROUkN6X0O6pnWnjJQujX/AyhqFDxj13tOnD9u/1kTg7cV6rklMrZDtJCQ5PCl/D7QNP" \
	"sgVsMu1J2Q8gpMpztNFLpPBz1bWXjDtaR7ZQBlZ3PFY12ZTSncorffcGmhOL"
#define SIG_RFC5702_10 "A 10 3 3600 20300101000000 20000101000000 3740 example.net. " \
	"tsb4wnjRUDnB1BUi+t6TMTXThjVnG+eCkWqjvvjhzQL1d0YRoOe0CbxrVDYd0xDtsuJRaeUw1ep94PzEWzr0iGYgZBWm/zpq+9fOuagYJRfDqfReKBzMweOLDiNa8iP5" \
	"g9vMhpuv6OPlvpXwm9Sa9ZXIbNl1MBGk0fthPgxdDLw="
#define KEY_RFC6605_13 "257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA=="
#define DS_RFC6605_13 "55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17"
#define SIG_RFC6605_13 "A 13 3 3600 20100909100439 20100812100439 55648 example.net. " \
	"qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw=="
#define KEY_RFC6605_14 "257 3 14 xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RCOpgQ6K8X1DRSEkrbYQ+OB+v8/uX45NBwY8rp65F6Glur8I/mlVNg" \
	"F6W/qTI37m40"
#define DS_RFC6605_14 "10771 14 4 72d7b62976ce06438e9c0bf319013cf801f09ecc84b8d7e9495f27e305c6a9b0563a9b5f4d288405c3008a946df983d6"
#define SIG_RFC6605_14 "A 14 3 3600 20100909102025 20100812102025 10771 example.net. " \
	"/L5hDKIvGDyI1fcARX3z65qrmPsVz73QD1Mr5CEqOiLP95hxQouuroGCeZOvzFaxsT8Glr74hbavRKayJNuydCuzWTSSPdz7wnqXL5bdcJzusdnI0RSMROxxwGipWcJm"
#define KEY_RFC8080_15 "257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="
#define DS_RFC8080_15 "3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b"
#define SIG_RFC8080_15 "MX 15 2 3600 1440021600 1438207200 3613 example.com. " \
	"oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg=="
#define KEY_RFC8080_16 "257 3 16 3kgROaDjrh0H2iuixWBrc8g2EpBBLCdGzHmn+G2MpTPhpj/OiBVHHSfPodx1FYYUcJKm1MDpJtIA"
#define DS_RFC8080_16 "9713 16 2 6ccf18d5bc5d7fc2fceb1d59d17321402f2aa8d368048db93dd811f5cb2b19c7"
#define SIG_RFC8080_16 "MX 16 2 3600 1440021600 1438207200 9713 example.com. " \
	"3cPAHkmlnxcDHMyg7vFC34l0blBhuG1qpwLmjInI8w1CMB29FkEAIJUA0amxWndkmnBZ6SKiwZSAxGILn/NBtOXft0+Gj7FSvOKxE/07+4RQvE581N3Aj/JtIyaiYVdn" \
	"YtyMWbSNyGEY2213WKsJlwEA"

#endif
