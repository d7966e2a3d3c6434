#include <string.h>
int sizes(const char *text);
int sizes(const char *text)
{
	return strcmp(text, "a") == 0 ? 1 : 0;
}
