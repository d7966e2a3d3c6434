/* as: dns/x.c */
#include "base/own.h"
#include "dns/name.h"
#include "resolver/main.h" /* expect: arrows */
#include "net/host.h"      /* expect: arrows */
#include "name.h"          /* expect: arrows */
#include <ldns/ldns.h>     /* expect: arrows */
#include <event2/event.h>  /* expect: arrows */
#include "validator/x.h"   /* expect: arrows */
