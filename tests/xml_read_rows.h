#ifndef TESTS_XML_READ_ROWS_H
#define TESTS_XML_READ_ROWS_H

#include "m2m/prim.h"

#define URI "http://www.onem2m.org/xml/protocols"

/* XML that others may write. json NULL: refused with err. */
static const struct {
	const char *name, *xml, *json;
	enum op op;
	int err;
} reads[] = {
	{ "another prefix",
	  "<x:ae xmlns:x='" URI "' rn='a'><rr>1</rr></x:ae>",
	  "{\"m2m:ae\":{\"rn\":\"a\",\"rr\":true}}", OP_CREATE, 0 },
	{ "default namespace: attributes stay attributes",
	  "<ae xmlns=\"" URI "\"><rr> 0 </rr><cnt><mni>1</mni></cnt></ae>",
	  "{\"m2m:ae\":{\"rr\":false,\"m2m:cnt\":[{\"mni\":1}]}}",
	  OP_NONE, 0 },
	{ "default namespace: cb is an attribute of csr",
	  "<csr xmlns=\"" URI "\"><cb>/a</cb><zz>1</zz></csr>",
	  "{\"m2m:csr\":{\"cb\":\"/a\",\"zz\":\"1\"}}", OP_NONE, 0 },
	{ "default namespace within nev",
	  "<sgn xmlns=\"" URI "\"><nev><rep><cin><con>1</con></cin></rep>"
	  "</nev></sgn>",
	  "{\"m2m:sgn\":{\"nev\":{\"rep\":{\"m2m:cin\":{\"con\":\"1\"}}}}}",
	  OP_NOTIFY, 0 },
	{ "default namespace that ends",
	  "<cnt xmlns=\"" URI "\"><mni xmlns=\"\">1</mni></cnt>",
	  "{\"m2m:cnt\":{\"mni\":1}}", OP_NONE, 0 },
	{ "everything qualified",
	  "<m:cnt xmlns:m='" URI "'><m:mni>1</m:mni><m:lbl>a</m:lbl></m:cnt>",
	  "{\"m2m:cnt\":{\"mni\":1,\"lbl\":[\"a\"]}}", OP_NONE, 0 },
	{ "a domain by its URI",
	  "<q:c xmlns:q='" URI "/commondomain'><n>1</n></q:c>",
	  "{\"cod:c\":{\"n\":1}}", OP_NONE, 0 },
	{ "a domain as default namespace",
	  "<c xmlns='" URI "/homedomain'><n>1</n></c>",
	  "{\"hod:c\":{\"n\":1}}", OP_NONE, 0 },
	{ "a URI of someone else",
	  "<q:c xmlns:q='urn:x'><n>1</n></q:c>", "{\"q:c\":{\"n\":1}}",
	  OP_NONE, 0 },
	{ "the same as default namespace: JSON has no name for it",
	  "<c xmlns='urn:x'/>", NULL, OP_NONE, ERR_PROTO },
	{ "one prefix twice",
	  "<q:c xmlns:q='urn:x'><q:d xmlns:q='urn:y'/></q:c>", NULL, OP_NONE,
	  ERR_PROTO },
	{ "m2m is not anybody's",
	  "<m2m:c xmlns:m2m='urn:x'/>", NULL, OP_NONE, ERR_PROTO },
	{ "declaration, layout, comments, instructions",
	  "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- a -->\n<?b c?>"
	  "<cnt>\n\t<mni>1</mni><!-- <mbs>2</mbs> -->\n<?d?></cnt>\n<!-- -->\n",
	  "{\"cnt\":{\"mni\":1}}", OP_NONE, 0 },
	{ "byte order mark", "\xef\xbb\xbf<cnt><mni>1</mni></cnt>",
	  "{\"cnt\":{\"mni\":1}}", OP_NONE, 0 },
	{ "CDATA, references, line ends",
	  "<cin><con>a<![CDATA[<b>&amp;\r\n]]>&lt;&#x41;&#228;&#x1F600;\r&#13;"
	  "<!-- x --><?y z?>\r\nc</con></cin>",
	  "{\"cin\":{\"con\":\"a<b>&amp;\\n<A\xc3\xa4\xf0\x9f\x98\x80\\n\\r"
	  "\\nc\"}}", OP_NONE, 0 },
	{ "CDATA of blanks is text", "<cin><con><![CDATA[ ]]></con></cin>",
	  "{\"cin\":{\"con\":\" \"}}", OP_NONE, 0 },
	{ "attributes are normalised",
	  "<cnt rn=' a\tb\r\nc&#10;&quot;'/>",
	  "{\"cnt\":{\"rn\":\" a b c\\n\\\"\"}}", OP_NONE, 0 },
	{ "schema attributes do not count",
	  "<cnt xmlns:i='http://www.w3.org/2001/XMLSchema-instance' "
	  "i:nil='true' xml:lang='en'><mni i:type='x'>1</mni></cnt>",
	  "{\"cnt\":{\"mni\":1}}", OP_NONE, 0 },
	{ "rn as an element", "<cnt><rn>a</rn></cnt>",
	  "{\"cnt\":{\"rn\":\"a\"}}", OP_NONE, 0 },
	{ "rn as both", "<cnt rn='a'><rn>a</rn></cnt>", NULL, OP_NONE,
	  ERR_PROTO },
	{ "an attribute that the standard has not", "<cnt nr='a'/>", NULL,
	  OP_NONE, ERR_PROTO },
	{ "any order",
	  "<cnt><mni>1</mni><lbl>a</lbl><ty>3</ty></cnt>",
	  "{\"cnt\":{\"mni\":1,\"lbl\":[\"a\"],\"ty\":3}}", OP_NONE, 0 },
	{ "a list as repeated elements, as OM2M writes",
	  "<cnt><acpi>a b</acpi><ty>3</ty><acpi>c</acpi></cnt>",
	  "{\"cnt\":{\"acpi\":[\"a\",\"b\",\"c\"],\"ty\":3}}", OP_NONE, 0 },
	{ "children that alternate",
	  "<m:ae xmlns:m='" URI "'><m:cnt><mni>1</mni></m:cnt><m:sub/>"
	  "<m:cnt><mni>2</mni></m:cnt></m:ae>",
	  "{\"m2m:ae\":{\"m2m:cnt\":[{\"mni\":1},{\"mni\":2}],"
	  "\"m2m:sub\":[{}]}}", OP_NONE, 0 },
	{ "lists where numbers are, in a list",
	  "<mn><psn>1 2</psn><psn>a b</psn><psn>3</psn></mn>",
	  "{\"mn\":{\"psn\":[\"1 2\",\"a b\",3]}}", OP_NONE, 0 },
	{ "a list where a number is", "<mn><psn>1 2</psn></mn>",
	  "{\"mn\":{\"psn\":[1,2]}}", OP_NONE, 0 },
	{ "one value twice", "<cnt><mni>1</mni><mni>1</mni></cnt>", NULL,
	  OP_NONE, ERR_PROTO },
	{ "what is carried, twice",
	  "<m:sgn xmlns:m='" URI "'><nev><rep><m:cin/><m:cin/></rep></nev>"
	  "</m:sgn>", NULL, OP_NONE, ERR_PROTO },
	{ "lexical forms of numbers",
	  "<cnt><mni>+007</mni><mbs>-.50</mbs><mia> 3. </mia><cni>00</cni>"
	  "<cbs>1e5</cbs><st>-0</st></cnt>",
	  "{\"cnt\":{\"mni\":7,\"mbs\":-0.50,\"mia\":3,\"cni\":0,\"cbs\":1e5,"
	  "\"st\":-0}}", OP_NONE, 0 },
	{ "numbers that are none",
	  "<cnt><mni>x</mni><mbs>1e</mbs><mia>.</mia><cni>INF</cni>"
	  "<cbs>0x1</cbs><st>--1</st></cnt>",
	  "{\"cnt\":{\"mni\":\"x\",\"mbs\":\"1e\",\"mia\":\".\","
	  "\"cni\":\"INF\",\"cbs\":\"0x1\",\"st\":\"--1\"}}", OP_NONE, 0 },
	{ "several numbers where there is one",
	  "<acp><pv><acr><acod><ty>2 3</ty></acod></acr></pv></acp>",
	  "{\"acp\":{\"pv\":{\"acr\":[{\"acod\":[{\"ty\":[2,3]}]}]}}}",
	  OP_NONE, 0 },
	{ "a boolean that is none", "<ae><rr>yes</rr></ae>",
	  "{\"ae\":{\"rr\":\"yes\"}}", OP_NONE, 0 },
	{ "elements where text belongs", "<ae><apn><a>1</a></apn></ae>",
	  "{\"ae\":{\"apn\":{\"a\":\"1\"}}}", OP_NONE, 0 },
	{ "text where elements belong", "<sub><enc>x</enc></sub>",
	  "{\"sub\":{\"enc\":\"x\"}}", OP_NONE, 0 },
	{ "elements in a list", "<ae><poa>x<a/></poa></ae>", NULL, OP_NONE,
	  ERR_PROTO },
	{ "text between elements", "<ae>x<rr>1</rr></ae>", NULL, OP_NONE,
	  ERR_PROTO },
	{ "con keeps elements as they are",
	  "<cin><con>a <b c='&amp;'>1</b>&lt;</con></cin>",
	  "{\"cin\":{\"con\":\"a <b c='&amp;'>1</b>&lt;\"}}", OP_NONE, 0 },
	{ "an UPDATE deletes what is empty, but not within",
	  "<sub><lbl/><exc></exc><enc><net/></enc><bn/><rl> </rl></sub>",
	  "{\"sub\":{\"lbl\":null,\"exc\":null,\"enc\":{\"net\":[]},"
	  "\"bn\":null,\"rl\":null}}", OP_UPDATE, 0 },
	{ "the same of a repeated one, of text, of the unknown",
	  "<ae><ape/><apn/><zz/></ae>",
	  "{\"ae\":{\"ape\":null,\"apn\":null,\"zz\":null}}", OP_UPDATE, 0 },
	{ "no null in a list",
	  "<ae><ape/><ape/><zz/><zz/><zy><cr/><cr/></zy></ae>",
	  "{\"ae\":{\"ape\":[{},{}],\"zz\":[\"\",\"\"],\"zy\":{\"cr\":[\"\","
	  "\"\"]}}}", OP_UPDATE, 0 },
	{ "con of an UPDATE", "<cin><con/></cin>", "{\"cin\":{\"con\":\"\"}}",
	  OP_UPDATE, 0 },
	{ "elsewhere it is empty",
	  "<sub><lbl/><exc></exc><enc><net/></enc><bn/><gpi/><cr/><zz/>"
	  "<ch/></sub>",
	  "{\"sub\":{\"lbl\":[],\"exc\":null,\"enc\":{\"net\":[]},\"bn\":{},"
	  "\"gpi\":\"\",\"cr\":null,\"zz\":\"\",\"ch\":[{}]}}", OP_CREATE, 0 },
	{ "unknown: XML attributes and text",
	  "<ae><zz nm='a' typ='3'>t</zz></ae>",
	  "{\"ae\":{\"zz\":{\"nm\":\"a\",\"typ\":3,\"val\":\"t\"}}}", OP_NONE,
	  0 },
	{ "conditions without atr, as ACME has them",
	  "<rqp><fc><fu>1</fu><cr>C</cr><mni>5</mni></fc></rqp>",
	  "{\"rqp\":{\"fc\":{\"fu\":1,\"cr\":\"C\",\"mni\":5}}}", OP_NONE, 0 },
	{ "flexContainer: only what is sure",
	  "<c:x xmlns:c='urn:c'><a>1234567890123456</a><b>01</b><d>1e5</d>"
	  "<e>1.</e><f>TRUE</f><g>-</g><h>123456789012345</h><i>+1</i>"
	  "<or>5</or></c:x>",
	  "{\"c:x\":{\"a\":\"1234567890123456\",\"b\":\"01\",\"d\":\"1e5\","
	  "\"e\":\"1.\",\"f\":\"TRUE\",\"g\":\"-\",\"h\":123456789012345,"
	  "\"i\":\"+1\",\"or\":\"5\"}}", OP_NONE, 0 },
	{ "DOCTYPE", "<!DOCTYPE a><a/>", NULL, OP_NONE, ERR_PROTO },
	{ "entities",
	  "<!DOCTYPE a [<!ENTITY x \"y\"><!ENTITY z \"&x;&x;\">]><a>&z;</a>",
	  NULL, OP_NONE, ERR_PROTO },
	{ "files", "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", NULL,
	  OP_NONE, ERR_PROTO },
	{ "undefined entity", "<a>&x;</a>", NULL, OP_NONE, ERR_PROTO },
	{ "another encoding", "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
	  NULL, OP_NONE, ERR_PROTO },
	{ "another version", "<?xml version='1.1'?><a/>", NULL, OP_NONE,
	  ERR_PROTO },
	{ "not UTF-8", "<a>\xe4</a>", NULL, OP_NONE, ERR_PROTO },
	{ "a surrogate", "<a>\xed\xa0\x80</a>", NULL, OP_NONE, ERR_PROTO },
	{ "control character", "<a>\x01</a>", NULL, OP_NONE, ERR_PROTO },
	{ "the same as a reference", "<a>&#1;</a>", NULL, OP_NONE, ERR_PROTO },
	{ "U+FFFF", "<a>\xef\xbf\xbf</a>", NULL, OP_NONE, ERR_PROTO },
	{ "cut off", "<a><b>", NULL, OP_NONE, ERR_PROTO },
	{ "goes on", "<a/><a/>", NULL, OP_NONE, ERR_PROTO },
	{ "text behind it", "<a/>x", NULL, OP_NONE, ERR_PROTO },
	{ "nothing", "", NULL, OP_NONE, ERR_PROTO },
	{ "JSON", "{\"a\":1}", NULL, OP_NONE, ERR_PROTO },
	{ "undeclared prefix", "<q:a/>", NULL, OP_NONE, ERR_PROTO },
	{ "a name beyond ASCII", "<\xc3\xa4/>", NULL, OP_NONE, ERR_PROTO },
	{ "deep", "<a><a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a>"
	  "</a>",
	  NULL, OP_NONE, ERR_LIMIT },
	{ "deep as JSON only",
	  "<m:cnt xmlns:m='" URI "'><m:cnt><m:cnt><m:cnt><m:cnt/></m:cnt>"
	  "</m:cnt></m:cnt></m:cnt>", NULL, OP_NONE, ERR_LIMIT },
};

#endif
