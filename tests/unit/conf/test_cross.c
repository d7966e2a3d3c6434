#include "conf_test.h"

static void a_zone_needs_a_name(void **state)
{
	(void)state;
	assert_report("server: port: 1\n\nstub-zone:\n\tstub-addr: 1.2.3.4\nforward-zone:\nstub-zone: name: a",
	    "t:3: error: stub-zone: found a clause without name:, expected one\n"
	    "t:5: error: forward-zone: found a clause without name:, expected one\n");
}

static void something_must_be_left_to_talk_with(void **state)
{
	(void)state;
	assert_report(
	    "server:\ndo-ip4: no\ndo-ip6: no", "t:3: error: do-ip6: found do-ip4 and do-ip6 both no, expected one of them yes\n");
	assert_report(
	    "server:\ndo-udp: no\ndo-tcp: no", "t:3: error: do-tcp: found do-udp and do-tcp both no, expected one of them yes\n");
	assert_report("server:\ndo-udp: no\ndo-ip4: no", "");
}

static void contradictions_give_warnings(void **state)
{
	(void)state;
	assert_report("server:\ncache-min-ttl: 100\ncache-max-ttl: 10",
	    "t:2: warning: cache-min-ttl: cache-min-ttl is above cache-max-ttl, which "
	    "wins\n");
	assert_report("server:\ninfra-cache-max-rtt: 10", "t:2: warning: infra-cache-max-rtt: infra-cache-min-rtt is above "
							  "infra-cache-max-rtt, which wins\n");
	assert_report("server:\nprefer-ip4: yes\nprefer-ip6: yes",
	    "t:3: warning: prefer-ip6: prefer-ip4 is yes too, so that neither has an effect\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_needs_a_name),
		cmocka_unit_test(something_must_be_left_to_talk_with),
		cmocka_unit_test(contradictions_give_warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
