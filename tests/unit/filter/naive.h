/*
 * naive.h: what a filter says, found slowly: from the printed form of each rule, octet by octet, with no table. To compare the filter with; nothing of filter/ is used but
 * the words of route states.
 */
#ifndef TESTS_UNIT_FILTER_NAIVE_H
#define TESTS_UNIT_FILTER_NAIVE_H

#include "filter/filter.h"

/* forms: of each rule, in the order of the filter. *ret_rule: the number of the rule that blocks. */
enum filter_verdict naive_question(const char *const *forms, size_t n, struct name qname, uint16_t qtype, size_t *ret_rule);
enum filter_verdict naive_answer(const char *const *forms, size_t n, const struct name *names, size_t name_count, uint16_t qtype, const struct filter_address *addresses,
    size_t address_count, size_t *ret_rule);

#endif
