#include "base/own.h"
/* A library's header, and after it our overlay, which repeats a prototype with labels. */
struct lib_rr;
extern void lib_rr_free(struct lib_rr *rr);
extern struct lib_rr *lib_rr_new(void);
extern void lib_rr_free(struct lib_rr *rr) TAKES(1);
extern struct lib_rr *lib_rr_new(void) OWNED_BY(lib_rr_free);
DEFINE_AUTO(struct lib_rr, lib_rr_free)
int ask(void);
int ask(void)
{
	AUTO(lib_rr_free) struct lib_rr *rr = lib_rr_new();

	return rr != NULL;
}
