/* expect in resolver/serve/obligation.h: gcc:error expect in resolver/serve/obligation.h: clang:error */
#include "resolver/serve/obligation.h"
void answer(struct client *who, int hit);
void answer(struct client *who, int hit)
{
	OBLIGATION(o, who);

	if (hit > 1)
		return;
	OBLIGATION_MET(o);
}
