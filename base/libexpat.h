/* libexpat.h: what is used of libexpat, with the words of own.h added. The only file that includes its header. */
#ifndef BASE_LIBEXPAT_H
#define BASE_LIBEXPAT_H

#include <expat.h>

#include "base/own.h"

extern void XML_ParserFree(XML_Parser) TAKES(1);
extern XML_Parser XML_ParserCreate(const XML_Char *) OWNED_BY(XML_ParserFree);
DEFINE_AUTO(struct XML_ParserStruct, XML_ParserFree)

#endif
