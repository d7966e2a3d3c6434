/* schema.h: what protoc-c makes of dnstap.proto, which stands in the build directory. The only file that includes it. */
#ifndef TESTS_UNIT_RESOLVER_DNSTAP_SCHEMA_H
#define TESTS_UNIT_RESOLVER_DNSTAP_SCHEMA_H

#include "base/own.h"

#include <tests/unit/resolver/dnstap/dnstap.pb-c.h>

extern void dnstap__dnstap__free_unpacked(Dnstap__Dnstap *, ProtobufCAllocator *);
static void dnstap_free(Dnstap__Dnstap *d) TAKES(1);
static void dnstap_free(Dnstap__Dnstap *d)
{
	dnstap__dnstap__free_unpacked(d, NULL);
}
DEFINE_AUTO(Dnstap__Dnstap, dnstap_free)

#endif
