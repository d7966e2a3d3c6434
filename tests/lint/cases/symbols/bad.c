/* as: dns/x.c; each of these is banned there. expect: malloc expect: strcpy expect: time expect: event_new expect: ldns_rr_new
 * expect: getrandom expect: __sprintf_chk expect: socket */
#include <stddef.h>
void *malloc(size_t);
char *strcpy(char *, const char *);
long time(long *);
void *event_new(void);
void *ldns_rr_new(void);
int getrandom(void *);
int __sprintf_chk(char *, int, size_t, const char *, ...);
int socket(int, int, int);
void all(char *p)
{
	strcpy(malloc(time(NULL)), p);
	event_new();
	ldns_rr_new();
	getrandom(p);
	__sprintf_chk(p, 1, 2, "x");
	socket(1, 2, 3);
}
