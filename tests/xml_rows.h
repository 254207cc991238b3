#ifndef TESTS_XML_ROWS_H
#define TESTS_XML_ROWS_H

/* What follows the name of each root element. */
#define NS " xmlns:m2m=\"http://www.onem2m.org/xml/protocols\""
#define DOMAIN(d) " xmlns:" d "=\"http://www.onem2m.org/xml/protocols/"

/* Content that is the same both ways, member for member. */
static const struct {
	const char *name, *json, *xml;
} same[] = {
	{ "contentInstance",
	  "{\"m2m:cin\":{\"lbl\":[\"unit:\xc2\xb0""C\",\"room:5\"],"
	  "\"cnf\":\"text/plain:0\",\"con\":\"021.50\"}}",
	  "<m2m:cin" NS "><lbl>unit:\xc2\xb0""C room:5</lbl>"
	  "<cnf>text/plain:0</cnf><con>021.50</con></m2m:cin>" },
	{ "rn is an XML attribute",
	  "{\"m2m:cnt\":{\"rn\":\"a<\\\"&\",\"mni\":10}}",
	  "<m2m:cnt" NS " rn=\"a&lt;&quot;&amp;\"><mni>10</mni></m2m:cnt>" },
	{ "digits are text where the standard says so",
	  "{\"m2m:ae\":{\"ri\":\"5\",\"api\":\"N1\",\"or\":\"5\","
	  "\"rr\":false,\"srv\":[\"2a\",\"3\"]}}",
	  "<m2m:ae" NS "><ri>5</ri><api>N1</api><or>5</or><rr>false</rr>"
	  "<srv>2a 3</srv></m2m:ae>" },
	{ "a type in another context",
	  "{\"m2m:sub\":{\"enc\":{\"atr\":[\"lbl\",\"et\"],\"net\":[1,3],"
	  "\"chty\":[4]},\"nu\":[\"/in/C\"],\"nct\":1}}",
	  "<m2m:sub" NS "><enc><atr>lbl et</atr><net>1 3</net>"
	  "<chty>4</chty></enc><nu>/in/C</nu><nct>1</nct></m2m:sub>" },
	{ "rules, repeated",
	  "{\"m2m:acp\":{\"pv\":{\"acr\":[{\"acor\":[\"C1\",\"/in/C2\"],"
	  "\"acop\":34},{\"acor\":[\"all\"],\"acop\":2,\"acco\":[{\"actw\":"
	  "[\"* * 0 * * * *\",\"* 1\"],\"acip\":{\"ipv4\":[\"10.0.0.1\"]},"
	  "\"aclr\":{\"accr\":[1.5,2,3]}}]}]},\"pvs\":{}}}",
	  "<m2m:acp" NS "><pv><acr><acor>C1 /in/C2</acor><acop>34</acop>"
	  "</acr><acr><acor>all</acor><acop>2</acop><acco>"
	  "<actw>* * 0 * * * *</actw><actw>* 1</actw>"
	  "<acip><ipv4>10.0.0.1</ipv4></acip><aclr><accr>1.5 2 3</accr>"
	  "</aclr></acco></acr></pv><pvs/></m2m:acp>" },
	{ "references to children",
	  "{\"m2m:ae\":{\"api\":\"N\",\"ch\":[{\"nm\":\"temp\",\"typ\":3,"
	  "\"val\":\"cb1/meter7/temp\"},{\"nm\":\"x\",\"typ\":28,"
	  "\"spty\":\"org.x\",\"val\":\"cb1/x\"}]}}",
	  "<m2m:ae" NS "><api>N</api><ch nm=\"temp\" typ=\"3\">"
	  "cb1/meter7/temp</ch><ch nm=\"x\" typ=\"28\" spty=\"org.x\">cb1/x"
	  "</ch></m2m:ae>" },
	{ "children are arrays, even one",
	  "{\"m2m:ae\":{\"api\":\"N\",\"m2m:cnt\":[{\"rn\":\"t\","
	  "\"m2m:cin\":[{\"con\":\"1\"},{\"con\":\"2\"}]}],"
	  "\"m2m:sub\":[{\"nu\":[]}]}}",
	  "<m2m:ae" NS "><api>N</api><m2m:cnt rn=\"t\"><m2m:cin>"
	  "<con>1</con></m2m:cin><m2m:cin><con>2</con></m2m:cin></m2m:cnt>"
	  "<m2m:sub><nu/></m2m:sub></m2m:ae>" },
	{ "but what is no resource is one value",
	  "{\"m2m:ae\":{\"api\":\"N\",\"m2m:uri\":\"cb1/t\"}}",
	  "<m2m:ae" NS "><api>N</api><m2m:uri>cb1/t</m2m:uri></m2m:ae>" },
	{ "notification",
	  "{\"m2m:sgn\":{\"nev\":{\"rep\":{\"m2m:cin\":{\"rn\":\"cin_10\","
	  "\"ty\":4,\"ri\":\"cin10\",\"con\":\"22.0\"}},\"net\":3},"
	  "\"sur\":\"/in-cse1/sub78\"}}",
	  "<m2m:sgn" NS "><nev><rep><m2m:cin rn=\"cin_10\"><ty>4</ty>"
	  "<ri>cin10</ri><con>22.0</con></m2m:cin></rep><net>3</net></nev>"
	  "<sur>/in-cse1/sub78</sur></m2m:sgn>" },
	{ "notification of an identifier",
	  "{\"m2m:sgn\":{\"nev\":{\"rep\":{\"m2m:uri\":\"cb1/x\"},"
	  "\"om\":{\"op\":3,\"or\":\"5\"}},\"vrq\":true}}",
	  "<m2m:sgn" NS "><nev><rep><m2m:uri>cb1/x</m2m:uri></rep>"
	  "<om><op>3</op><or>5</or></om></nev><vrq>true</vrq></m2m:sgn>" },
	{ "batch of notifications",
	  "{\"m2m:agn\":{\"m2m:sgn\":[{\"sud\":true},{\"sur\":\"7\"}]}}",
	  "<m2m:agn" NS "><m2m:sgn><sud>true</sud></m2m:sgn><m2m:sgn>"
	  "<sur>7</sur></m2m:sgn></m2m:agn>" },
	{ "a primitive within",
	  "{\"m2m:rsp\":{\"rsc\":2000,\"rqi\":\"20\",\"pc\":{\"m2m:cnt\":"
	  "{\"rn\":\"t\",\"ty\":3}},\"rvi\":\"3\"}}",
	  "<m2m:rsp" NS "><rsc>2000</rsc><rqi>20</rqi><pc><m2m:cnt rn=\"t\">"
	  "<ty>3</ty></m2m:cnt></pc><rvi>3</rvi></m2m:rsp>" },
	{ "a request within",
	  "{\"m2m:rqp\":{\"op\":2,\"to\":\"a\",\"fr\":\"b\",\"rqi\":\"1\","
	  "\"rt\":{\"rtv\":2,\"nu\":[\"/in/C\"]},\"da\":true,\"fc\":{"
	  "\"ty\":[3,4],\"cty\":[\"a b\",\"c\"],\"atr\":[{\"nm\":\"cr\","
	  "\"val\":\"C\"}],\"fu\":1},\"rvi\":\"3\"}}",
	  "<m2m:rqp" NS "><op>2</op><to>a</to><fr>b</fr><rqi>1</rqi><rt>"
	  "<rtv>2</rtv><nu>/in/C</nu></rt><da>true</da><fc><ty>3 4</ty>"
	  "<cty>a b</cty><cty>c</cty><atr><nm>cr</nm><val>C</val></atr>"
	  "<fu>1</fu></fc><rvi>3</rvi></m2m:rqp>" },
	{ "answers of a group",
	  "{\"m2m:agr\":{\"m2m:rsp\":[{\"rsc\":2000,\"rqi\":\"1\"}]}}",
	  "<m2m:agr" NS "><m2m:rsp><rsc>2000</rsc><rqi>1</rqi></m2m:rsp>"
	  "</m2m:agr>" },
	{ "resource and address",
	  "{\"m2m:rce\":{\"m2m:cnt\":{\"ri\":\"1\"},\"uri\":\"cb/x\"}}",
	  "<m2m:rce" NS "><m2m:cnt><ri>1</ri></m2m:cnt><uri>cb/x</uri>"
	  "</m2m:rce>" },
	{ "resource without prefix, as ACME writes",
	  "{\"m2m:rce\":{\"uri\":\"cb/x\",\"cnt\":{\"mni\":1}}}",
	  "<m2m:rce" NS "><uri>cb/x</uri><cnt><mni>1</mni></cnt></m2m:rce>" },
	{ "a text", "{\"m2m:uri\":\"cb1/x\"}",
	  "<m2m:uri" NS ">cb1/x</m2m:uri>" },
	{ "why it failed", "{\"m2m:dbg\":\"a < b\"}",
	  "<m2m:dbg" NS ">a &lt; b</m2m:dbg>" },
	{ "a list", "{\"m2m:uril\":[\"cb1/a\",\"cb1/b\"]}",
	  "<m2m:uril" NS ">cb1/a cb1/b</m2m:uril>" },
	{ "a list of one", "{\"m2m:uril\":[\"cb1/a\"]}",
	  "<m2m:uril" NS ">cb1/a</m2m:uril>" },
	{ "an empty list", "{\"m2m:uril\":[]}", "<m2m:uril" NS "/>" },
	{ "attributes to retrieve", "{\"m2m:atrl\":[\"rr\",\"poa\"]}",
	  "<m2m:atrl" NS ">rr poa</m2m:atrl>" },
	{ "what was found",
	  "{\"m2m:rrl\":{\"rrf\":[{\"nm\":\"t\",\"typ\":3,\"val\":\"a/t\"}]}}",
	  "<m2m:rrl" NS "><rrf nm=\"t\" typ=\"3\">a/t</rrf></m2m:rrl>" },
	{ "a schedule has blanks",
	  "{\"m2m:sch\":{\"se\":{\"sce\":[\"* * 1 * * * *\",\"0\"]},"
	  "\"nco\":true}}",
	  "<m2m:sch" NS "><se><sce>* * 1 * * * *</sce><sce>0</sce></se>"
	  "<nco>true</nco></m2m:sch>" },
	{ "one name, an attribute and a resource",
	  "{\"m2m:rbo\":{\"mgd\":1009,\"rbo\":true,\"far\":false}}",
	  "<m2m:rbo" NS "><mgd>1009</mgd><rbo>true</rbo><far>false</far>"
	  "</m2m:rbo>" },
	{ "cb of a remoteCSE is text",
	  "{\"m2m:csr\":{\"cst\":2,\"cb\":\"/mn/b\",\"dcse\":[\"/x\"]}}",
	  "<m2m:csr" NS "><cst>2</cst><cb>/mn/b</cb><dcse>/x</dcse>"
	  "</m2m:csr>" },
	{ "announced",
	  "{\"m2m:aeA\":{\"lnk\":\"/in/7\",\"lbl\":[\"5\"],\"rr\":true}}",
	  NULL },
	{ "a type of a later release",
	  "{\"m2m:zz\":{\"ty\":99,\"lbl\":[\"a\"],\"nu\":[\"1\",\"2\"],"
	  "\"mni\":7,\"q\":\"7\"}}",
	  "<m2m:zz" NS "><ty>99</ty><lbl>a</lbl><nu>1 2</nu><mni>7</mni>"
	  "<q>7</q></m2m:zz>" },
	{ "numbers of any size, as they are written",
	  "{\"m2m:cnt\":{\"mni\":18446744073709551615,\"mbs\":"
	  "-9223372036854775808,\"mia\":1.10,\"cni\":0.0,\"cbs\":1E+2}}",
	  "<m2m:cnt" NS "><mni>18446744073709551615</mni>"
	  "<mbs>-9223372036854775808</mbs><mia>1.10</mia><cni>0.0</cni>"
	  "<cbs>1E+2</cbs></m2m:cnt>" },
	{ "blanks and line ends of text stay",
	  "{\"m2m:cin\":{\"rn\":\" \\t\\n\\r\",\"con\":\" \\t\\n\\r\\n \"}}",
	  "<m2m:cin" NS " rn=\" &#9;&#10;&#13;\"><con> \t\n&#13;\n </con>"
	  "</m2m:cin>" },
	{ "characters of markup",
	  "{\"m2m:cin\":{\"con\":\"]]> <a>&lt;'\\\"\"}}",
	  "<m2m:cin" NS "><con>]]&gt; &lt;a&gt;&amp;lt;'\"</con></m2m:cin>" },
	{ "what a flexContainer has of its own",
	  "{\"cod:color\":{\"cnd\":\"org.c\",\"red\":255,\"lum\":-0.50,"
	  "\"on\":true,\"name\":\"007\",\"m2m:sub\":[{\"nu\":[\"C\"]}]}}",
	  "<cod:color" DOMAIN("cod") "commondomain\"><cnd>org.c</cnd>"
	  "<red>255</red><lum>-0.50</lum><on>true</on><name>007</name>"
	  "<m2m:sub" NS "><nu>C</nu></m2m:sub></cod:color>" },
	{ "a domain of our own",
	  "{\"x1:lamp\":{\"rn\":\"l\",\"x1:part\":[{\"on\":false}]}}",
	  "<x1:lamp" DOMAIN("x1") "x1\" rn=\"l\"><x1:part><on>false</on>"
	  "</x1:part></x1:lamp>" },
	{ "the home domain of Release 2",
	  "{\"hd:bulb\":{\"n\":1}}",
	  "<hd:bulb" DOMAIN("hd") "homedomain\"><n>1</n></hd:bulb>" },
	{ "unknown: objects and repeated ones",
	  "{\"m2m:ae\":{\"zz\":{\"a\":{\"b\":\"1\"}},\"yy\":[\"a b\",\"c\"],"
	  "\"xx\":[{\"a\":\"1\"},{\"a\":\"2\"}]}}",
	  "<m2m:ae" NS "><zz><a><b>1</b></a></zz><yy>a b</yy><yy>c</yy>"
	  "<xx><a>1</a></xx><xx><a>2</a></xx></m2m:ae>" },
	{ "nothing at all", "{\"m2m:cnt\":{}}", "<m2m:cnt" NS "/>" },
	{ "no creator yet, text and lists that are empty",
	  "{\"m2m:grp\":{\"lbl\":[],\"cr\":null,\"mnm\":1,\"mid\":[],"
	  "\"gn\":\"\"}}",
	  "<m2m:grp" NS "><lbl/><cr/><mnm>1</mnm><mid/><gn/></m2m:grp>" },
	{ "no name has a prefix", "{\"cnt\":{\"mni\":1}}",
	  "<cnt><mni>1</mni></cnt>" },
};

#endif
