#ifndef TESTS_CODEC_XML_ROWS_H
#define TESTS_CODEC_XML_ROWS_H

/* One exchange after the other as JSON, and the whole message as XML, behind
 * the declaration and the namespace of its root. */
static const struct {
	const char *name, *json, *xml;
} examples[] = {
	{ "2. CREATE AE",
	  "{\"op\":1,\"to\":\"cb1\",\"fr\":\"C\",\"rqi\":\"r-001\","
	  "\"rvi\":\"3\",\"ty\":2,\"pc\":{\"m2m:ae\":{\"rn\":\"meter7\","
	  "\"api\":\"Nmeter\",\"rr\":true,\"srv\":[\"3\"],"
	  "\"poa\":[\"ws://default\"],\"lbl\":[\"site:north\"]}}}",
	  "<m2m:rqp><op>1</op><to>cb1</to><fr>C</fr><rqi>r-001</rqi>"
	  "<ty>2</ty><pc><m2m:ae rn=\"meter7\"><lbl>site:north</lbl>"
	  "<api>Nmeter</api><poa>ws://default</poa><rr>true</rr><srv>3</srv>"
	  "</m2m:ae></pc><rvi>3</rvi></m2m:rqp>" },
	{ "2. CREATE AE",
	  "{\"rsc\":2001,\"rqi\":\"r-001\",\"rvi\":\"3\",\"to\":\"C\","
	  "\"fr\":\"/in-cse1\",\"pc\":{\"m2m:ae\":{\"rn\":\"meter7\","
	  "\"ty\":2,\"ri\":\"Cmeter7\",\"pi\":\"in-cse1\","
	  "\"ct\":\"20260601T080000\",\"lt\":\"20260601T080000\","
	  "\"et\":\"20270601T080000\",\"lbl\":[\"site:north\"],"
	  "\"api\":\"Nmeter\",\"aei\":\"Cmeter7\","
	  "\"poa\":[\"ws://default\"],\"rr\":true,\"srv\":[\"3\"]}}}",
	  "<m2m:rsp><rsc>2001</rsc><rqi>r-001</rqi><pc>"
	  "<m2m:ae rn=\"meter7\"><ty>2</ty><ri>Cmeter7</ri><pi>in-cse1</pi>"
	  "<ct>20260601T080000</ct><lt>20260601T080000</lt>"
	  "<lbl>site:north</lbl><et>20270601T080000</et><api>Nmeter</api>"
	  "<aei>Cmeter7</aei><poa>ws://default</poa><rr>true</rr>"
	  "<srv>3</srv></m2m:ae></pc><to>C</to><fr>/in-cse1</fr><rvi>3</rvi>"
	  "</m2m:rsp>" },
	{ "3. CREATE container, rcn 0",
	  "{\"op\":1,\"to\":\"cb1/meter7\",\"fr\":\"Cmeter7\","
	  "\"rqi\":\"r-002\",\"rvi\":\"3\",\"ty\":3,\"rcn\":0,"
	  "\"rqet\":\"20260601T080130\",\"pc\":{\"m2m:cnt\":{"
	  "\"rn\":\"temp\",\"mni\":100,\"cr\":null}}}",
	  "<m2m:rqp><op>1</op><to>cb1/meter7</to><fr>Cmeter7</fr>"
	  "<rqi>r-002</rqi><ty>3</ty><pc><m2m:cnt rn=\"temp\"><cr/>"
	  "<mni>100</mni></m2m:cnt></pc><rqet>20260601T080130</rqet>"
	  "<rcn>0</rcn><rvi>3</rvi></m2m:rqp>" },
	{ "3. CREATE container, rcn 0",
	  "{\"rsc\":2001,\"rqi\":\"r-002\",\"rvi\":\"3\"}",
	  "<m2m:rsp><rsc>2001</rsc><rqi>r-002</rqi><rvi>3</rvi></m2m:rsp>" },
	{ "4. CREATE contentInstance",
	  "{\"op\":1,\"to\":\"cb1/meter7/temp\",\"fr\":\"Cmeter7\","
	  "\"rqi\":\"r-003\",\"rvi\":\"3\",\"ty\":4,\"pc\":{\"m2m:cin\":{"
	  "\"cnf\":\"text/plain:0\",\"con\":\"021.50\","
	  "\"lbl\":[\"unit:\xc2\xb0""C\"]}}}",
	  "<m2m:rqp><op>1</op><to>cb1/meter7/temp</to><fr>Cmeter7</fr>"
	  "<rqi>r-003</rqi><ty>4</ty><pc><m2m:cin>"
	  "<lbl>unit:\xc2\xb0""C</lbl><cnf>text/plain:0</cnf>"
	  "<con>021.50</con></m2m:cin></pc><rvi>3</rvi></m2m:rqp>" },
	{ "4. CREATE contentInstance",
	  "{\"rsc\":2001,\"rqi\":\"r-003\",\"rvi\":\"3\","
	  "\"ot\":\"20260601T080200,125\",\"pc\":{\"m2m:cin\":{"
	  "\"rn\":\"cin_9\",\"ty\":4,\"ri\":\"cin9\",\"pi\":\"cnt4711\","
	  "\"ct\":\"20260601T080200\",\"lt\":\"20260601T080200\","
	  "\"et\":\"20270601T080000\",\"st\":0,\"cnf\":\"text/plain:0\","
	  "\"cs\":6,\"con\":\"021.50\",\"lbl\":[\"unit:\xc2\xb0""C\"]}}}",
	  "<m2m:rsp><rsc>2001</rsc><rqi>r-003</rqi><pc>"
	  "<m2m:cin rn=\"cin_9\"><ty>4</ty><ri>cin9</ri><pi>cnt4711</pi>"
	  "<ct>20260601T080200</ct><lt>20260601T080200</lt>"
	  "<lbl>unit:\xc2\xb0""C</lbl><et>20270601T080000</et><st>0</st>"
	  "<cnf>text/plain:0</cnf><cs>6</cs><con>021.50</con></m2m:cin></pc>"
	  "<ot>20260601T080200,125</ot><rvi>3</rvi></m2m:rsp>" },
	{ "5. RETRIEVE",
	  "{\"op\":2,\"to\":\"/in-cse1/cb1/meter7/temp/la\","
	  "\"fr\":\"Cmeter7\",\"rqi\":\"r-004\",\"rvi\":\"3\"}",
	  "<m2m:rqp><op>2</op><to>/in-cse1/cb1/meter7/temp/la</to>"
	  "<fr>Cmeter7</fr><rqi>r-004</rqi><rvi>3</rvi></m2m:rqp>" },
	{ "5. RETRIEVE",
	  "{\"op\":2,\"to\":\"cb1/meter7\",\"fr\":\"Cmeter7\","
	  "\"rqi\":\"r-005\",\"rvi\":\"3\",\"pc\":{\"m2m:atrl\":[\"rr\","
	  "\"poa\"]}}",
	  "<m2m:rqp><op>2</op><to>cb1/meter7</to><fr>Cmeter7</fr>"
	  "<rqi>r-005</rqi><pc><m2m:atrl>rr poa</m2m:atrl></pc><rvi>3</rvi>"
	  "</m2m:rqp>" },
	{ "5. RETRIEVE",
	  "{\"rsc\":2000,\"rqi\":\"r-005\",\"rvi\":\"3\",\"pc\":{"
	  "\"m2m:ae\":{\"rr\":true,\"poa\":[\"ws://default\"]}}}",
	  "<m2m:rsp><rsc>2000</rsc><rqi>r-005</rqi><pc><m2m:ae>"
	  "<poa>ws://default</poa><rr>true</rr></m2m:ae></pc><rvi>3</rvi>"
	  "</m2m:rsp>" },
	{ "6. Discovery",
	  "{\"op\":2,\"to\":\"cb1\",\"fr\":\"Cdisplay2\",\"rqi\":\"r-006\","
	  "\"rvi\":\"3\",\"drt\":1,\"fc\":{\"fu\":1,\"ty\":[3,4],"
	  "\"lbl\":[\"site:north\",\"unit:\xc2\xb0""C\"],"
	  "\"crb\":\"20260701T000000\",\"atr\":[{\"nm\":\"cr\","
	  "\"val\":\"Cmeter7\"},{\"nm\":\"or\",\"val\":\"urn:t/*\"}],"
	  "\"fo\":1,\"lim\":2,\"ofst\":1}}",
	  "<m2m:rqp><op>2</op><to>cb1</to><fr>Cdisplay2</fr><rqi>r-006</rqi>"
	  "<fc><crb>20260701T000000</crb>"
	  "<lbl>site:north unit:\xc2\xb0""C</lbl><ty>3 4</ty><atr>"
	  "<nm>cr</nm><val>Cmeter7</val></atr><atr><nm>or</nm>"
	  "<val>urn:t/*</val></atr><fu>1</fu><lim>2</lim><fo>1</fo>"
	  "<ofst>1</ofst></fc><drt>1</drt><rvi>3</rvi></m2m:rqp>" },
	{ "6. Discovery",
	  "{\"rsc\":2000,\"rqi\":\"r-006\",\"rvi\":\"3\",\"cnst\":1,"
	  "\"cnot\":3,\"pc\":{\"m2m:uril\":[\"cb1/meter7/temp\","
	  "\"cb1/meter7/temp/cin_9\"]}}",
	  "<m2m:rsp><rsc>2000</rsc><rqi>r-006</rqi><pc>"
	  "<m2m:uril>cb1/meter7/temp cb1/meter7/temp/cin_9</m2m:uril></pc>"
	  "<cnst>1</cnst><cnot>3</cnot><rvi>3</rvi></m2m:rsp>" },
	{ "7. UPDATE",
	  "{\"op\":3,\"to\":\"cb1/meter7/temp\",\"fr\":\"Cmeter7\","
	  "\"rqi\":\"r-007\",\"rvi\":\"3\",\"rcn\":9,\"pc\":{\"m2m:cnt\":{"
	  "\"mni\":50,\"lbl\":null}}}",
	  "<m2m:rqp><op>3</op><to>cb1/meter7/temp</to><fr>Cmeter7</fr>"
	  "<rqi>r-007</rqi><pc><m2m:cnt><lbl/><mni>50</mni></m2m:cnt></pc>"
	  "<rcn>9</rcn><rvi>3</rvi></m2m:rqp>" },
	{ "7. UPDATE",
	  "{\"rsc\":2004,\"rqi\":\"r-007\",\"rvi\":\"3\",\"pc\":{"
	  "\"m2m:cnt\":{\"mni\":50,\"lt\":\"20260601T090000\",\"st\":3}}}",
	  "<m2m:rsp><rsc>2004</rsc><rqi>r-007</rqi><pc><m2m:cnt>"
	  "<lt>20260601T090000</lt><st>3</st><mni>50</mni></m2m:cnt></pc>"
	  "<rvi>3</rvi></m2m:rsp>" },
	{ "8. DELETE",
	  "{\"op\":4,\"to\":\"cnt4711\",\"fr\":\"Cmeter7\","
	  "\"rqi\":\"r-008\",\"rvi\":\"3\"}",
	  "<m2m:rqp><op>4</op><to>cnt4711</to><fr>Cmeter7</fr>"
	  "<rqi>r-008</rqi><rvi>3</rvi></m2m:rqp>" },
	{ "8. DELETE",
	  "{\"rsc\":2002,\"rqi\":\"r-008\",\"rvi\":\"3\"}",
	  "<m2m:rsp><rsc>2002</rsc><rqi>r-008</rqi><rvi>3</rvi></m2m:rsp>" },
	{ "9. Subscription with verification",
	  "{\"op\":1,\"to\":\"cb1/meter7/temp\",\"fr\":\"Cdisplay2\","
	  "\"rqi\":\"d-1\",\"rvi\":\"3\",\"ty\":23,\"pc\":{\"m2m:sub\":{"
	  "\"rn\":\"s1\",\"nu\":[\"/in-cse1/Cpanel5\"],\"enc\":{\"net\":[3],"
	  "\"chty\":[4]},\"nct\":1}}}",
	  "<m2m:rqp><op>1</op><to>cb1/meter7/temp</to><fr>Cdisplay2</fr>"
	  "<rqi>d-1</rqi><ty>23</ty><pc><m2m:sub rn=\"s1\"><enc><net>3</net>"
	  "<chty>4</chty></enc><nu>/in-cse1/Cpanel5</nu><nct>1</nct>"
	  "</m2m:sub></pc><rvi>3</rvi></m2m:rqp>" },
	{ "9. Subscription with verification",
	  "{\"op\":5,\"to\":\"/in-cse1/Cpanel5\",\"fr\":\"/in-cse1\","
	  "\"rqi\":\"gw-1\",\"rvi\":\"3\",\"ot\":\"20260601T091000\","
	  "\"pc\":{\"m2m:sgn\":{\"vrq\":true,\"sur\":\"/in-cse1/sub77\","
	  "\"cr\":\"Cdisplay2\"}}}",
	  "<m2m:rqp><op>5</op><to>/in-cse1/Cpanel5</to><fr>/in-cse1</fr>"
	  "<rqi>gw-1</rqi><pc><m2m:sgn><vrq>true</vrq>"
	  "<sur>/in-cse1/sub77</sur><cr>Cdisplay2</cr></m2m:sgn></pc>"
	  "<ot>20260601T091000</ot><rvi>3</rvi></m2m:rqp>" },
	{ "9. Subscription with verification",
	  "{\"rsc\":2000,\"rqi\":\"gw-1\",\"rvi\":\"3\"}",
	  "<m2m:rsp><rsc>2000</rsc><rqi>gw-1</rqi><rvi>3</rvi></m2m:rsp>" },
	{ "9. Subscription with verification",
	  "{\"rsc\":2001,\"rqi\":\"d-1\",\"rvi\":\"3\",\"pc\":{\"m2m:sub\":{"
	  "\"rn\":\"s1\",\"ty\":23,\"ri\":\"sub77\",\"pi\":\"cnt4711\","
	  "\"ct\":\"20260601T091000\",\"lt\":\"20260601T091000\","
	  "\"et\":\"20270601T080000\",\"nu\":[\"/in-cse1/Cpanel5\"],"
	  "\"enc\":{\"net\":[3],\"chty\":[4]},\"nct\":1}}}",
	  "<m2m:rsp><rsc>2001</rsc><rqi>d-1</rqi><pc><m2m:sub rn=\"s1\">"
	  "<ty>23</ty><ri>sub77</ri><pi>cnt4711</pi><ct>20260601T091000</ct>"
	  "<lt>20260601T091000</lt><et>20270601T080000</et><enc><net>3</net>"
	  "<chty>4</chty></enc><nu>/in-cse1/Cpanel5</nu><nct>1</nct>"
	  "</m2m:sub></pc><rvi>3</rvi></m2m:rsp>" },
	{ "10. NOTIFY down the reverse channel",
	  "{\"op\":5,\"to\":\"/in-cse1/Cdisplay2\",\"fr\":\"/in-cse1\","
	  "\"rqi\":\"gw-2\",\"rvi\":\"3\",\"ot\":\"20260601T092000\","
	  "\"pc\":{\"m2m:sgn\":{\"nev\":{\"rep\":{\"m2m:cin\":{"
	  "\"rn\":\"cin_10\",\"ty\":4,\"ri\":\"cin10\",\"pi\":\"cnt4711\","
	  "\"ct\":\"20260601T092000\",\"lt\":\"20260601T092000\","
	  "\"et\":\"20270601T080000\",\"st\":0,\"cs\":4,\"con\":\"22.0\"}},"
	  "\"net\":3},\"sur\":\"/in-cse1/sub78\"}}}",
	  "<m2m:rqp><op>5</op><to>/in-cse1/Cdisplay2</to><fr>/in-cse1</fr>"
	  "<rqi>gw-2</rqi><pc><m2m:sgn><nev><rep><m2m:cin rn=\"cin_10\">"
	  "<ty>4</ty><ri>cin10</ri><pi>cnt4711</pi><ct>20260601T092000</ct>"
	  "<lt>20260601T092000</lt><et>20270601T080000</et><st>0</st>"
	  "<cs>4</cs><con>22.0</con></m2m:cin></rep><net>3</net></nev>"
	  "<sur>/in-cse1/sub78</sur></m2m:sgn></pc><ot>20260601T092000</ot>"
	  "<rvi>3</rvi></m2m:rqp>" },
	{ "10. NOTIFY down the reverse channel",
	  "{\"rsc\":2000,\"rqi\":\"gw-2\",\"rvi\":\"3\"}",
	  "<m2m:rsp><rsc>2000</rsc><rqi>gw-2</rqi><rvi>3</rvi></m2m:rsp>" },
	{ "11. Retargeting to a CSE registered over WebSocket",
	  "{\"op\":1,\"to\":\"/mn-cse7/mcb/sensor1\","
	  "\"fr\":\"/in-cse1/Cdisplay2\",\"rqi\":\"gw-9\",\"rvi\":\"3\","
	  "\"rqet\":\"20260601T093010\",\"ty\":3,\"rcn\":2,\"pc\":{"
	  "\"m2m:cnt\":{\"rn\":\"cmd\"}}}",
	  "<m2m:rqp><op>1</op><to>/mn-cse7/mcb/sensor1</to>"
	  "<fr>/in-cse1/Cdisplay2</fr><rqi>gw-9</rqi><ty>3</ty><pc>"
	  "<m2m:cnt rn=\"cmd\"/></pc><rqet>20260601T093010</rqet>"
	  "<rcn>2</rcn><rvi>3</rvi></m2m:rqp>" },
	{ "11. Retargeting to a CSE registered over WebSocket",
	  "{\"rsc\":2001,\"rqi\":\"gw-9\",\"rvi\":\"3\",\"pc\":{"
	  "\"m2m:uri\":\"mcb/sensor1/cmd\"}}",
	  "<m2m:rsp><rsc>2001</rsc><rqi>gw-9</rqi><pc>"
	  "<m2m:uri>mcb/sensor1/cmd</m2m:uri></pc><rvi>3</rvi></m2m:rsp>" },
	{ "12. Non-blocking, asynchronous",
	  "{\"op\":2,\"to\":\"cb1/meter7/temp\",\"fr\":\"Cdisplay2\","
	  "\"rqi\":\"r-020\",\"rvi\":\"3\",\"rt\":{\"rtv\":2,"
	  "\"nu\":[\"/in-cse1/Cdisplay2\"]},\"rp\":\"20260601T120000\"}",
	  "<m2m:rqp><op>2</op><to>cb1/meter7/temp</to><fr>Cdisplay2</fr>"
	  "<rqi>r-020</rqi><rt><rtv>2</rtv><nu>/in-cse1/Cdisplay2</nu></rt>"
	  "<rp>20260601T120000</rp><rvi>3</rvi></m2m:rqp>" },
	{ "12. Non-blocking, asynchronous",
	  "{\"rsc\":1002,\"rqi\":\"r-020\",\"rvi\":\"3\",\"pc\":{"
	  "\"m2m:uri\":\"req31\"}}",
	  "<m2m:rsp><rsc>1002</rsc><rqi>r-020</rqi><pc>"
	  "<m2m:uri>req31</m2m:uri></pc><rvi>3</rvi></m2m:rsp>" },
	{ "12. Non-blocking, asynchronous",
	  "{\"op\":5,\"to\":\"/in-cse1/Cdisplay2\",\"fr\":\"/in-cse1\","
	  "\"rqi\":\"gw-3\",\"rvi\":\"3\",\"pc\":{\"m2m:rsp\":{\"rsc\":2000,"
	  "\"rqi\":\"r-020\",\"rvi\":\"3\",\"pc\":{\"m2m:cnt\":{"
	  "\"rn\":\"temp\",\"ty\":3,\"ri\":\"cnt4711\"}}}}}",
	  "<m2m:rqp><op>5</op><to>/in-cse1/Cdisplay2</to><fr>/in-cse1</fr>"
	  "<rqi>gw-3</rqi><pc><m2m:rsp><rsc>2000</rsc><rqi>r-020</rqi><pc>"
	  "<m2m:cnt rn=\"temp\"><ty>3</ty><ri>cnt4711</ri></m2m:cnt></pc>"
	  "<rvi>3</rvi></m2m:rsp></pc><rvi>3</rvi></m2m:rqp>" },
	{ "12. Non-blocking, asynchronous",
	  "{\"rsc\":2000,\"rqi\":\"gw-3\",\"rvi\":\"3\"}",
	  "<m2m:rsp><rsc>2000</rsc><rqi>gw-3</rqi><rvi>3</rvi></m2m:rsp>" },
	{ "2. registered already",
	  "{\"rsc\":4117,\"rqi\":\"r-001\",\"rvi\":\"3\",\"pc\":{"
	  "\"m2m:dbg\":\"known\"}}",
	  "<m2m:rsp><rsc>4117</rsc><rqi>r-001</rqi><pc>"
	  "<m2m:dbg>known</m2m:dbg></pc><rvi>3</rvi></m2m:rsp>" },
	{ "4. with rcn 3",
	  "{\"rsc\":2001,\"rqi\":\"r-003\",\"rvi\":\"3\",\"pc\":{"
	  "\"m2m:rce\":{\"m2m:cin\":{\"rn\":\"cin_9\",\"con\":\"021.50\"},"
	  "\"uri\":\"cb1/meter7/temp/cin_9\"}}}",
	  "<m2m:rsp><rsc>2001</rsc><rqi>r-003</rqi><pc><m2m:rce>"
	  "<m2m:cin rn=\"cin_9\"><con>021.50</con></m2m:cin>"
	  "<uri>cb1/meter7/temp/cin_9</uri></m2m:rce></pc><rvi>3</rvi>"
	  "</m2m:rsp>" },
	{ "5. children, two levels",
	  "{\"op\":2,\"to\":\"cb1/meter7\",\"fr\":\"Cmeter7\","
	  "\"rqi\":\"r-005\",\"rvi\":\"3\",\"rcn\":4,\"fc\":{\"lvl\":2}}",
	  "<m2m:rqp><op>2</op><to>cb1/meter7</to><fr>Cmeter7</fr>"
	  "<rqi>r-005</rqi><rcn>4</rcn><fc><lvl>2</lvl></fc><rvi>3</rvi>"
	  "</m2m:rqp>" },
	{ "5. children, nested",
	  "{\"rsc\":2000,\"rqi\":\"r-005\",\"rvi\":\"3\",\"pc\":{"
	  "\"m2m:ae\":{\"rn\":\"meter7\",\"m2m:cnt\":[{\"rn\":\"temp\","
	  "\"m2m:cin\":[{\"con\":\"1\"},{\"con\":\"2\"}]}]}}}",
	  "<m2m:rsp><rsc>2000</rsc><rqi>r-005</rqi><pc>"
	  "<m2m:ae rn=\"meter7\"><m2m:cnt rn=\"temp\"><m2m:cin><con>1</con>"
	  "</m2m:cin><m2m:cin><con>2</con></m2m:cin></m2m:cnt></m2m:ae></pc>"
	  "<rvi>3</rvi></m2m:rsp>" },
	{ "6. nothing found",
	  "{\"rsc\":2000,\"rqi\":\"r-006\",\"rvi\":\"3\",\"pc\":{"
	  "\"m2m:uril\":[]}}",
	  "<m2m:rsp><rsc>2000</rsc><rqi>r-006</rqi><pc><m2m:uril/></pc>"
	  "<rvi>3</rvi></m2m:rsp>" },
	{ "6. references",
	  "{\"rsc\":2000,\"rqi\":\"r-006\",\"rvi\":\"3\",\"pc\":{"
	  "\"m2m:rrl\":{\"rrf\":[{\"nm\":\"temp\",\"typ\":3,"
	  "\"val\":\"cb1/meter7/temp\"}]}}}",
	  "<m2m:rsp><rsc>2000</rsc><rqi>r-006</rqi><pc><m2m:rrl>"
	  "<rrf nm=\"temp\" typ=\"3\">cb1/meter7/temp</rrf></m2m:rrl></pc>"
	  "<rvi>3</rvi></m2m:rsp>" },
	{ "6. conditions flat",
	  "{\"op\":2,\"to\":\"cb1\",\"fr\":\"Cdisplay2\",\"rqi\":\"r-006\","
	  "\"rvi\":\"3\",\"fc\":{\"fu\":1,\"cr\":\"Cmeter7\"}}",
	  "<m2m:rqp><op>2</op><to>cb1</to><fr>Cdisplay2</fr><rqi>r-006</rqi>"
	  "<fc><fu>1</fu><cr>Cmeter7</cr></fc><rvi>3</rvi></m2m:rqp>" },
	{ "9. refused",
	  "{\"rsc\":4101,\"rqi\":\"gw-1\",\"rvi\":\"3\"}",
	  "<m2m:rsp><rsc>4101</rsc><rqi>gw-1</rqi><rvi>3</rvi></m2m:rsp>" },
	{ "10. batch",
	  "{\"op\":5,\"to\":\"Cdisplay2\",\"fr\":\"/in-cse1\","
	  "\"rqi\":\"gw-2\",\"rvi\":\"3\",\"pc\":{\"m2m:agn\":{"
	  "\"m2m:sgn\":[{\"sur\":\"/in-cse1/sub78\"},{"
	  "\"sur\":\"/in-cse1/sub78\"}]}}}",
	  "<m2m:rqp><op>5</op><to>Cdisplay2</to><fr>/in-cse1</fr>"
	  "<rqi>gw-2</rqi><pc><m2m:agn><m2m:sgn><sur>/in-cse1/sub78</sur>"
	  "</m2m:sgn><m2m:sgn><sur>/in-cse1/sub78</sur></m2m:sgn></m2m:agn>"
	  "</pc><rvi>3</rvi></m2m:rqp>" },
	{ "10. deletion",
	  "{\"op\":5,\"to\":\"Cdisplay2\",\"fr\":\"/in-cse1\","
	  "\"rqi\":\"gw-2\",\"rvi\":\"3\",\"pc\":{\"m2m:sgn\":{\"sud\":true,"
	  "\"sur\":\"/in-cse1/sub78\"}}}",
	  "<m2m:rqp><op>5</op><to>Cdisplay2</to><fr>/in-cse1</fr>"
	  "<rqi>gw-2</rqi><pc><m2m:sgn><sud>true</sud>"
	  "<sur>/in-cse1/sub78</sur></m2m:sgn></pc><rvi>3</rvi></m2m:rqp>" },
	{ "10. nct 3",
	  "{\"op\":5,\"to\":\"Cdisplay2\",\"fr\":\"/in-cse1\","
	  "\"rqi\":\"gw-2\",\"rvi\":\"3\",\"pc\":{\"m2m:sgn\":{\"nev\":{"
	  "\"rep\":{\"m2m:uri\":\"cb1/meter7/temp/cin_10\"}},"
	  "\"sur\":\"/in-cse1/sub78\"}}}",
	  "<m2m:rqp><op>5</op><to>Cdisplay2</to><fr>/in-cse1</fr>"
	  "<rqi>gw-2</rqi><pc><m2m:sgn><nev><rep>"
	  "<m2m:uri>cb1/meter7/temp/cin_10</m2m:uri></rep></nev>"
	  "<sur>/in-cse1/sub78</sur></m2m:sgn></pc><rvi>3</rvi></m2m:rqp>" },
	{ "11. registration",
	  "{\"op\":1,\"to\":\"cb1\",\"fr\":\"/mn-cse7\",\"rqi\":\"m-1\","
	  "\"rvi\":\"3\",\"ty\":16,\"pc\":{\"m2m:csr\":{\"rn\":\"mn7\","
	  "\"cb\":\"/mn-cse7/mcb\",\"csi\":\"/mn-cse7\",\"cst\":2,"
	  "\"rr\":true,\"srv\":[\"3\"],\"poa\":[\"ws://default\"]}}}",
	  "<m2m:rqp><op>1</op><to>cb1</to><fr>/mn-cse7</fr><rqi>m-1</rqi>"
	  "<ty>16</ty><pc><m2m:csr rn=\"mn7\"><cst>2</cst>"
	  "<poa>ws://default</poa><cb>/mn-cse7/mcb</cb><csi>/mn-cse7</csi>"
	  "<rr>true</rr><srv>3</srv></m2m:csr></pc><rvi>3</rvi></m2m:rqp>" },
	{ "11. retargeted discovery",
	  "{\"op\":2,\"to\":\"/mn-cse7/mcb\",\"fr\":\"/in-cse1/Cdisplay2\","
	  "\"rqi\":\"gw-10\",\"rvi\":\"3\",\"fc\":{\"fu\":1,\"ty\":[3,4],"
	  "\"atr\":[{\"nm\":\"cr\",\"val\":\"Cx\"}]}}",
	  "<m2m:rqp><op>2</op><to>/mn-cse7/mcb</to>"
	  "<fr>/in-cse1/Cdisplay2</fr><rqi>gw-10</rqi><fc><ty>3 4</ty><atr>"
	  "<nm>cr</nm><val>Cx</val></atr><fu>1</fu></fc><rvi>3</rvi>"
	  "</m2m:rqp>" },
	{ "13. not valid",
	  "{\"rsc\":4000,\"rqi\":\"\",\"pc\":{"
	  "\"m2m:dbg\":\"not valid XML\"}}",
	  "<m2m:rsp><rsc>4000</rsc><rqi></rqi><pc>"
	  "<m2m:dbg>not valid XML</m2m:dbg></pc></m2m:rsp>" },
	{ "13. no such resource",
	  "{\"rsc\":4004,\"rqi\":\"e5\",\"rvi\":\"3\",\"pc\":{"
	  "\"m2m:dbg\":\"no\"}}",
	  "<m2m:rsp><rsc>4004</rsc><rqi>e5</rqi><pc><m2m:dbg>no</m2m:dbg>"
	  "</pc><rvi>3</rvi></m2m:rsp>" },
	{ "17. DELETE of the AE",
	  "{\"op\":4,\"to\":\"Cmeter7\",\"fr\":\"Cmeter7\",\"rqi\":\"z\","
	  "\"rvi\":\"3\"}",
	  "<m2m:rqp><op>4</op><to>Cmeter7</to><fr>Cmeter7</fr><rqi>z</rqi>"
	  "<rvi>3</rvi></m2m:rqp>" },
};

#endif
