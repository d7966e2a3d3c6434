/* sender_none.c: a build without libfstrm. */
#include "config.h"

#ifndef HAVE_DNSTAP

#include "resolver/dnstap/sender.h"

void tap_sender_run(struct tap_sender *s)
{
	(void)s;
}

const char *tap_sender_by(void)
{
	return NULL;
}

#endif
