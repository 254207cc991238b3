#ifndef TESTS_XML_WRITE_ROWS_H
#define TESTS_XML_WRITE_ROWS_H

#include "base/base.h"

/* JSON of another form or type than is read again. xml NULL: refused with err;
 * back NULL: as json. */
static const struct {
	const char *name, *json, *xml, *back;
	int err;
} writes[] = {
	{ "the order of the schema",
	  "{\"cnt\":{\"m2m:cin\":[],\"zz\":\"1\",\"disr\":true,\"mni\":1,"
	  "\"et\":\"e\",\"acpi\":[\"p\"],\"ty\":3,\"rn\":\"n\",\"cr\":\"c\","
	  "\"st\":4,\"ri\":\"i\"}}",
	  "<cnt rn=\"n\"><ty>3</ty><ri>i</ri><acpi>p</acpi><et>e</et>"
	  "<st>4</st><cr>c</cr><mni>1</mni><disr>true</disr><zz>1</zz></cnt>",
	  "{\"cnt\":{\"rn\":\"n\",\"ty\":3,\"ri\":\"i\",\"acpi\":[\"p\"],"
	  "\"et\":\"e\",\"st\":4,\"cr\":\"c\",\"mni\":1,\"disr\":true,"
	  "\"zz\":\"1\"}}", 0 },
	{ "acpi of a CSEBase is its own",
	  "{\"cb\":{\"csi\":\"/in\",\"acpi\":[\"p\"],\"et\":\"e\"}}",
	  "<cb><et>e</et><acpi>p</acpi><csi>/in</csi></cb>",
	  "{\"cb\":{\"et\":\"e\",\"acpi\":[\"p\"],\"csi\":\"/in\"}}", 0 },
	{ "references and children last",
	  "{\"ae\":{\"m2m:cnt\":[{}],\"ch\":[{\"val\":\"v\",\"nm\":\"n\"}],"
	  "\"zz\":\"1\",\"rr\":true}}",
	  "<ae><rr>true</rr><zz>1</zz><ch nm=\"n\">v</ch>"
	  "<m2m:cnt xmlns:m2m=\"http://www.onem2m.org/xml/protocols\"/></ae>",
	  "{\"ae\":{\"rr\":true,\"zz\":\"1\",\"ch\":[{\"nm\":\"n\","
	  "\"val\":\"v\"}],\"m2m:cnt\":[{}]}}", 0 },
	{ "escapes in names and values",
	  "{ \"cn\\u0074\" : { \"\\u006dni\" : 1 , \"r\\u006e\" : "
	  "\"\\ud83d\\ude00\\/\" } }",
	  "<cnt rn=\"\xf0\x9f\x98\x80/\"><mni>1</mni></cnt>",
	  "{\"cnt\":{\"rn\":\"\xf0\x9f\x98\x80/\",\"mni\":1}}", 0 },
	{ "other types become the standard's",
	  "{\"ae\":{\"ty\":\"2\",\"ri\":5,\"lbl\":\"a b\",\"api\":true,"
	  "\"rr\":\"true\",\"srv\":[3,true]}}",
	  "<ae><ty>2</ty><ri>5</ri><lbl>a b</lbl><api>true</api>"
	  "<rr>true</rr><srv>3 true</srv></ae>",
	  "{\"ae\":{\"ty\":2,\"ri\":\"5\",\"lbl\":[\"a\",\"b\"],"
	  "\"api\":\"true\",\"rr\":true,\"srv\":[\"3\",\"true\"]}}", 0 },
	{ "con of any type",
	  "{\"cin\":{\"con\":{ \"a\" : [ 1.10, \"b \\\" c\\u0001\" ] }}}",
	  "<cin><con>{\"a\":[1.10,\"b \\\" c\\u0001\"]}</con></cin>",
	  "{\"cin\":{\"con\":\"{\\\"a\\\":[1.10,\\\"b \\\\\\\" c\\\\u0001"
	  "\\\"]}\"}}", 0 },
	{ "con that is a number", "{\"cin\":{\"con\":1.10}}",
	  "<cin><con>1.10</con></cin>", "{\"cin\":{\"con\":\"1.10\"}}", 0 },
	{ "con that is a list", "{\"cin\":{\"con\":[1, 2]}}",
	  "<cin><con>[1,2]</con></cin>", "{\"cin\":{\"con\":\"[1,2]\"}}", 0 },
	{ "unknown values are text",
	  "{\"ae\":{\"z1\":1,\"z2\":true,\"z3\":null,\"z4\":[1,\"b\"],"
	  "\"z5\":[],\"z6\":{},\"z7\":[\"a\"]}}",
	  "<ae><z1>1</z1><z2>true</z2><z3/><z4>1 b</z4><z5/><z6/><z7>a</z7>"
	  "</ae>",
	  "{\"ae\":{\"z1\":\"1\",\"z2\":\"true\",\"z3\":\"\",\"z4\":\"1 b\","
	  "\"z5\":\"\",\"z6\":\"\",\"z7\":\"a\"}}", 0 },
	{ "what is repeated, without a member",
	  "{\"acp\":{\"pv\":{\"acr\":[]}}}", "<acp><pv/></acp>",
	  "{\"acp\":{\"pv\":{}}}", 0 },
	{ "one where several may be",
	  "{\"acp\":{\"pv\":{\"acr\":{\"acop\":1}}}}",
	  "<acp><pv><acr><acop>1</acop></acr></pv></acp>",
	  "{\"acp\":{\"pv\":{\"acr\":[{\"acop\":1}]}}}", 0 },
	{ "a list where one number belongs",
	  "{\"acp\":{\"pv\":{\"acr\":[{\"acod\":[{\"ty\":[2,3]}]}]}}}",
	  "<acp><pv><acr><acod><ty>2 3</ty></acod></acr></pv></acp>", NULL, 0 },
	{ "a list of what is known by name alone",
	  "{\"zz\":{\"sur\":[\"a b\",\"c\"],\"mni\":[1,2],\"bn\":[{\"num\":1},"
	  "{\"num\":2}],\"gn\":[\"a\",\"b\"]}}",
	  "<zz><sur>a b</sur><sur>c</sur><mni>1 2</mni><bn><num>1</num></bn>"
	  "<bn><num>2</num></bn><gn>a b</gn></zz>",
	  "{\"zz\":{\"sur\":[\"a b\",\"c\"],\"mni\":[1,2],\"bn\":[{\"num\":1},"
	  "{\"num\":2}],\"gn\":\"a b\"}}", 0 },
	{ "an object where text belongs", "{\"ae\":{\"apn\":{\"a\":\"1\"}}}",
	  "<ae><apn><a>1</a></apn></ae>", NULL, 0 },
	{ "content that is text in pc", "{\"m2m:rsp\":{\"pc\":\"a/b\"}}",
	  "<m2m:rsp xmlns:m2m=\"http://www.onem2m.org/xml/protocols\">"
	  "<pc>a/b</pc></m2m:rsp>", NULL, 0 },
	{ "a value of ref without a name", "{\"rrl\":{\"rrf\":[{\"val\":\"a\"}]}}",
	  "<rrl><rrf>a</rrf></rrl>", NULL, 0 },
	{ "a list where one text belongs", "{\"ae\":{\"apn\":[\"a\",\"b\"]}}",
	  NULL, NULL, ERR_PROTO },
	{ "a list where one object belongs", "{\"sub\":{\"bn\":[{}]}}", NULL,
	  NULL, ERR_PROTO },
	{ "a list in a list", "{\"ae\":{\"zz\":[[1]]}}", NULL, NULL,
	  ERR_PROTO },
	{ "null in a list", "{\"ae\":{\"poa\":[null]}}", NULL, NULL,
	  ERR_PROTO },
	{ "null among objects", "{\"acp\":{\"pv\":{\"acr\":[null]}}}", NULL,
	  NULL, ERR_PROTO },
	{ "a blank in a list", "{\"ae\":{\"lbl\":[\"a b\"]}}", NULL, NULL,
	  ERR_PROTO },
	{ "nothing in a list", "{\"ae\":{\"lbl\":[\"\"]}}", NULL, NULL,
	  ERR_PROTO },
	{ "an object in a list", "{\"ae\":{\"lbl\":[{}]}}", NULL, NULL,
	  ERR_PROTO },
	{ "control character", "{\"ae\":{\"apn\":\"\\u0001\"}}", NULL, NULL,
	  ERR_PROTO },
	{ "NUL", "{\"ae\":{\"apn\":\"\\u0000\"}}", NULL, NULL, ERR_PROTO },
	{ "U+FFFE", "{\"ae\":{\"apn\":\"\\ufffe\"}}", NULL, NULL, ERR_PROTO },
	{ "control character in rn", "{\"ae\":{\"rn\":\"\\u001f\"}}", NULL,
	  NULL, ERR_PROTO },
	{ "an object for an XML attribute",
	  "{\"ae\":{\"rn\":{\"a\":\"1\"}}}", "<ae><rn><a>1</a></rn></ae>",
	  NULL, 0 },
	{ "a list for an XML attribute", "{\"ae\":{\"rn\":[]}}", NULL, NULL,
	  ERR_PROTO },
	{ "text beside a list has an element",
	  "{\"ae\":{\"ch\":[{\"nm\":\"a\",\"typ\":[1,2],\"val\":\"\\r\"}]}}",
	  "<ae><ch nm=\"a\"><typ>1 2</typ><val>&#13;</val></ch></ae>", NULL, 0 },
	{ "one name twice", "{\"ae\":{\"rr\":true,\"rr\":true}}", NULL, NULL,
	  ERR_PROTO },
	{ "one name twice that nobody knows",
	  "{\"ae\":{\"x1\":1,\"y\":2,\"x1\":1}}", NULL, NULL, ERR_PROTO },
	{ "in what nobody knows",
	  "{\"ae\":{\"x\":{\"y\":\"1\",\"y\":\"2\"}}}", NULL, NULL, ERR_PROTO },
	{ "with an escape", "{\"ae\":{\"x1\":1,\"\\u0078\\u0031\":1}}", NULL,
	  NULL, ERR_PROTO },
	{ "with a prefix", "{\"ae\":{\"a:x\":1,\"a:x\":1}}", NULL, NULL,
	  ERR_PROTO },
	{ "a blank in a name", "{\"ae\":{\"a b\":1}}", NULL, NULL, ERR_PROTO },
	{ "an empty name", "{\"ae\":{\"\":1}}", NULL, NULL, ERR_PROTO },
	{ "a digit first", "{\"ae\":{\"1\":1}}", NULL, NULL, ERR_PROTO },
	{ "two colons", "{\"a:b:c\":{}}", NULL, NULL, ERR_PROTO },
	{ "no prefix", "{\":c\":{}}", NULL, NULL, ERR_PROTO },
	{ "a prefix of XML itself", "{\"xmlns:c\":{}}", NULL, NULL,
	  ERR_PROTO },
	{ "markup in a name", "{\"ae\":{\"a><b\":1}}", NULL, NULL, ERR_PROTO },
	{ "no text beside elements",
	  "{\"ae\":{\"ch\":[{\"val\":\"a\",\"zz\":\"1\"}]}}",
	  "<ae><ch><val>a</val><zz>1</zz></ch></ae>", NULL, 0 },
	{ "two members", "{\"cnt\":{},\"ae\":{}}", NULL, NULL, ERR_PROTO },
	{ "two roots", "{\"m2m:cnt\":[{},{}]}", NULL, NULL, ERR_PROTO },
	{ "not an object", "[]", NULL, NULL, ERR_PROTO },
	{ "not JSON", "{", NULL, NULL, ERR_PROTO },
	{ "deep", "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
	  "{\"a\":{\"a\":1}}}}}}}}}}", NULL, NULL, ERR_LIMIT },
};

#endif
