/* sender_none.c: in place of sender.c where there is no libfstrm. */
#include "resolver/dnstap/sender.h"

const char *tap_sender_by(void)
{
	return NULL;
}

void tap_sender_run(struct tap_sender *s)
{
	(void)s;
}
