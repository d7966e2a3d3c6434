#include <stdio.h>
int after(const char *path);
int after(const char *path)
{
	int n[4] = { 0 };
	FILE *f = fopen(path, "r");

	if (f == NULL)
		return n[4]; /* expect: cppcheck:arrayIndexOutOfBounds */
	return 0; /* expect: cppcheck:resourceLeak */
}
