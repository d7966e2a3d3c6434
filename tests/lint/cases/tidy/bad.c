#include <stdlib.h>
#include <string.h>
int sizes(const char *text, size_t max);
int sizes(const char *text, size_t max)
{
	short i;
	int n = 0;

	for (i = 0; i < (long)max; i++) /* expect: tidy:bugprone-too-small-loop-variable */
		n += text[i] == 'x' || text[i] == 'x'; /* expect: tidy:misc-redundant-expression */
	if (strcmp(text, "a") == -1) /* expect: tidy:bugprone-suspicious-string-compare */
		n++;
	return n + system("true"); /* expect: tidy:cert-env33-c */
}
