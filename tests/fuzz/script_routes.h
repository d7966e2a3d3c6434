/*
 * script_routes.h: routes to the servers of a script's world. The last octet of its head (HEAD_ROUTES) says what is known and which policy holds; which state the route to a server has follows
 * from its address. 0: nothing is known of routes. Two of its values hang up rules of the filter, too.
 */
#ifndef TESTS_FUZZ_SCRIPT_ROUTES_H
#define TESTS_FUZZ_SCRIPT_ROUTES_H

#include "tests/fuzz/script.h"
#include "tests/sim/run.h"

struct model_server;

/* Adds the policy to the configuration. True: servers may be left out for it, and questions fail. */
bool script_routes_policy(struct run *r, uint8_t how) NONNULL;
/* Hangs up what is known, before anything is asked. */
void script_routes_start(struct run *r, uint8_t how) NONNULL;
/* The policy is against asking this server at this address, whatever else there is. */
bool script_routes_forbid(uint8_t how, const struct model_server *v, const struct addr *at) NONNULL;

#endif
