#include "m2m/codec.h"

const struct codec *codec_of(enum prim_format format)
{
	switch (format) {
	case FORMAT_JSON:
		return &codec_json;
	case FORMAT_XML:
	case FORMAT_CBOR:
		break;
	}
	return NULL;
}
