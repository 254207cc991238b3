#include <stdarg.h>
#include <stdio.h>

#include "store/resource.h"

int store_refuse(struct store_conn *c, int rsc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->why, sizeof(c->why), format, args);
	va_end(args);
	return rsc;
}
