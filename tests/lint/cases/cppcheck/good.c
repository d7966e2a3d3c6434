#include "tests/lint/cases/ownlint/zone.h"
int after(int i);
int after(int i)
{
	int n[4] = { 0 };

	return i >= 0 && i < 4 ? n[i] : 0;
}
