#include "base/base.h"

#include <uv.h>

const char *err_text(int err)
{
	switch (err) {
	case 0:
		return "no error";
	case ERR_PROTO:
		return "protocol violated";
	case ERR_LIMIT:
		return "limit reached";
	case ERR_UNSUPPORTED:
		return "not supported";
	case ERR_DENIED:
		return "not allowed";
	default:
		return uv_strerror(err);
	}
}
